/** One cycle: read the groups, fold them, and for each team compare, guard, apply, report. */
import type { Config, Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import { type DesiredTeam, foldDesired, type GroupReadings, keyOfGroup, type Source } from "./desired.ts";
import { createBreaker, outcomesOf, readGroups } from "./groups.ts";
import type { GuardedPlan } from "./guard.ts";
import { createJoinMemory, joinOrganisation } from "./join.ts";
import type { JoinMemory } from "./joining.ts";
import { isDue, noteOutcomes, type Outcome, type PatienceMemory } from "./patience.ts";
import { createOrganisation, type Organisation } from "./plan.ts";
import type { CycleReport, MappingReport, SyncError } from "./report.ts";
import { syncTeam } from "./team.ts";
import type { ToldMemory } from "./tell.ts";

/** What is kept from one cycle to the next. Losing it does no harm. */
export interface CycleMemory {
  /** How many cycles have begun. */
  cycles: number;
  readonly join: JoinMemory;
  readonly told: ToldMemory;
  readonly patience: PatienceMemory;
  /** Which Grafana user each Okta user was when their addresses were last equal. */
  readonly identities: Map<string, number>;
  /** The last cycle in which each Okta user was in a group. */
  readonly lastSeen: Map<string, number>;
}

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

/** A memory for a process that begins. */
export function createCycleMemory(): CycleMemory {
  return {
    cycles: 0,
    join: createJoinMemory(),
    told: new Map(),
    patience: new Map(),
    identities: new Map(),
    lastSeen: new Map(),
  };
}

const keyOfTeam = (team: string) => `team ${team}`;

/** The mappings that are to be synced now. What keeps failing is passed over for some cycles. */
function dueMappings({ config, memory }: CycleOptions): Mapping[] {
  return config.sync.mappings.filter((mapping) =>
    [keyOfGroup(mapping), keyOfTeam(mapping.grafana_team)].every((key) =>
      isDue(memory.patience, key, memory.cycles)
    )
  );
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

/** Whoever was in no group for so many cycles is forgotten: memory must not grow, and one reading may be wrong. */
const FORGET_AFTER_CYCLES = 100;

function forgetLeavers(
  { cycles, lastSeen, identities, join }: CycleMemory,
  teams: readonly DesiredTeam[],
): void {
  for (const { members } of teams) for (const { user } of members) lastSeen.set(user.id, cycles);
  for (const [id, cycle] of lastSeen) {
    if (cycles - cycle < FORGET_AFTER_CYCLES) continue;
    const { tryAgainAt, failures, absent, outlook } = join;
    for (const memory of [lastSeen, identities, tryAgainAt, failures, absent, outlook]) memory.delete(id);
  }
}

/** A cycle under way: what it was asked for, and what it has done so far. */
interface Cycle extends CycleOptions {
  readonly number: number;
  readonly dryRun: boolean;
  readonly mappings: MappingReport[];
  readonly plans: GuardedPlan[];
}

/** The reports of each team's mappings. */
type Reports = ReadonlyMap<DesiredTeam, readonly MappingReport[]>;

function fold(mappings: readonly Mapping[], readings: GroupReadings, { config }: Cycle): DesiredTeam[] {
  return foldDesired(mappings, readings, config.okta.member_statuses);
}

function patienceOf({ memory, number, config, log }: Cycle) {
  const intervalSeconds = config.sync.interval_seconds;
  return { memory: memory.patience, cycle: number, intervalSeconds, log };
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

/** Brings every team that has a mapping to sync to what its groups say. When Grafana is down, the rest is not asked. */
async function syncTeams(organisation: Organisation | Error, reports: Reports, cycle: Cycle): Promise<void> {
  const { config, memory } = cycle;
  const breaker = createBreaker();
  const outcomes: Outcome[] = [];
  let known = organisation;
  for (const [team, teamReports] of reports) {
    if (teamReports.length === 0) continue;
    cycle.mappings.push(...teamReports);
    const plan = await syncTeam(team, known, teamReports, {
      ...cycle,
      told: memory.told,
      outlook: memory.join.outlook,
      missing_users: config.grafana.missing_users,
      keeping: { ...config.sync, identities: memory.identities },
      allowRemovals: cycle.allowRemovals?.has(team.name) ?? false,
      async readAgain({ sources }) {
        const mappings = sources.map(({ mapping }) => mapping);
        const [again] = fold(mappings, await readGroups(mappings, cycle), cycle);
        return again ?? team;
      },
    });
    const isOwn = !(known instanceof Error) && team.sources.some(isComplete);
    const error = plan instanceof Error ? plan : undefined;
    if (isOwn) outcomes.push({ key: keyOfTeam(team.name), name: `Grafana team '${team.name}'`, error });
    if (plan instanceof Error) {
      if (isOwn && breaker.isHopeless(plan)) known = plan;
      continue;
    }
    breaker.succeeded();
    cycle.plans.push(plan);
    for (const [oktaId, userId] of plan.identities) memory.identities.set(oktaId, userId);
  }
  noteOutcomes(outcomes, patienceOf(cycle));
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
  };
  const startedAt = now();
  let interrupted = false;
  try {
    const due = dueMappings(cycle);
    const organisation = await readOrganisation(cycle);
    const readings = await readGroups(due, cycle);
    noteOutcomes(outcomesOf(due, readings), patienceOf(cycle));
    const all = config.sync.mappings;
    const teams = fold(all, new Map([...passedOver(all), ...readings]), cycle);
    const reports = new Map(teams.map((team) => [team, emptyReports(team, new Set(due))]));
    await syncTeams(await joinMembers(organisation, reports, cycle), reports, cycle);
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
