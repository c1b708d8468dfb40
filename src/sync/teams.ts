/** The teams of a cycle: who joins the organisation, and each team's sync in its turn. */
import type { Mapping } from "../config/schema.ts";
import { addressOf } from "../grafana/directory.ts";
import { type Cycle, fold, patienceOf, readFresh } from "./cycle_state.ts";
import { readMembers } from "./decide.ts";
import { type DesiredTeam, keyOfGroup, type Source } from "./desired.ts";
import { readGroups } from "./groups.ts";
import { joinOrganisation } from "./join.ts";
import { type Known, rememberGroups } from "./known.ts";
import { fairly, rememberIdentities } from "./memory.ts";
import { unreadable } from "./organisation.ts";
import { noteOutcomes, type Outcome } from "./patience.ts";
import type { CurrentTeam, Organisation } from "./plan.ts";
import type { MappingReport, SyncError } from "./report.ts";
import { type Scope, SLACK_MS } from "./scope.ts";
import { readAhead } from "../http/side_by_side.ts";
import { type SyncedTeam, syncTeam, UnreadError } from "./team.ts";

/** So many teams are read before their turn. */
const MOST_AHEAD = 8;

/** The key of a team, where groups and teams are told apart. */
export const keyOfTeam = (team: string) => `team ${team}`;

function isComplete({ reading }: Source): boolean {
  return reading.kind === "complete";
}

/** A report for each mapping that is due, before anything was done. */
export function emptyReports(team: DesiredTeam, due: ReadonlySet<Mapping>): MappingReport[] {
  return team.sources.filter(({ mapping }) => due.has(mapping)).map(({ mapping, reading, members }) => ({
    mapping,
    groupMembers: reading.kind === "complete" ? members.length : undefined,
    teamMembers: undefined,
    added: 0,
    removed: 0,
    pending: 0,
    withheld: 0,
    errors: [],
    durationSeconds: reading.seconds,
    endedAt: 0,
  }));
}

/** The reports of each team's mappings. */
export type Reports = ReadonlyMap<DesiredTeam, readonly MappingReport[]>;

/** Brings members who are not in the organisation into it, as `grafana.missing_users` says. */
export async function joinMembers(
  organisation: Organisation | Error,
  reports: Reports,
  { fullAt }: Known,
  cycle: Cycle,
): Promise<Organisation | Error> {
  if (organisation instanceof Error) return organisation;
  const { config, log, memory } = cycle;
  const told = new Set<string>();
  const report = (mapping: Mapping, error: SyncError, again: boolean) => {
    [...reports.values()].flat().find((one) => one.mapping === mapping)?.errors.push(error);
    const { okta_group, grafana_team } = mapping;
    const user = error.user === undefined ? {} : { user: error.user };
    if (again || told.has(error.message)) return;
    told.add(error.message);
    log.error("{_error}", { okta_group, grafana_team, ...user, _error: error.message });
  };
  const members = [...reports.keys()].flatMap((team) => team.members);
  return await joinOrganisation(members, organisation, {
    ...cycle,
    // At the next full cycle.
    tryAgainAt: fullAt + config.sync.full_refresh_seconds * 1_000 - SLACK_MS,
    settings: config.grafana,
    memory: memory.join,
    identities: memory.identities,
    onError: ({ mapping, user: { profile } }, message, again = false) =>
      report(mapping, { message, user: addressOf(profile) }, again),
    onMappingError: (mapping, message, again) => report(mapping, { message }, again),
  }).catch(unreadable("the users of Grafana"));
}

/** What was synced of a team is known from now on, unless something went wrong that the next cycle may mend. */
function rememberTeam(
  { name, sources }: DesiredTeam,
  reports: readonly MappingReport[],
  result: SyncedTeam | Error,
  { teams }: Known,
): void {
  const isFailed = ({ reading }: Source) => reading.kind === "failed";
  const isUnread = ({ mapping }: MappingReport) =>
    sources.some((source) => source.mapping === mapping && isFailed(source));
  const isSettled = reports.every((report) => report.errors.length === 0 || isUnread(report));
  if (result instanceof Error || !isSettled) return;
  // Nothing failed, and yet members may be missing: the next reading may say more.
  if (result.plan.withheld?.reason === "incomplete-read" && !sources.some(isFailed)) return;
  const { id, memberCount, plan: { pending } } = result;
  teams.set(name, { id, memberCount, pending, reports: reports.filter(({ errors }) => errors.length === 0) });
}

