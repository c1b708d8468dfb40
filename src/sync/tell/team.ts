/** Tells how the sync of one team goes: GOTS's lines for each mapping, a line for each event, and the reports. */
import type { Logger } from "../../observability/log.ts";
import type { Emit, Event } from "../act/events.ts";
import { ofKind } from "../plan/actions.ts";
import type { Source } from "../plan/desired.ts";
import type { TeamPlan, View } from "../plan/team.ts";
import { fieldsOf, tellEvent } from "./lines.ts";
import { type MappingReport, reportOf } from "./report.ts";
import { keyOf } from "./words.ts";

/** Tells the sync of one team, in one round or several. */
export interface TeamTeller {
  /** What is going to be done, by which looks at the groups. Another plan begins another round. */
  plan(plan: TeamPlan, looks: View["looks"]): void;
  /** Tells an event. The first one of a mapping begins it. */
  readonly emit: Emit;
  /** Tells the beginning of a mapping, once a round; `false` if its group could not be read. */
  begin(source: Source): boolean;
  /** Tells the end of a mapping. */
  end(source: Source): void;
  /** The team could not be synced; a mapping whose own group failed says that. */
  failed(sources: readonly Source[], error: Error): void;
  /** The mappings that are synced, as their groups were seen. */
  sources(): readonly Source[];
  /** How the sync of each mapping went so far. */
  reports(): MappingReport[];
  /** What happened in all rounds. */
  events(): readonly Event[];
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

/**
 * Tells the sync of one team.
 *
 * @param due The mappings that are synced, before they are looked at once more.
 * @param before What happened to its members before its turn.
 * @param now Epoch milliseconds.
 * @param monotonic Milliseconds that no setting of the clock moves.
 */
export function createTeamTeller(
  due: readonly Source[],
  before: readonly Event[],
  log: Logger,
  now: () => number,
  monotonic: () => number,
): TeamTeller {
  const keys = new Set(due.map(({ key }) => key));
  /** What took effect in earlier rounds. */
  let past: Event[] = [];
  let events = before.filter((event) => keys.has(keyOf(event)));
  let [plan, sources]: [TeamPlan | undefined, readonly Source[]] = [undefined, due];
  let teamId: number | undefined;
  /** When each mapping was begun in this round. */
  const begun = new Map<string, number>();
  const seconds = new Map<string, number>();

  function emit(event: Event): void {
    if (event.kind === "done" || event.kind === "found" || event.kind === "planned") {
      if (event.action.kind === "create_team") teamId = "id" in event ? event.id : undefined;
      else for (const source of sources) if (source.key === keyOf(event)) begin(source);
    }
    events.push(event);
    tellEvent(event, log, teamId);
  }

  function begin(source: Source): boolean {
    const { key, mapping, reading } = source;
    if (!plan || begun.has(key)) return reading.kind !== "failed";
    begun.set(key, monotonic());
    log.info("Starting sync: {okta_group} -> {grafana_team}", fieldsOf(mapping));
    if (reading.kind === "failed") {
      emit({ kind: "unsynced", source, error: reading.error });
      return false;
    }
    tellDifference(source, plan, log);
    for (const hold of ofKind(plan.holds, "ambiguous")) {
      if (hold.member.source.key === key) emit({ kind: "ambiguous", hold });
    }
    return true;
  }

  function report(source: Source): MappingReport {
    const times = { seconds: seconds.get(source.key) ?? 0, endedAt: now() };
    return reportOf(source, plan, { past, events }, times);
  }

  return {
    emit,
    begin,
    sources: () => sources,
    reports: () => sources.map(report),
    events: () => [...past, ...events],
    plan(next, [first, second]) {
      if (plan) {
        past = [...past, ...events.filter(({ kind }) => kind === "done")];
        events = before.filter((event) => keys.has(keyOf(event)));
        begun.clear();
      }
      [plan, sources] = [next, first.sources.filter(({ key }) => keys.has(key))];
      teamId = next.teamId ?? teamId;
      for (const source of second?.sources ?? []) {
        if (source.reading.kind !== "failed" || !keys.has(source.key)) continue;
        emit({ kind: "unsynced", source, error: source.reading.error });
      }
    },
    end(source) {
      const { key, mapping } = source;
      seconds.set(key, (seconds.get(key) ?? 0) + (monotonic() - (begun.get(key) ?? monotonic())) / 1_000);
      const { added, removed, errors, durationSeconds } = report(source);
      log.info("Sync completed: +{added} users, -{removed} users, {errors} errors, {_seconds}s", {
        ...fieldsOf(mapping),
        added,
        removed,
        errors: errors.length,
        seconds: Number(durationSeconds.toFixed(3)),
        _seconds: durationSeconds.toFixed(2),
      });
    },
    failed(seen, error) {
      plan = undefined;
      sources = seen.filter(({ key }) => keys.has(key));
      for (const { key, mapping, reading } of sources) {
        const reason = reading.kind === "failed" ? reading.error : error;
        emit({ kind: "unsynced", source: { key, mapping }, error: reason });
      }
    },
  };
}
