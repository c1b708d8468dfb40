/** What `/health` and `/ready` say of the service's state. */
import type { HoldReason } from "../sync/plan/actions.ts";
import type { MappingReport } from "../sync/tell/report.ts";
import { version } from "../version.ts";
import { clocksOf } from "./api.ts";
import { describeClocks } from "./clocks.ts";
import type { Moment } from "./happening.ts";
import { type Facts, generalError, judge, type Verdict } from "./judge.ts";
import { mappingName } from "./names.ts";
import type { ServiceState } from "./state.ts";

/** What the status of one mapping says, in GOTS's names and some more. */
export interface MappingHealth {
  readonly status: "waiting" | "completed" | "on_hold" | "failed";
  readonly completed_at?: string;
  readonly duration_seconds?: number;
  readonly users_added?: number;
  readonly users_removed?: number;
  readonly users_pending?: number;
  readonly removals_on_hold?: number;
  readonly hold_reason?: HoldReason;
  readonly errors?: number;
  /** The last error that concerns no single person; those are in the log. */
  readonly last_error?: string;
}

/** The body of `/health`. */
export interface Health extends Verdict {
  readonly version: string;
  readonly timestamp: string;
  readonly uptime_seconds: number;
  readonly dry_run: boolean;
  readonly last_cycle:
    | { readonly cycle: number; readonly started_at: string; readonly ended_at: string }
    | null;
  readonly next_cycle_at: string | null;
  /** By `group->team`. */
  readonly sync_status: Readonly<Record<string, MappingHealth>>;
}

const time = (at: number) => new Date(at).toISOString();

function mappingHealth(report: MappingReport): MappingHealth {
  const { errors } = report;
  return {
    status: errors.length > 0 ? "failed" : report.onHold > 0 ? "on_hold" : "completed",
    completed_at: time(report.endedAt),
    duration_seconds: report.durationSeconds,
    users_added: report.added,
    users_removed: report.removed,
    users_pending: report.pending,
    removals_on_hold: report.onHold,
    ...(report.holdReason ? { hold_reason: report.holdReason } : {}),
    errors: errors.length,
    ...(errors.length > 0
      ? { last_error: generalError(report) ?? "changes of some users failed; the log names them" }
      : {}),
  };
}

/** The service for whose rate limit requests wait longest. */
function longestWait({ apis }: ServiceState): Facts["wait"] {
  const waits = [...apis].flatMap(([service, { waitUntil }]) =>
    waitUntil === undefined ? [] : [{ service, until: waitUntil }]
  );
  return waits.sort((a, b) => b.until - a.until)[0];
}

/** What keeps the log from being written. */
function logProblem({ log: { isLosing, lostAuditLines: lost } }: ServiceState): string | undefined {
  if (!isLosing) return undefined;
  const lines = lost === 1 ? "1 line of the audit is" : `${lost} lines of the audit are`;
  return `the log cannot be written to standard error, and ${lines} lost: free space on its disk`;
}

function factsOf(state: ServiceState, now: Moment): Facts {
  return {
    ...state.settings,
    now: now.monotonic,
    progressAt: state.progressAt,
    cycleEndedAt: state.cycleEndedAt,
    hasCycle: state.lastCycle !== undefined,
    mappings: state.mappings.all.length,
    reports: state.mappings.all.flatMap(({ report }) => report ?? []),
    isAborted: state.isAborted,
    credentialProblem: state.credentialProblem,
    clockProblem: describeClocks(clocksOf(state.apis)),
    logProblem: logProblem(state),
    wait: longestWait(state),
  };
}

/** Whether the first cycle has ended. */
export function isReady({ lastCycle }: ServiceState): boolean {
  return lastCycle !== undefined;
}

/** What `/health` says now of the service as a whole. */
export function summaryOf(state: ServiceState, now: Moment): Omit<Health, "sync_status"> {
  const { lastCycle, nextCycleAt, startedAt, settings } = state;
  return {
    ...judge(factsOf(state, now)),
    version,
    timestamp: time(now.at),
    uptime_seconds: Math.round((now.monotonic - startedAt.monotonic) / 1_000),
    dry_run: settings.dryRun,
    last_cycle: lastCycle
      ? { cycle: lastCycle.cycle, started_at: time(lastCycle.startedAt), ended_at: time(lastCycle.endedAt) }
      : null,
    next_cycle_at: nextCycleAt === undefined ? null : time(now.at + nextCycleAt - now.monotonic),
  };
}

/** What `/health` says now. */
export function healthOf(state: ServiceState, now: Moment): Health {
  return {
    ...summaryOf(state, now),
    sync_status: Object.fromEntries(
      state.mappings.all.map(({ mapping, report }) => [
        mappingName(mapping),
        report ? mappingHealth(report) : { status: "waiting" },
      ]),
    ),
  };
}
