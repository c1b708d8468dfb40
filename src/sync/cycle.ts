/**
 * One cycle, from top to bottom:
 *
 *     what has changed     observe/changes.ts   what Okta and Grafana report, or everything
 *     what we see          read.ts, observe/    Grafana's people, and the groups and teams that are due
 *     who is missing       join.ts              members who are not in the organisation yet join it
 *     then for each team   turns.ts             what goes wrong with one does not stop the others
 *       what should be     plan/team.ts         actions, and holds with their reasons
 *       is it proven       read.ts              what the plan lacks is read, then planned again
 *       do it              act/team.ts          an event for everything that took effect
 *       tell it            tell/                log, audit and report: functions of plan and events
 *     what we know now     advance.ts           the next state
 */
import type { Config } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import { createDryRun, createWriter, type Performer } from "./act/performer.ts";
import { countDone, growthBy } from "./act/events.ts";
import { actOnTeam, whileFresh } from "./act/team.ts";
import { accountsOf } from "./identities.ts";
import { bringIn, type World } from "./join.ts";
import { type Readers, readMissing, see } from "./read.ts";
import { nextFullAt, observeChanges } from "./observe/changes.ts";
import { createGroups } from "./observe/groups.ts";
import type { OnReading } from "./observe/people.ts";
import { keyOfMapping } from "./plan/desired.ts";
import { type Due, dueMappings, keyOfTeam } from "./plan/due.ts";
import type { Identities } from "./plan/keep.ts";
import { fairly } from "./plan/setbacks.ts";
import { planTeam, type View } from "./plan/team.ts";
import type { State } from "./state.ts";
import { advance, plansOf, type Synced, type Turn } from "./advance.ts";
import { tellHolds } from "./tell/holds.ts";
import { tellUnsynced } from "./tell/lines.ts";
import { createNews, type News } from "./tell/news.ts";
import { tellHidden, tellScope, tellSlower } from "./tell/notices.ts";
import { type CycleReport, type MappingReport, unchangedReports } from "./tell/report.ts";
import { TeamTeller } from "./tell/team.ts";
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

/** A cycle under way: what its steps have in common. */
interface Cycle extends CycleOptions {
  readonly before: State;
  readonly dryRun: boolean;
  readonly performer: Performer;
  readonly identities: Identities;
  readonly news: News;
  /** Those of the teams whose turn has come. */
  readonly tellers: TeamTeller[];
  /** `true` until something else is known. */
  isFull: boolean;
}

/** One team: what should be, is it proven, do it, tell it. */
async function syncTeam(
  seen: View,
  mayBulk: boolean,
  teller: TeamTeller,
  readers: Readers,
  { before: { limited, failedWrites }, config: { sync }, performer, identities, ...cycle }: Cycle,
): Promise<Synced> {
  const { grafana, monotonic, allowRemovals } = cycle;
  const [{ name }, past] = [seen.desired[0], teller.events()];
  const rules = {
    keeping: { ...sync, identities },
    allowRemovals: allowRemovals?.has(name) ?? false,
    wasLimited: limited.has(name),
    removedBefore: countDone(past, "remove"),
  };
  let [view, readAt] = [seen, monotonic()];
  let plan = planTeam(view, { ...rules, now: readAt });
  // A dry run writes nothing, so the team is not read again.
  while (plan.missing && !(performer.isDry && plan.missing === "team again")) {
    view = await readMissing(plan.missing, view, plan, readers);
    if (plan.missing !== "team again") readAt = monotonic();
    plan = planTeam(view, { ...rules, now: readAt });
  }
  teller.plan(plan, view.desired);
  const work = { plan, view, keeping: rules.keeping, mayBulk, failedWrites };
  const acted = await actOnTeam(work, whileFresh(performer, readAt, monotonic), grafana, teller);
  return { ...acted, plan, countBefore: seen.team.memberCount - growthBy(past) };
}

