/** One cycle: read the groups, fold them, and for each team compare, guard, apply, report. */
import type { Config, Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import { type DesiredTeam, foldDesired, type GroupReadings, keyOfGroup, type Source } from "./desired.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { outcomesOf, readGroups } from "./groups.ts";
import type { GuardedPlan } from "./guard.ts";
import { joinOrganisation } from "./join.ts";
import { type CycleMemory, fairly, forgetLeavers, noteUnasked, rememberIdentities } from "./memory.ts";
import { isDue, noteOutcomes, type Outcome } from "./patience.ts";
import { createOrganisation, type Organisation } from "./plan.ts";
import type { CycleReport, MappingReport, SyncError } from "./report.ts";
import { syncTeam } from "./team.ts";

/** What a cycle needs. */
export interface CycleOptions {
  readonly config: Pick<Config, "okta" | "grafana" | "sync">;
  readonly okta: OktaClient;
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly memory: CycleMemory;
  /** Writes nothing. @default {config.sync.dry_run} */
  readonly dryRun?: boolean;
  /** Teams for which the removal limit does not count in this cycle. */
  readonly allowRemovals?: ReadonlySet<string>;
  /** Told while reading, for somebody who watches. */
  readonly onReading?: (what: string, count: number) => void;
  /** Told when a mapping has been brought to an end. */
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

const keyOfTeam = (team: string) => `team ${team}`;

/** The mappings that are to be synced now. What keeps failing is passed over for some cycles. */
function dueMappings({ config, memory }: CycleOptions): Mapping[] {
  const due = config.sync.mappings.filter((mapping) =>
    [keyOfGroup(mapping), keyOfTeam(mapping.grafana_team)].every((key) =>
      isDue(memory.patience, key, memory.cycles)
    )
  );
  return fairly(due, keyOfGroup, memory);
}

/** A group that is passed over proves nothing. */
function passedOver(mappings: readonly Mapping[]): GroupReadings {
  const error = new Error("it kept failing, and is passed over in this cycle");
  return new Map(mappings.map((mapping) => [keyOfGroup(mapping), { kind: "failed", error, seconds: 0 }]));
}

function isComplete({ reading }: Source): boolean {
  return reading.kind === "complete";
}

async function readOrganisation({ grafana, onReading }: CycleOptions): Promise<Organisation | Error> {
  return await grafana.listOrgUsers((count) => onReading?.("Grafana users", count))
    .then(createOrganisation).catch(unreadable);
}

function unreadable(error: unknown): Error {
  if (isRequestError(error, "interrupted")) throw error;
  return new Error(`the users of Grafana could not be read: ${errorMessage(error)}`, { cause: error });
}

/** A report for each mapping that is due, before anything was done. */
function emptyReports(team: DesiredTeam, due: ReadonlySet<Mapping>): MappingReport[] {
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

/** A cycle under way: what it was asked for, and what it has done so far. */
interface Cycle extends CycleOptions {
  readonly number: number;
  readonly dryRun: boolean;
  readonly mappings: MappingReport[];
  readonly plans: GuardedPlan[];
  readonly breakers: { readonly okta: Breaker; readonly grafana: Breaker };
}

/** The reports of each team's mappings. */
type Reports = ReadonlyMap<DesiredTeam, readonly MappingReport[]>;

function fold(mappings: readonly Mapping[], readings: GroupReadings, { config }: Cycle): DesiredTeam[] {
  return foldDesired(mappings, readings, config.okta.member_statuses);
}

function patienceOf({ memory, number, config, log }: Cycle, unasked: readonly string[]) {
  const intervalSeconds = config.sync.interval_seconds;
  return { memory: memory.patience, cycle: number, intervalSeconds, log, gaveUp: unasked.length > 0 };
}

/** Brings members who are not in the organisation into it, as `grafana.missing_users` says. */
async function joinMembers(
  organisation: Organisation | Error,
  reports: Reports,
  cycle: Cycle,
): Promise<Organisation | Error> {
  if (organisation instanceof Error) return organisation;
  const { config, log, memory } = cycle;
  const report = (mapping: Mapping, error: SyncError, again: boolean) => {
    [...reports.values()].flat().find((one) => one.mapping === mapping)?.errors.push(error);
    const { okta_group, grafana_team } = mapping;
    const user = error.user === undefined ? {} : { user: error.user };
    if (!again) log.error("{error}", { okta_group, grafana_team, ...user, error: error.message });
  };
  const members = [...reports.keys()].flatMap((team) => team.members);
  return await joinOrganisation(members, organisation, {
    ...cycle,
    settings: config.grafana,
    memory: memory.join,
    identities: memory.identities,
    onError: ({ mapping, user: { profile } }, message, again = false) =>
      report(mapping, { message, user: profile.email ?? profile.login }, again),
    onMappingError: (mapping, message, again) => report(mapping, { message }, again),
  }).catch(unreadable);
}

/** Syncs one team, and lets the breaker know how Grafana did. */
async function syncNext(
  team: DesiredTeam,
  teamReports: readonly MappingReport[],
  organisation: Organisation | Error,
  cycle: Cycle,
): Promise<Outcome | undefined> {
  const { config, memory, breakers } = cycle;
  const plan = await syncTeam(team, organisation, teamReports, {
    ...cycle,
    told: memory.told,
    outlook: memory.join.outlook,
    missing_users: config.grafana.missing_users,
    failing: memory.failing,
    limited: memory.limited,
    keeping: { ...config.sync, identities: memory.identities },
    allowRemovals: cycle.allowRemovals?.has(team.name) ?? false,
    async readAgain({ sources }) {
      const mappings = sources.map(({ mapping }) => mapping);
      const [again] = fold(mappings, await readGroups(mappings, breakers.okta, cycle), cycle);
      return again ?? team;
    },
  });
  if (!(plan instanceof Error)) {
    cycle.plans.push(plan);
    rememberIdentities(memory, plan);
  }
  if (organisation instanceof Error || !team.sources.some(isComplete)) return undefined;
  const error = plan instanceof Error ? plan : undefined;
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
async function syncTeams(
  organisation: Organisation | Error,
  reports: Reports,
  cycle: Cycle,
): Promise<readonly string[]> {
  const outcomes: Outcome[] = [];
  const unasked: string[] = [];
  const due = [...reports].filter(([, teamReports]) => teamReports.length > 0);
  for (const [team, teamReports] of fairly(due, ([{ name }]) => keyOfTeam(name), cycle.memory)) {
    cycle.mappings.push(...teamReports);
    const down = cycle.breakers.grafana.reason();
    if (down) unasked.push(keyOfTeam(team.name));
    const outcome = await syncNext(team, teamReports, down ?? organisation, cycle);
    if (outcome) outcomes.push(outcome);
  }
  noteOutcomes(outcomes, patienceOf(cycle, unasked));
  return unasked;
}

/**
 * Runs one cycle. It does not throw for what Okta or Grafana do: every failure is in the report, on the
 * mappings that it concerns, and the others go on.
 */
export async function runCycle(options: CycleOptions): Promise<CycleReport> {
  const { config, now, memory } = options;
  const number = ++memory.cycles;
  const dryRun = options.dryRun ?? config.sync.dry_run;
  const [mappings, plans]: [MappingReport[], GuardedPlan[]] = [[], []];
  const cycle: Cycle = {
    ...options,
    number,
    dryRun,
    mappings,
    plans,
    log: options.log.with({ cycle: number }),
    breakers: { okta: createBreaker(), grafana: createBreaker() },
  };
  const startedAt = now();
  let interrupted = false;
  try {
    const due = dueMappings(cycle);
    const organisation = await readOrganisation(cycle);
    const readings = await readGroups(due, cycle.breakers.okta, cycle);
    const unread = [...readings].flatMap(([key, one]) => one.kind === "failed" && one.notAsked ? [key] : []);
    noteOutcomes(outcomesOf(due, readings), patienceOf(cycle, unread));
    const all = config.sync.mappings;
    const teams = fold(all, new Map([...passedOver(all), ...readings]), cycle);
    const reports = new Map(teams.map((team) => [team, emptyReports(team, new Set(due))]));
    const unasked = await syncTeams(await joinMembers(organisation, reports, cycle), reports, cycle);
    noteUnasked(memory, [...unread, ...unasked]);
    forgetLeavers(memory, teams);
  } catch (error) {
    if (!isRequestError(error, "interrupted")) throw error;
    interrupted = true;
  }
  return {
    cycle: number,
    dryRun,
    startedAt,
    endedAt: now(),
    interrupted,
    mappings,
    plans,
    outlook: memory.join.outlook,
  };
}