/** Syncs one team, and lets the breaker know how Grafana did. */
async function syncNext(
  team: DesiredTeam,
  peek: () => Promise<CurrentTeam>,
  teamReports: readonly MappingReport[],
  organisation: Organisation | Error,
  known: Known,
  cycle: Cycle,
): Promise<Outcome | undefined> {
  const { config, memory, breakers } = cycle;
  const mappings = team.sources.map(({ mapping }) => mapping);
  const folded = (): DesiredTeam => fold(mappings, known, cycle)[0] ?? team;
  async function readWhole(): Promise<DesiredTeam> {
    // What is passed over is not asked here either.
    await readFresh(mappings.filter((one) => known.groups.has(keyOfGroup(one))), known, cycle);
    return folded();
  }
  const result = await syncTeam(team, organisation, teamReports, {
    ...cycle,
    told: memory.told,
    outlook: memory.join.outlook,
    missing_users: config.grafana.missing_users,
    failing: memory.failing,
    limited: memory.limited,
    bulk: memory.bulk,
    keeping: { ...config.sync, identities: memory.identities },
    allowRemovals: cycle.allowRemovals?.has(team.name) ?? false,
    peek,
    readWhole,
    async readAnew() {
      for (const key of mappings.map(keyOfGroup)) {
        if (cycle.fresh.get(key)?.reading.kind === "complete") cycle.fresh.delete(key);
      }
      return await readWhole();
    },
    async readAgain() {
      const { groups } = await readGroups(mappings, breakers.okta, cycle, cycle.fresh);
      rememberGroups(known, groups);
      const [again] = fold(mappings, known, { ...cycle, fresh: new Map(groups) });
      return again ?? team;
    },
  });
  rememberTeam(team, teamReports, result, known);
  if (!(result instanceof Error)) {
    cycle.plans.push(result.plan);
    rememberIdentities(memory, result.plan);
  }
  if (organisation instanceof Error || result instanceof UnreadError) return undefined;
  const error = result instanceof Error ? result : undefined;
  const failure = error ?? teamReports.find(({ gaveUp }) => gaveUp)?.gaveUp;
  if (failure) breakers.grafana.failed(failure);
  else breakers.grafana.succeeded();
  return { key: keyOfTeam(team.name), name: `Grafana team '${team.name}'`, error };
}

/**
 * Brings every team that has a mapping to sync to what its groups say. When Grafana is down, the rest is not asked.
 *
 * @returns the keys of the teams that were not asked.
 */
export async function syncTeams(
  organisation: Organisation | Error,
  reports: Reports,
  { known, teams }: Scope,
  cycle: Cycle,
): Promise<readonly string[]> {
  const outcomes: Outcome[] = [];
  const unasked: string[] = [];
  const reasonDown = cycle.breakers.grafana.reason;
  const due = fairly(
    [...reports].filter(([, teamReports]) => teamReports.length > 0),
    ([{ name }]) => keyOfTeam(name),
    cycle.memory,
  );
  const peek = readAhead(due, MOST_AHEAD, async ([{ name, sources }]) => {
    const reason = reasonDown() ?? (organisation instanceof Error ? organisation : undefined) ??
      (teams instanceof Error ? teams : undefined);
    if (reason || teams instanceof Error || !sources.some(isComplete)) throw reason;
    return await readMembers(name, teams.get(name), cycle);
  });
  for (const [i, [team, teamReports]] of due.entries()) {
    const reading = peek(i);
    cycle.mappings.push(...teamReports);
    const down = reasonDown();
    if (down) unasked.push(keyOfTeam(team.name));
    const outcome = await syncNext(team, () => reading, teamReports, down ?? organisation, known, cycle);
    if (outcome) outcomes.push(outcome);
  }
  noteOutcomes(outcomes, patienceOf(cycle, unasked));
  return unasked;
}
