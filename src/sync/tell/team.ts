/** Tells how the sync of one team goes: GOTS's lines for each mapping, a line for each event, and the reports. */
import type { Logger } from "../../observability/log.ts";
import type { Emit, Event } from "../act/events.ts";
import { ofKind } from "../plan/actions.ts";
import type { Source } from "../plan/desired.ts";
import type { TeamPlan, View } from "../plan/team.ts";
import { fieldsOf, tellEvent } from "./lines.ts";
import { type MappingReport, reportOf } from "./report.ts";
import { keyOf } from "./words.ts";

/** What telling needs. */
export interface TellerOptions {
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
}

/** GOTS's lines before the changes of a mapping. */
function tellDifference({ key, mapping, members }: Source, { size, actions }: TeamPlan, log: Logger): void {
  const fields = { ...fieldsOf(mapping), members: members.length, team_members: size };
  log.info("Found {members} members in Okta group '{okta_group}'", fields);
  log.info("Found {team_members} members in Grafana team '{grafana_team}'", fields);
  const own = actions.filter(({ source }) => source.key === key);
  const diff = { to_add: ofKind(own, "add").length, to_remove: ofKind(own, "remove").length };
  log.info("Sync diff: {to_add} to add, {to_remove} to remove", { ...fieldsOf(mapping), ...diff });
}

/** Tells the sync of one team, in one round or several. */
export class TeamTeller {
  readonly #keys: ReadonlySet<string>;
  readonly #before: readonly Event[];
  readonly #surroundings: TellerOptions;
  /** What took effect in earlier rounds. */
  #past: Event[] = [];
  #events: Event[];
  #plan: TeamPlan | undefined;
  #sources: readonly Source[];
  #teamId: number | undefined;
  /** When each mapping was begun in this round. */
  readonly #begun = new Map<string, number>();
  readonly #seconds = new Map<string, number>();

  /**
   * @param due The mappings to sync, as first read.
   * @param before Events about its members from before its turn.
   */
  constructor(due: readonly Source[], before: readonly Event[], surroundings: TellerOptions) {
    this.#keys = new Set(due.map(({ key }) => key));
    this.#before = before.filter((event) => this.#keys.has(keyOf(event)));
    this.#surroundings = surroundings;
    this.#events = [...this.#before];
    this.#sources = due;
  }

  /** The mappings to sync, as last read. */
  sources(): readonly Source[] {
    return this.#sources;
  }

  /** What happened in all rounds. */
  events(): readonly Event[] {
    return [...this.#past, ...this.#events];
  }

  /** How the sync of each mapping went so far. */
  reports(): MappingReport[] {
    return this.#sources.map((source) => this.#report(source));
  }

  #report(source: Source): MappingReport {
    const times = { seconds: this.#seconds.get(source.key) ?? 0, endedAt: this.#surroundings.now() };
    return reportOf(source, this.#plan, { past: this.#past, events: this.#events }, times);
  }

  /** Tells a plan and the readings it is based on. A second plan starts another round. */
  plan(plan: TeamPlan, [first, second]: View["desired"]): void {
    if (this.#plan) {
      this.#past = [...this.#past, ...this.#events.filter(({ kind }) => kind === "done")];
      this.#events = [...this.#before];
      this.#begun.clear();
    }
    this.#plan = plan;
    this.#sources = first.sources.filter(({ key }) => this.#keys.has(key));
    this.#teamId = plan.teamId ?? this.#teamId;
    for (const source of second?.sources ?? []) {
      if (source.reading.kind !== "failed" || !this.#keys.has(source.key)) continue;
      this.emit({ kind: "unsynced", source, error: source.reading.error });
    }
  }

  /** Tells an event. The first one of a mapping begins it. */
  readonly emit: Emit = (event) => {
    if (event.kind === "done" || event.kind === "found" || event.kind === "planned") {
      if (event.action.kind === "create_team") this.#teamId = "id" in event ? event.id : undefined;
      else for (const source of this.#sources) if (source.key === keyOf(event)) this.begin(source);
    }
    this.#events.push(event);
    tellEvent(event, this.#surroundings.log, this.#teamId);
  };

  /** Tells the beginning of a mapping, once a round; `false` if its group could not be read. */
  begin(source: Source): boolean {
    const { key, mapping, reading } = source;
    const { log, monotonic } = this.#surroundings;
    if (!this.#plan || this.#begun.has(key)) return reading.kind !== "failed";
    this.#begun.set(key, monotonic());
    log.info("Starting sync: {okta_group} -> {grafana_team}", fieldsOf(mapping));
    if (reading.kind === "failed") {
      this.emit({ kind: "unsynced", source, error: reading.error });
      return false;
    }
    tellDifference(source, this.#plan, log);
    for (const hold of ofKind(this.#plan.holds, "ambiguous")) {
      if (hold.member.source.key === key) this.emit({ kind: "ambiguous", hold });
    }
    return true;
  }

  /** Tells the end of a mapping. */
  end(source: Source): void {
    const { key, mapping } = source;
    const { log, monotonic } = this.#surroundings;
    const took = monotonic() - (this.#begun.get(key) ?? monotonic());
    this.#seconds.set(key, (this.#seconds.get(key) ?? 0) + took / 1_000);
    const { added, removed, errors, durationSeconds } = this.#report(source);
    log.info("Sync completed: +{added} users, -{removed} users, {errors} errors, {_seconds}s", {
      ...fieldsOf(mapping),
      added,
      removed,
      errors: errors.length,
      seconds: Number(durationSeconds.toFixed(3)),
      _seconds: durationSeconds.toFixed(2),
    });
  }

  /** The team could not be synced; a mapping whose own group failed says that. */
  failed(seen: readonly Source[], error: Error): void {
    this.#plan = undefined;
    this.#sources = seen.filter(({ key }) => this.#keys.has(key));
    for (const { key, mapping, reading } of this.#sources) {
      const reason = reading.kind === "failed" ? reading.error : error;
      this.emit({ kind: "unsynced", source: { key, mapping }, error: reason });
    }
  }
}
