/** The service's state in a word and a sentence. */
import type { MappingReport } from "../sync/tell/report.ts";
import { mappingName, serviceName } from "./names.ts";

/**
 * The state of the service. All are alive but `unhealthy`, which is stuck: `degraded` needs somebody to look, and
 * while it is `failing` no mapping is synced.
 */
export type HealthWord = "healthy" | "degraded" | "failing" | "unhealthy";

/** The state, and why it is so. */
export interface Verdict {
  readonly status: HealthWord;
  /** One sentence. */
  readonly message: string;
}

/** What the state follows from. Times are milliseconds of the monotonic clock. */
export interface Facts {
  readonly now: number;
  /** An answer, a wait that was announced, the end of a cycle, or at first the start. */
  readonly progressAt: number;
  /** The last cycle's end; at first the start. */
  readonly cycleEndedAt: number;
  readonly hasCycle: boolean;
  readonly intervalSeconds: number;
  readonly dryRun: boolean;
  /** How many mappings there are. */
  readonly mappings: number;
  /** Their last reports. */
  readonly reports: readonly MappingReport[];
  /** The last cycle was aborted. */
  readonly isAborted: boolean;
  /** What keeps a credential from being renewed. */
  readonly credentialProblem: string | undefined;
  /** What keeps the log, which is the audit, from being written. */
  readonly logProblem: string | undefined;
  /** Which clock is off. */
  readonly clockProblem: string | undefined;
  /** Until when requests wait for the rate limit of a service. */
  readonly wait: { readonly service: string; readonly until: number } | undefined;
}

/** Without progress for this many intervals, and at least {@linkcode LEAST_MS}, the service counts as stuck. */
const STUCK_INTERVALS = 3;
/** Without the end of a cycle for this many intervals, and at least {@linkcode LEAST_MS}, a cycle is overdue. */
const OVERDUE_INTERVALS = 2;
const LEAST_MS = 10 * 60_000;

/** A cycle that takes more than this share of the interval is slow: cycles will soon be skipped. */
export const SLOW_SHARE = 0.8;

/** The last error that concerns no single person; what concerns one is not for every eye. */
export function generalError({ errors }: MappingReport): string | undefined {
  return errors.findLast(({ user }) => user === undefined)?.message;
}

/** The whole minutes since `at`, if it is this many intervals ago. */
function minutesSince(at: number, intervals: number, { now, intervalSeconds }: Facts): number | undefined {
  const ms = now - at;
  return ms < Math.max(LEAST_MS, intervals * intervalSeconds * 1_000) ? undefined : Math.floor(ms / 60_000);
}

function describeWait({ wait, now }: Facts): string | undefined {
  if (!wait || wait.until <= now) return undefined;
  const seconds = Math.ceil((wait.until - now) / 1_000);
  return `it waits ${seconds} s for the rate limit of ${serviceName(wait.service)}`;
}

/** Something went wrong in the last sync. */
const hasFailed = ({ errors }: MappingReport) => errors.length > 0;

/** Removals are on hold, and somebody has to say whether they are intended. */
const isUndecided = ({ errors, onHold, holdReason }: MappingReport) =>
  errors.length === 0 && onHold > 0 && holdReason !== "incomplete-read";

/** Removals are on hold until the groups of the team can be read. */
const isUnproven = ({ errors, holdReason }: MappingReport) =>
  errors.length === 0 && holdReason === "incomplete-read";

/** Up to three of them by name. */
function nameSome(reports: readonly MappingReport[]): string {
  const more = reports.length > 3 ? ", …" : "";
  return `(${reports.slice(0, 3).map(({ mapping }) => mappingName(mapping)).join(", ")}${more})`;
}

/** Whether not one mapping was synced. Where only changes of some people failed, it was. */
function isDown({ reports, mappings }: Facts): boolean {
  const failed = reports.filter((report) => generalError(report) !== undefined || report.gaveUp);
  return mappings > 0 && failed.length === mappings;
}

/** What is true of some mappings, each kind by itself; the first one says how many there are. */
function describeMappings({ reports, mappings }: Facts): string | undefined {
  const kinds = [
    [reports.filter(hasFailed), "failed in their last sync", "failed in its last sync"],
    [reports.filter(isUndecided), "waiting for your decision", "is waiting for your decision"],
    [
      reports.filter(isUnproven),
      "on hold until their groups can be read",
      "is on hold until its groups can be read",
    ],
  ] as const;
  const some = kinds.filter(([{ length }]) => length > 0);
  if (some.length === 0) return undefined;
  const parts = some.map(([found, what, whatOfOne], i) => {
    const amount = `${found.length}${i === 0 ? ` of ${mappings} mappings` : ""}`;
    return `${mappings === 1 ? `the only mapping ${whatOfOne}` : `${amount} ${what}`} ${nameSome(found)}`;
  });
  return `${parts.join(", ")}: see the log`;
}

/** Why nothing is synced, if it is the same for every mapping. */
function describeDown({ reports, mappings }: Facts): string {
  const [reason, ...others] = new Set(reports.map(generalError));
  const why = reason && others.length === 0 ? `: ${reason}` : ` ${nameSome(reports)}: see the log`;
  const which = mappings === 1
    ? "the only mapping failed in its last sync"
    : `${mappings} of ${mappings} mappings failed in their last sync`;
  return `nothing is synced, ${which}${why}`;
}

/** What is wrong though it is alive. */
function findProblem(facts: Facts): string | undefined {
  if (facts.credentialProblem) return facts.credentialProblem;
  if (facts.isAborted) return "the last cycle was aborted: see the log";
  const minutes = minutesSince(facts.cycleEndedAt, OVERDUE_INTERVALS, facts);
  if (minutes !== undefined) {
    return `no cycle has ended for ${minutes} minutes: ${describeWait(facts) ?? "see the log"}`;
  }
  return isDown(facts)
    ? describeDown(facts)
    : facts.logProblem ?? describeMappings(facts) ?? facts.clockProblem;
}

/** Judges by the facts; what is worse is said first. */
export function judge(facts: Facts): Verdict {
  const minutes = minutesSince(facts.progressAt, STUCK_INTERVALS, facts);
  if (minutes !== undefined) {
    const message = `no progress for ${minutes} minutes: restart gots and check its log`;
    return { status: "unhealthy", message };
  }
  const problem = findProblem(facts);
  if (problem) return { status: isDown(facts) ? "failing" : "degraded", message: problem };
  const wait = describeWait(facts);
  const message = !facts.hasCycle
    ? "the first cycle has not ended yet"
    : facts.dryRun
    ? "dry run: nothing is written"
    : "all teams are in sync";
  return { status: "healthy", message: wait ? `${message}; ${wait}` : message };
}
