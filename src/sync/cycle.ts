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
  type GroupReadings,
  keyOfGroup,
  type Source,
} from "./desired.ts";
import { createBreaker, outcomesOf, readGroups } from "./groups.ts";
import type { GuardedPlan } from "./guard.ts";
import { type JoinMemory, joinOrganisation } from "./join.ts";
import { isDue, noteOutcomes, type Outcome, type PatienceMemory } from "./patience.ts";
import { createOrganisation, type Organisation } from "./plan.ts";
import type { CycleReport, MappingReport } from "./report.ts";
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
    join: { attempts: new Map(), unverified: new Map(), failures: new Map() },
    told: new Map(),
    patience: new Map(),
    identities: new Map(),
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

/** Who is in no group any more is forgotten, so that memory does not grow with everybody who ever was. */
function forgetLeavers({ identities, join }: CycleMemory, teams: readonly DesiredTeam[]): void {
  if (teams.some(({ sources }) => sources.some(({ reading }) => reading.kind === "failed"))) return;
  const present = new Set(teams.flatMap(({ members }) => members.map(({ user }) => user.id)));
  for (const memory of [identities, join.attempts, join.failures]) {
    for (const id of memory.keys()) if (!present.has(id)) memory.delete(id);
  }
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
  const fold = (readings: GroupReadings, of: readonly Mapping[] = config.sync.mappings) =>
    foldDesired(of, readings, config.okta.member_statuses);
  const patience = {
    memory: memory.patience,
    cycle,
    intervalSeconds: config.sync.interval_seconds,
    log,
  };

  try {
    const due = new Set(dueMappings(options));
    let organisation = await readOrganisation(options);
    const readings = await readGroups([...due], options);
    noteOutcomes(outcomesOf(config.sync.mappings, readings), patience);
    const teams = fold(new Map([...passedOver(config.sync.mappings), ...readings]));
    const reports = new Map(teams.map((team) => [team, emptyReports(team, due)]));
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

    const breaker = createBreaker();
    const outcomes: Outcome[] = [];
    for (const team of teams) {
      const teamReports = reports.get(team) ?? [];
      if (teamReports.length === 0) continue;
      mappings.push(...teamReports);
      const isReadable = !(organisation instanceof Error) && team.sources.some(isComplete);
      const plan = await syncTeam(team, organisation, teamReports, {
        ...options,
        log,
        dryRun,
        told: memory.told,
        keeping: { ...config.sync, identities: memory.identities },
        allowRemovals: options.allowRemovals?.has(team.name) ?? false,
        async readAgain({ sources }) {
          const of = sources.map(({ mapping }) => mapping);
          const [again] = fold(await readGroups(of, options), of);
          return again ?? team;
        },
      });
      const error = plan instanceof Error ? plan : undefined;
      if (isReadable) {
        outcomes.push({ key: keyOfTeam(team.name), name: `Grafana team '${team.name}'`, error });
      }
      if (plan instanceof Error) {
        if (isReadable && breaker.isHopeless(plan)) organisation = plan;
        continue;
      }
      breaker.succeeded();
      plans.push(plan);
      for (const [oktaId, userId] of plan.identities) memory.identities.set(oktaId, userId);
    }
    noteOutcomes(outcomes, patience);
    forgetLeavers(memory, teams);
    return end(false);
  } catch (error) {
    if (isRequestError(error, "interrupted")) return end(true);
    throw error;
  }
}
