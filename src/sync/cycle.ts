/** One cycle: read the groups, fold them, and for each team compare, guard, apply, report. */
import type { Config, Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import {
  type DesiredMember,
  type DesiredTeam,
  foldDesired,
  type GroupReading,
  type GroupReadings,
} from "./desired.ts";
import type { GuardedPlan } from "./guard.ts";
import { type JoinMemory, joinOrganisation } from "./join.ts";
import { createOrganisation, type Organisation } from "./plan.ts";
import type { CycleReport, MappingReport } from "./report.ts";
import { syncTeam } from "./team.ts";

/** What is kept from one cycle to the next. Losing it does no harm. */
export interface CycleMemory {
  /** How many cycles have begun. */
  cycles: number;
  readonly join: JoinMemory;
  /** By team, the pending users who were last told of. */
  readonly toldPending: Map<string, string>;
}

/** What a cycle needs. */
export interface CycleOptions {
  readonly config: Pick<Config, "okta" | "sync">;
  readonly okta: OktaClient;
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly memory: CycleMemory;
  /** Writes nothing. @default {config.sync.dry_run} */
  readonly dryRun?: boolean;
  /** Told while reading, for somebody who watches. */
  readonly onReading?: (what: string, count: number) => void;
  /** Told when a mapping has been brought to an end. */
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

/** A memory for a process that begins. */
export function createCycleMemory(): CycleMemory {
  return {
    cycles: 0,
    join: { attempts: new Map(), unverified: new Map(), failures: new Map() },
    toldPending: new Map(),
  };
}

/** After such an error no other group or team could be read either. */
function isHopeless(error: unknown): boolean {
  return isRequestError(error, "unauthorized", "unreachable", "certificate", "interrupted");
}

async function readGroups(mappings: readonly Mapping[], options: CycleOptions): Promise<GroupReadings> {
  const { okta, now, onReading } = options;
  const readings = new Map<string, GroupReading>();
  let hopeless: unknown;
  for (const name of new Set(mappings.map((mapping) => mapping.okta_group))) {
    const startedAt = now();
    const seconds = () => (now() - startedAt) / 1_000;
    if (hopeless) {
      readings.set(name, { kind: "failed", error: hopeless, seconds: 0 });
      continue;
    }
    try {
      onReading?.(`Okta group ${name}`, 0);
      const group = await okta.findGroup(name);
      const users = await okta.listMembers(group.id, (count) => onReading?.(`Okta group ${name}`, count));
      readings.set(name, { kind: "complete", users, seconds: seconds() });
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      if (isHopeless(error)) hopeless = error;
      readings.set(name, { kind: "failed", error, seconds: seconds() });
    }
  }
  return readings;
}

async function readOrganisation({ grafana, onReading }: CycleOptions): Promise<Organisation | Error> {
  return await grafana.listOrgUsers((count) => onReading?.("Grafana users", count))
    .then(createOrganisation).catch(unreadable);
}

function unreadable(error: unknown): Error {
  if (isRequestError(error, "interrupted")) throw error;
  return new Error(`the users of Grafana could not be read: ${errorMessage(error)}`, { cause: error });
}

/** A report for each mapping of a team, before anything was done. */
function emptyReports(team: DesiredTeam): MappingReport[] {
  return team.sources.map(({ mapping, reading, members }) => ({
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

/**
 * Runs one cycle. It does not throw for what Okta or Grafana do: every failure is in the report, on the
 * mappings that it concerns, and the others go on.
 */
export async function runCycle(options: CycleOptions): Promise<CycleReport> {
  const { config, now, memory } = options;
  const dryRun = options.dryRun ?? config.sync.dry_run;
  const cycle = ++memory.cycles;
  const log = options.log.with({ cycle });
  const startedAt = now();
  const mappings: MappingReport[] = [];
  const plans: GuardedPlan[] = [];
  const end = (interrupted: boolean): CycleReport => ({
    cycle,
    dryRun,
    startedAt,
    endedAt: now(),
    interrupted,
    mappings,
    plans,
  });

  try {
    let organisation = await readOrganisation(options);
    const readings = await readGroups(config.sync.mappings, options);
    const teams = foldDesired(config.sync.mappings, readings, config.okta.member_statuses);
    const reports = new Map(teams.map((team) => [team, emptyReports(team)]));
    const onJoinError = ({ mapping, user }: DesiredMember, message: string, again = false) => {
      const error = { message, user: user.profile.email ?? user.profile.login };
      [...reports.values()].flat().find((report) => report.mapping === mapping)?.errors.push(error);
      if (!again) log.error("{error}", { okta_group: mapping.okta_group, user: error.user, error: message });
    };
    if (!dryRun && !(organisation instanceof Error)) {
      const members = teams.flatMap((team) => team.members);
      const joining = { ...options, log, memory: memory.join, onError: onJoinError };
      organisation = await joinOrganisation(members, organisation, joining).catch(unreadable);
    }
    for (const team of teams) {
      const teamReports = reports.get(team) ?? [];
      mappings.push(...teamReports);
      const plan = await syncTeam(team, organisation, teamReports, { ...options, log, dryRun });
      if (!(plan instanceof Error)) plans.push(plan);
      else if (isHopeless(plan)) organisation = plan;
    }
    return end(false);
  } catch (error) {
    if (isRequestError(error, "interrupted")) return end(true);
    throw error;
  }
}
