/**
 * One cycle, from top to bottom:
 *
 *     what has changed     observe/changes.ts   what Okta and Grafana report, or everything
 *     what we see          observe/             Grafana's people, and the groups and teams that are due
 *     who is missing       join.ts              members whom the organisation does not know are brought in
 *     then for each team
 *       what should be     plan/team.ts         actions, and holds with their reasons
 *       is it proven       look.ts              what the plan lacks is looked at, and planned anew
 *       do it              act/team.ts          an event for everything that took effect
 *       tell it            tell/                log, audit and report: functions of plan and events
 *     what we know now     state.ts             the next state
 */
import type { Config, Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { createBreaker } from "../http/breaker.ts";
import { isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import { createDryRun, createWriter, type Performer } from "./act/performer.ts";
import { actOnTeam, whileFresh } from "./act/team.ts";
import { accountOf } from "./identities.ts";
import { bringIn } from "./join.ts";
import { type LookOptions, takeLook } from "./look.ts";
import { nextFullAt, observeChanges } from "./observe/changes.ts";
import { createGroups } from "./observe/groups.ts";
import type { OnReading } from "./observe/people.ts";
import { keyOfMapping } from "./plan/desired.ts";
import { dueMappings, keyOfTeam } from "./plan/due.ts";
import { fairly } from "./plan/setbacks.ts";
import { planTeam, type View } from "./plan/team.ts";
import { see } from "./see.ts";
import type { State } from "./state.ts";
import { advance, type Synced } from "./advance.ts";
import { tellUnsynced } from "./tell/lines.ts";
import { createNews } from "./tell/news.ts";
import { tellHidden, tellScope, tellSlower } from "./tell/notices.ts";
import { countDone, type CycleReport, type MappingReport, unchangedReport } from "./tell/report.ts";
import type { TeamTeller } from "./tell/team.ts";
import { takeTurns } from "./turns.ts";

/** What a cycle needs. */
export interface CycleOptions {
  readonly config: Pick<Config, "okta" | "grafana" | "sync">;
  readonly okta: OktaClient;
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  /** Writes nothing. @default {config.sync.dry_run} */
  readonly dryRun?: boolean;
  /** Teams for which the removal limit does not count in this cycle. */
  readonly allowRemovals?: ReadonlySet<string>;
  /** Told while reading, for somebody who watches. */
  readonly onReading?: OnReading;
  /** Told when a mapping has been brought to an end. */
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

/** What a cycle did, and what is known after it. */
export interface Cycled {
  readonly state: State;
  readonly report: CycleReport;
}

/** One team: what should be, is it proven, do it. What happens is told as it happens. */
async function syncTeam(
  seen: View,
  mayBulk: boolean,
  teller: TeamTeller,
  before: State,
  performer: Performer,
  look: LookOptions,
  { config: { sync }, grafana, monotonic, allowRemovals }: CycleOptions,
): Promise<Synced> {
  const { name } = seen.looks[0];
  const { identities, limited, failedWrites } = before;
  const keeping = { ...sync, identities: { get: (oktaId: string) => accountOf(identities, oktaId) } };
  const allowed = {
    allowRemovals: allowRemovals?.has(name) ?? false,
    wasLimited: limited.has(name),
    removedBefore: countDone(teller.events(), "remove"),
  };
  let [view, lookedAt] = [seen, monotonic()];
  let plan = planTeam(view, { keeping, ...allowed, now: lookedAt });
  // A dry run does not look at a team right before a write.
  while (plan.missing && !(performer.isDry && plan.missing === "team again")) {
    view = await takeLook(plan.missing, view, plan, look);
    if (plan.missing !== "team again") lookedAt = monotonic();
    plan = planTeam(view, { keeping, ...allowed, now: lookedAt });
  }
  teller.plan(plan, view.looks);
  const work = { plan, view, keeping, mayBulk, failedWrites };
  const acted = await actOnTeam(work, whileFresh(performer, lookedAt, monotonic), grafana, teller);
  return { ...acted, plan, countBefore: seen.team.memberCount };
}

/** What did not change is as it was when it was synced last. */
function carryOver(
  unchanged: readonly Mapping[],
  { reports }: State,
  { now, dryRun, onMapping }: CycleOptions,
) {
  const last = unchanged.flatMap((mapping) => reports.get(keyOfMapping(mapping)) ?? []);
  const carried = last.filter(({ errors }) => errors.length === 0).map((one) => unchangedReport(one, now()));
  for (const report of carried) onMapping?.(report, dryRun ?? false);
  return carried;
}

/**
 * Runs one cycle. It does not throw for what Okta or Grafana do: every failure is in the report, on the mappings that it
 * concerns, and the others go on.
 */
export async function runCycle(before: State, given: CycleOptions): Promise<Cycled> {
  const cycle = before.cycles + 1;
  const { config: { okta: { member_statuses }, sync, grafana: settings }, okta, grafana, now, monotonic } =
    given;
  const { dryRun = sync.dry_run, onReading } = given;
  const log = given.log.with({ cycle });
  const options = { ...given, dryRun, log };
  const [startedAt, begun] = [now(), monotonic()];
  const [news, tellers] = [createNews(before.told), [] as TeamTeller[]];
  let isFull = true;
  const report = (done: Pick<CycleReport, "interrupted" | "mappings" | "plans" | "joins">) => (
    {
      cycle,
      isFull,
      dryRun,
      startedAt,
      endedAt: now(),
      durationSeconds: (monotonic() - begun) / 1_000,
      ...done,
    }
  );
  try {
    // What has changed.
    const scope = await observeChanges(before.mayAskChanges ? before.known : undefined, { ...options, sync });
    ({ isFull } = scope);
    const due = dueMappings(sync.mappings, scope.known, before.setbacks, cycle);
    tellScope(scope, due.unchanged.length, sync.mappings.length, news, log);

    // What we see, and who is missing.
    const groups = createGroups({ okta, breaker: createBreaker(), monotonic, onReading });
    const look = { groups, grafana, known: due.known, memberStatuses: member_statuses, onReading };
    const performer = dryRun ? createDryRun(before.hasBulkWrite) : createWriter(grafana, before.hasBulkWrite);
    const seen = await see(due.mappings, sync.mappings, scope, look);
    if (!(seen.people instanceof Error)) tellHidden(seen.people, news, log);
    const times = { now: monotonic(), retryAt: nextFullAt(due.known, sync) };
    const world = await bringIn(seen, before, { settings, grafana, performer, ...times, news, log });

    // For each team: what should be, is it proven, do it, tell it.
    const keys = new Set(due.mappings.map(keyOfMapping));
    const turns = await takeTurns(
      fairly(world.desired, ({ name }) => keyOfTeam(name), before.setbacks, cycle),
      (view, mayBulk, teller) => syncTeam(view, mayBulk, teller, before, performer, look, options),
      tellers,
      { ...options, ...settings, world, look, isDry: dryRun, isDue: ({ key }) => keys.has(key), news },
    );

    // What we know now.
    const { mayAskChanges } = scope;
    const { state, slower } = await advance(before, {
      isFull,
      due,
      world,
      groups,
      turns,
      news,
      performer,
      mayAskChanges,
    });
    tellSlower(slower, sync.interval_seconds, log);
    const mappings = [
      ...turns.flatMap(({ reports }) => reports),
      ...carryOver(due.unchanged, before, options),
    ];
    const plans = turns.flatMap(({ synced }) => synced ? [synced.plan] : []);
    return { state, report: report({ interrupted: false, mappings, plans, joins: world.joins.joins }) };
  } catch (error) {
    if (!isRequestError(error, "interrupted")) throw error;
    const mappings = tellers.flatMap((teller) => teller.reports());
    const state = { ...before, cycles: cycle };
    return { state, report: report({ interrupted: true, mappings, plans: [], joins: before.joins.joins }) };
  } finally {
    tellUnsynced(tellers.flatMap((teller) => teller.events()), log);
  }
}
