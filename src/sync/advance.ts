/** From what a cycle found out and did to the next state. Pure. */
import { nextTurn } from "../http/turn.ts";
import { type Event, growthBy } from "./act/events.ts";
import type { Performer } from "./act/performer.ts";
import { keyOfWrite } from "./act/team.ts";
import { afterFullCycle, afterPlans } from "./identities.ts";
import type { World } from "./join.ts";
import type { Scope } from "./observe/changes.ts";
import type { Groups } from "./observe/groups.ts";
import { type Known, type KnownTeam, withGroups } from "./observe/known.ts";
import { ofKind } from "./plan/actions.ts";
import type { DesiredTeam } from "./plan/desired.ts";
import { type Due, keyOfTeam } from "./plan/due.ts";
import { afterCycle, type Outcome, outcomesOf, type Patience } from "./plan/setbacks.ts";
import type { TeamPlan } from "./plan/team.ts";
import type { State } from "./state.ts";
import type { News } from "./tell/news.ts";
import type { MappingReport } from "./tell/report.ts";

/** What became of one team in a cycle. */
export interface Turn {
  readonly team: DesiredTeam;
  readonly reports: readonly MappingReport[];
  readonly events: readonly Event[];
  /** `undefined` if the team could not be synced. */
  readonly synced: Synced | undefined;
  /** How Grafana did; `undefined` if it was not asked. */
  readonly outcome: Outcome | undefined;
  /** Its turn came when Grafana was down. */
  readonly isSkipped: boolean;
}

/** A team that was planned, and what came of it. */
export interface Synced {
  readonly plan: TeamPlan;
  /** `undefined` if the team does not exist; only a dry run leaves it so. */
  readonly id: number | undefined;
  /** How many members Grafana counted before. The next cycle compares this to see whether anyone has joined since. */
  readonly countBefore: number;
  /** What made a part of the plan pointless. */
  readonly stoppedBy: Error | undefined;
}

/** The plans of the teams that could be compared. */
export function plansOf(turns: readonly Turn[]): TeamPlan[] {
  return turns.flatMap(({ synced }) => synced ? [synced.plan] : []);
}

/** What a cycle found out and did. */
export interface Found {
  readonly scope: Scope;
  readonly due: Due;
  readonly world: World;
  readonly groups: Groups;
  readonly turns: readonly Turn[];
  readonly news: News;
  readonly performer: Performer;
}

/** How Grafana shows a team from now on; `undefined` if something went wrong that the next cycle may set right. */
function knownTeam({ team, reports, events, synced }: Turn): KnownTeam | undefined {
  const unread = new Set(
    team.sources.filter(({ reading }) => reading.kind === "failed").map(({ key }) => key),
  );
  const isSettled = reports.every(({ key, errors }) => errors.length === 0 || unread.has(key));
  if (!synced || !isSettled) return undefined;
  const [hold] = ofKind(synced.plan.holds, "on_hold");
  // Nothing failed, and yet members may be missing: the next reading may say more.
  if (hold?.reason === "incomplete-read" && unread.size === 0) return undefined;
  const { id, countBefore, plan } = synced;
  const pending = ofKind(plan.holds, "pending").map(({ member }) => member.user);
  return { id, memberCount: countBefore + growthBy(events), pending };
}

function withTeams(known: Known, turns: readonly Turn[]): Known {
  const teams = new Map(known.teams);
  for (const turn of turns) {
    const team = knownTeam(turn);
    if (team) teams.set(turn.team.name, team);
  }
  return { ...known, teams };
}

/** Teams whose removals the limit holds. While they cannot be compared for certain, it goes on as it was. */
function afterHolds(before: State["limited"], turns: readonly Turn[]): State["limited"] {
  const limited = new Set(before);
  for (const { team, synced } of turns) {
    if (!synced) continue;
    const [hold] = ofKind(synced.plan.holds, "on_hold");
    if (hold?.reason === "removal-limit") limited.add(team.name);
    else if (!hold) limited.delete(team.name);
  }
  return limited;
}

/** More failed writes than this are not remembered: it is only for their order. */
const MOST_FAILED_WRITES = 10_000;

function afterWrites(before: State["failedWrites"], turns: readonly Turn[]): State["failedWrites"] {
  const failed = new Set(before.size > MOST_FAILED_WRITES ? [] : before);
  for (const { events, synced } of turns) {
    for (const event of events) {
      if (event.kind !== "done" && event.kind !== "failed" || synced?.id === undefined) continue;
      const { action } = event;
      if (action.kind !== "add" && action.kind !== "remove") continue;
      const key = keyOfWrite(action, synced.id);
      if (event.kind === "failed") failed.add(key);
      else failed.delete(key);
    }
  }
  return failed;
}

function afterReports(before: State["reports"], turns: readonly Turn[]): State["reports"] {
  const reports = new Map(before);
  for (const report of turns.flatMap((turn) => turn.reports)) reports.set(report.key, report);
  return reports;
}

/** What is known of groups, teams and people after a cycle. */
function afterSeeing(
  { scope: { isFull }, due: { known }, world: { people, read }, groups, turns }: Found,
): Known {
  return {
    ...withTeams(withGroups(known, groups.fresh()), turns),
    oktaTime: isFull ? read.at : known.oktaTime,
    userCount: people instanceof Error ? known.userCount : people.byId.size,
  };
}

/** What is known after a cycle that came to its end, and what is newly tried less often. */
export async function advance(
  before: State,
  found: Found,
): Promise<{ readonly state: State; readonly slower: readonly Patience[] }> {
  const { scope: { isFull, mayAskChanges }, due, world, turns, news, performer } = found;
  const { read, desired, joins } = world;
  const cycles = before.cycles + 1;
  const known = afterPlans(before.identities, plansOf(turns));
  // With many people, each of these takes a while.
  await nextTurn();
  const identities = isFull ? afterFullCycle(known, desired) : known;
  await nextTurn();
  const isRemembered = ([oktaId]: readonly [string, unknown]) => identities.seen.has(oktaId);
  const { setbacks, slower } = afterCycle(
    before.setbacks,
    outcomesOf(due.mappings, read),
    {
      outcomes: turns.flatMap(({ outcome }) => outcome ?? []),
      unasked: turns.filter(({ isSkipped }) => isSkipped).map(({ team }) => keyOfTeam(team.name)),
    },
    cycles,
  );
  const state = {
    cycles,
    known: afterSeeing(found),
    identities,
    joins: isFull ? { ...joins, joins: new Map([...joins.joins].filter(isRemembered)) } : joins,
    setbacks,
    limited: afterHolds(before.limited, turns),
    failedWrites: afterWrites(before.failedWrites, turns),
    told: news.told(),
    reports: afterReports(before.reports, turns),
    mayAskChanges: before.mayAskChanges && mayAskChanges,
    hasBulkWrite: performer.hasBulkWrite(),
  };
  return { state, slower };
}
