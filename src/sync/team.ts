/** The sync of one team: reads, decides, carries out, and decides anew where that has taken too long. */
import type { Mapping } from "../config/schema.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import { BulkError } from "./bulk.ts";
import { carryOut, type TeamOptions } from "./carry_out.ts";
import { decide, OutdatedError, prove, readMembers } from "./decide.ts";
import type { DesiredTeam, GroupReading } from "./desired.ts";
import { failMapping } from "./failures.ts";
import type { GuardedPlan } from "./guard.ts";
import type { Organisation } from "./plan.ts";
import type { MappingReport } from "./report.ts";
import { tellKept, tellPending, tellWithheld } from "./tell.ts";

/** A team is decided anew so often in a cycle; */
const MOST_ROUNDS = 20;

/** and so often in a row although nothing could be written meanwhile. */
const MOST_IDLE_ROUNDS = 2;

/** No group of a team could be read, so that nothing was done with it. */
export class UnreadError extends Error {
  readonly sources: DesiredTeam["sources"];

  constructor({ sources }: DesiredTeam) {
    super("none of the team's groups could be read");
    this.sources = sources;
    this.name = "UnreadError";
  }
}

/** What was, or would be, done with a team, and how Grafana is to show it from now on. */
export interface SyncedTeam {
  readonly plan: GuardedPlan;
  /** `undefined` if there is none, which only a dry run leaves so. */
  readonly id: number | undefined;
  /** As Grafana counts. */
  readonly memberCount: number;
  /** As Grafana shows. */
  readonly size: number;
}

/** What the reports count as done: additions and removals. */
function countDone(reports: readonly MappingReport[]): { added: number; removed: number } {
  const sum = (key: "added" | "removed") => reports.reduce((all, report) => all + report[key], 0);
  return { added: sum("added"), removed: sum("removed") };
}

/** Decides once what is to be done with a team, and carries it out. */
async function syncOnce(
  known: DesiredTeam,
  organisation: Organisation,
  reports: readonly MappingReport[],
  options: TeamOptions,
): Promise<SyncedTeam> {
  const { limited } = options;
  const onUnread = (mapping: Mapping, reading: GroupReading) => {
    const report = reports.find((one) => one.mapping === mapping);
    if (report && reading.kind === "failed") failMapping(mapping, report, reading.error, options.failures);
  };
  const requireRead = (team: DesiredTeam) => {
    if (team.sources.every(({ reading }) => reading.kind === "failed")) throw new UnreadError(team);
  };
  requireRead(known);
  const deciding = { ...options, wasLimited: limited.has(known.name), onUnread };
  const desired = await prove(known, organisation, deciding);
  requireRead(desired);
  const before = countDone(reports);
  const decision = await decide(desired, organisation, deciding);
  const { plan, countBefore } = decision;
  if (plan.withheld?.reason === "removal-limit") limited.add(desired.name);
  else if (!plan.withheld) limited.delete(desired.name);
  const id = await carryOut(decision, desired, reports, organisation.hidden, options);
  const { added, removed } = countDone(reports);
  const difference = added - before.added - (removed - before.removed);
  return { plan, id, memberCount: countBefore + difference, size: plan.size + difference };
}

/** Whether a team is to be decided anew after this. */
function isPassing(error: unknown): boolean {
  return isRequestError(error, "postponed") || error instanceof OutdatedError || error instanceof BulkError;
}

/** Does it again, with fresh readings, while what was decided is too old, or nobody knows what came of it. */
async function syncRounds(
  known: DesiredTeam,
  organisation: Organisation,
  reports: readonly MappingReport[],
  options: TeamOptions,
): Promise<SyncedTeam> {
  const { grafana, log, failures, readAnew } = options;
  const { name } = known;
  const errors = reports.map((report) => report.errors.length);
  const failed = failures.length;
  let [round, idle, desired, current] = [1, 0, known, options];
  for (;;) {
    const before = countDone(reports);
    try {
      return await syncOnce(desired, organisation, reports, current);
    } catch (error) {
      const { added, removed } = countDone(reports);
      idle = added + removed > before.added + before.removed ? 0 : idle + 1;
      if (!isPassing(error) || ++round > MOST_ROUNDS || idle > MOST_IDLE_ROUNDS) throw error;
      const level = error instanceof OutdatedError ? "info" : "warning";
      log[level]("Team {grafana_team}: {_error}; it is compared anew", {
        grafana_team: name,
        _error: errorMessage(error),
      });
      if (error instanceof BulkError) current = { ...current, bulk: { isUnsupported: true } };
    }
    failures.length = failed;
    for (const [i, report] of reports.entries()) {
      report.errors.length = errors[i] ?? 0;
      report.gaveUp = undefined;
    }
    // Grafana first: if it asked to wait, reading waits.
    const team = await readMembers(name, await grafana.findTeam(name), options);
    current = { ...current, peek: () => Promise.resolve(team) };
    desired = await readAnew(desired);
  }
}

/**
 * Brings one team to what its groups say and fills `reports`, one for each of its mappings; a mapping
 * without a report is passed over.
 *
 * @returns what was, or would be, done; or why the team could not be compared.
 * @throws {RequestError} of the kind `interrupted` on shutdown; nothing else.
 */
export async function syncTeam(
  desired: DesiredTeam,
  organisation: Organisation | Error,
  reports: readonly MappingReport[],
  options: TeamOptions,
): Promise<SyncedTeam | Error> {
  const { failures, now, dryRun, onMapping } = options;
  const endAll = (teamMembers?: number) => {
    for (const report of reports) {
      report.teamMembers = teamMembers;
      report.endedAt = now();
      onMapping?.(report, dryRun);
    }
  };
  try {
    if (organisation instanceof Error) throw organisation;
    const synced = await syncRounds(desired, organisation, reports, options);
    tellPending(synced.plan, options);
    tellKept(synced.plan, options);
    tellWithheld(synced.plan, options);
    endAll(synced.size);
    return synced;
  } catch (thrown) {
    if (isRequestError(thrown, "interrupted")) throw thrown;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { sources } = error instanceof UnreadError ? error : desired;
    for (const report of reports) {
      const reading = sources.find(({ mapping }) => mapping === report.mapping)?.reading;
      failMapping(report.mapping, report, reading?.kind === "failed" ? reading.error : error, failures);
    }
    endAll();
    return error;
  }
}
