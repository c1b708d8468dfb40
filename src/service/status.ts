/** What `/health` and `/ready` say: kept up to date by the service, read by the HTTP server. */
import type { Mapping } from "../config/schema.ts";
import type { HoldReason } from "../sync/plan/actions.ts";
import { keyOfMapping } from "../sync/plan/desired.ts";
import { type CycleReport, type MappingReport } from "../sync/tell/report.ts";
import { version } from "../version.ts";
import { type Facts, generalError, judge, nameOf, type Verdict } from "./judge.ts";

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

/** Follows the service. */
export interface Status {
  /** An answer was received, a wait announced, or a cycle ended. */
  progress(): void;
  mappingEnded(report: MappingReport): void;
  cycleEnded(report: CycleReport): void;
  /** A cycle ended before its time by an error of our own. */
  cycleBroke(): void;
  /** What keeps a credential from being renewed; `undefined` once it was. */
  credential(problem: string | undefined): void;
  /** Which clock is off; `undefined` once none is. */
  clock(problem: string | undefined): void;
  /**
   * Requests to a service wait for its rate limit, from now on for so many seconds. Those that wait side by side wait
   * once.
   *
   * @returns by how many seconds they wait longer than was known.
   */
  wait(service: string, seconds: number): number;
  /** By the monotonic clock, in milliseconds. */
  nextCycleAt(at: number): void;
  /** Whether the first cycle has ended. */
  isReady(): boolean;
  health(): Health;
}

/** How the status is made. */
export interface StatusOptions {
  readonly mappings: readonly Mapping[];
  readonly intervalSeconds: number;
  readonly dryRun: boolean;
  /** What keeps the log from being written. @default {nothing} */
  readonly logProblem?: (() => string | undefined) | undefined;
  /** Epoch milliseconds; only shown. */
  readonly now: () => number;
  /** Milliseconds that no setting of the clock moves: what the state follows from. */
  readonly monotonic: () => number;
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

/** The service for which requests wait longest. */
function longest(waits: ReadonlyMap<string, number>): Facts["wait"] {
  const [first] = [...waits].sort(([, a], [, b]) => b - a);
  return first && { service: first[0], until: first[1] };
}

/** Makes the status of a service that begins now. */
export function createStatus(
  { mappings, intervalSeconds, dryRun, now, monotonic, logProblem }: StatusOptions,
): Status {
  const startedAt = monotonic();
  const reports = new Map<string, MappingReport>();
  let progressAt = startedAt;
  let lastCycle: CycleReport | undefined;
  let cycleEndedAt = startedAt;
  let nextAt: number | undefined;
  let isBroken = false;
  let credentialProblem: string | undefined;
  let clockProblem: string | undefined;
  /** Until when requests wait, by service. */
  const waits = new Map<string, number>();

  return {
    progress() {
      progressAt = monotonic();
    },
    mappingEnded(report) {
      reports.set(keyOfMapping(report.mapping), report);
    },
    cycleEnded(report) {
      progressAt = cycleEndedAt = monotonic();
      waits.clear();
      lastCycle = report;
      isBroken = false;
    },
    cycleBroke() {
      isBroken = true;
      waits.clear();
    },
    credential(problem) {
      credentialProblem = problem;
    },
    clock(problem) {
      clockProblem = problem;
    },
    wait(service, seconds) {
      const before = Math.max(waits.get(service) ?? -Infinity, monotonic());
      const until = Math.max(before, monotonic() + seconds * 1_000);
      waits.set(service, until);
      return (until - before) / 1_000;
    },
    nextCycleAt(at) {
      nextAt = at;
    },
    isReady: () => lastCycle !== undefined,
    health: () => ({
      ...judge({
        now: monotonic(),
        progressAt,
        cycleEndedAt,
        hasCycle: lastCycle !== undefined,
        intervalSeconds,
        dryRun,
        mappings: mappings.length,
        reports: [...reports.values()],
        isBroken,
        credentialProblem,
        clockProblem,
        logProblem: logProblem?.(),
        wait: longest(waits),
      }),
      version,
      timestamp: time(now()),
      uptime_seconds: Math.round((monotonic() - startedAt) / 1_000),
      dry_run: dryRun,
      last_cycle: lastCycle
        ? { cycle: lastCycle.cycle, started_at: time(lastCycle.startedAt), ended_at: time(lastCycle.endedAt) }
        : null,
      next_cycle_at: nextAt === undefined ? null : time(now() + nextAt - monotonic()),
      sync_status: Object.fromEntries(mappings.map((mapping) => {
        const report = reports.get(keyOfMapping(mapping));
        return [nameOf(mapping), report ? mappingHealth(report) : { status: "waiting" }];
      })),
    }),
  };
}