/** All teams in turn, those first that have waited longest. */
async function syncTeams(due: Due, world: World, readers: Readers, cycle: Cycle): Promise<readonly Turn[]> {
  const { before: { setbacks, cycles }, config: { grafana: { missing_users } }, log, news, tellers } = cycle;
  const keys = new Set(due.mappings.map(keyOfMapping));
  const holds = { missing_users, log, isDry: cycle.dryRun, news, joins: world.joins.joins };
  return await takeTurns(fairly(world.desired, ({ name }) => keyOfTeam(name), setbacks, cycles + 1), {
    world,
    readers,
    log,
    createTeller({ sources }) {
      const own = sources.filter(({ key }) => keys.has(key));
      const teller = new TeamTeller(own, world.joined, cycle);
      tellers.push(teller);
      return teller;
    },
    async sync(view, mayBulk, teller) {
      const synced = await syncTeam(view, mayBulk, teller, readers, cycle);
      tellHolds(synced.plan, { ...holds, emit: teller.emit });
      return synced;
    },
    onMapping: (report) => cycle.onMapping?.(report, cycle.dryRun),
  });
}

/** The steps of a cycle. @throws {RequestError} of the kind `interrupted`. */
async function takeSteps(cycle: Cycle) {
  const { before, config: { okta: { member_statuses }, sync, grafana: settings }, ...given } = cycle;
  const { okta, grafana, onReading, monotonic, performer, news, log } = given;

  // What has changed.
  const scope = await observeChanges(before.mayAskChanges ? before.known : undefined, { ...given, sync });
  cycle.isFull = scope.isFull;
  const due = dueMappings(sync.mappings, scope.known, before.setbacks, before.cycles + 1);
  tellScope(scope, due.unchanged.length, sync.mappings.length, news, log);

  // What we see, and who is missing.
  const groups = createGroups({ known: due.known, okta, monotonic, onReading });
  const readers = { groups, grafana, memberStatuses: member_statuses, onReading };
  const seen = await see(due.mappings, sync.mappings, scope, readers);
  tellHidden(seen.people, news, log);
  const times = { now: monotonic(), retryAt: nextFullAt(due.known, sync) };
  const world = await bringIn(seen, before.joins, { ...given, settings, ...times });

  // For each team: what should be, is it proven, do it, tell it.
  const turns = await syncTeams(due, world, readers, cycle);

  // What we know now.
  const { state, slower } = await advance(before, { scope, due, world, groups, turns, news, performer });
  tellSlower(slower, sync.interval_seconds, log);
  const unchanged = unchangedReports(due.unchanged, before.reports, given.now());
  for (const report of unchanged) given.onMapping?.(report, given.dryRun);
  const mappings = [...turns.flatMap(({ reports }) => reports), ...unchanged];
  const { joins: { joins }, teams } = world;
  return { state, interrupted: false, mappings, plans: plansOf(turns), joins, teams };
}

/**
 * Runs one cycle. It does not throw for what Okta or Grafana do: every failure is in the report, on the mappings that it
 * concerns, and the others go on.
 */
export async function runCycle(before: State, given: CycleOptions): Promise<Cycled> {
  const { config: { sync }, grafana, now, monotonic, dryRun = sync.dry_run } = given;
  const [startedAt, begun, number] = [now(), monotonic(), before.cycles + 1];
  const cycle: Cycle = {
    ...given,
    before,
    dryRun,
    performer: (dryRun ? createDryRun : createWriter)(before.hasBulkWrite, grafana),
    identities: accountsOf(before.identities),
    news: createNews(before.told),
    log: given.log.with({ cycle: number }),
    tellers: [],
    isFull: true,
  };
  try {
    const { state, ...done } = await takeSteps(cycle).catch((error) => {
      if (!isRequestError(error, "interrupted")) throw error;
      const mappings = cycle.tellers.flatMap((teller) => teller.reports());
      const state = { ...before, cycles: number };
      return { state, interrupted: true, mappings, plans: [], joins: before.joins.joins, teams: new Map() };
    });
    const times = { startedAt, endedAt: now(), durationSeconds: (monotonic() - begun) / 1_000 };
    return { state, report: { cycle: number, isFull: cycle.isFull, dryRun, ...times, ...done } };
  } finally {
    tellUnsynced(cycle.tellers.flatMap((teller) => teller.events()), cycle.log);
  }
}
