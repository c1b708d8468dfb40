/** The service's state: one value, and the function that takes it from one happening to the next. */
import type { RateLimit } from "../observability/api_metrics.ts";
import type { AuditLine } from "../observability/audit.ts";
import type { CycleReport } from "../sync/tell/report.ts";
import {
  type Apis,
  type Traffic,
  trafficOf,
  withCycleEnd,
  withExchange,
  withoutWaits,
  withWait,
} from "./api.ts";
import type { Happening, Moment, Settings } from "./happening.ts";
import {
  type KnownMappings,
  type KnownTeams,
  withCycle,
  withMappings,
  withoutSync,
  withPlans,
  withReport,
  withTeamsOf,
} from "./known.ts";

/** A cycle that came to its end. */
export interface EndedCycle extends Pick<CycleReport, "cycle" | "isFull" | "startedAt" | "endedAt"> {
  readonly traffic: readonly Traffic[];
}

/** What was written for one mapping. */
interface Written {
  /** Epoch milliseconds. */
  readonly endedAt: number;
  readonly added: number;
  readonly removed: number;
}

/** Everything that `/health`, `/ready`, the status and the gauges follow from. */
export interface ServiceState {
  readonly startedAt: Moment;
  readonly settings: Settings;
  readonly mappings: KnownMappings;
  readonly teams: KnownTeams;
  readonly apis: Apis;
  /** By service and family. */
  readonly limits: ReadonlyMap<string, RateLimit>;
  readonly lastCycle: EndedCycle | undefined;
  /** The last cycle was aborted. */
  readonly isAborted: boolean;
  /** By the monotonic clock, as the next two; at first the start. */
  readonly cycleEndedAt: number;
  readonly progressAt: number;
  readonly nextCycleAt: number | undefined;
  readonly credentialProblem: string | undefined;
  /** What was written within the hour before the last cycle ended, and since. */
  readonly written: readonly Written[];
  /** The last lines of the audit, the newest last. */
  readonly changes: readonly AuditLine[];
  /** How many lines of the audit are lost, and whether the last line of the log is. */
  readonly log: { readonly lostAuditLines: number; readonly isLosing: boolean };
}

/** So many audit lines are kept. */
const MOST_CHANGES = 200;

const HOUR_MS = 3_600_000;

/** The state of a service that begins now and knows no configuration yet. */
export function beginState(startedAt: Moment): ServiceState {
  return {
    startedAt,
    settings: { intervalSeconds: 0, dryRun: false, showUsers: false },
    mappings: { all: [], places: new Map() },
    teams: new Map(),
    apis: new Map(),
    limits: new Map(),
    lastCycle: undefined,
    isAborted: false,
    cycleEndedAt: startedAt.monotonic,
    progressAt: startedAt.monotonic,
    nextCycleAt: undefined,
    credentialProblem: undefined,
    written: [],
    changes: [],
    log: { lostAuditLines: 0, isLosing: false },
  };
}

/** What was written within the last hour. `at` is epoch milliseconds. */
export function writtenLately({ written }: Pick<ServiceState, "written">, at: number): readonly Written[] {
  return written.filter(({ endedAt }) => at - endedAt < HOUR_MS);
}

type Of<K extends Happening["kind"]> = Extract<Happening, { kind: K }>;

function configured(state: ServiceState, { settings, mappings, at }: Of<"configured">): ServiceState {
  const known = withMappings(state.mappings, mappings, at);
  return { ...state, settings, mappings: known, teams: withTeamsOf(state.teams, known) };
}

function mappingEnded(state: ServiceState, { report }: Of<"mapping ended">): ServiceState {
  const { added, removed, endedAt } = report;
  const written = added + removed > 0 ? [...state.written, { added, removed, endedAt }] : state.written;
  return { ...state, mappings: withReport(state.mappings, report), written };
}

function cycleEnded(state: ServiceState, { report, at, monotonic }: Of<"cycle ended">): ServiceState {
  const { cycle, isFull, startedAt, endedAt } = report;
  const teams = withPlans(state.teams, report, state.mappings);
  return {
    ...state,
    teams,
    mappings: withCycle(state.mappings, report, teams),
    apis: withCycleEnd(state.apis),
    lastCycle: { cycle, isFull, startedAt, endedAt, traffic: trafficOf(state.apis) },
    written: writtenLately(state, at),
    isAborted: false,
    cycleEndedAt: monotonic,
    progressAt: Math.max(state.progressAt, monotonic),
  };
}

function logLine(state: ServiceState, { isWritten, isAudit }: Of<"log line">): ServiceState {
  const { lostAuditLines, isLosing } = state.log;
  if (isWritten && !isLosing) return state;
  const lost = lostAuditLines + Number(!isWritten && isAudit);
  return { ...state, log: { lostAuditLines: lost, isLosing: !isWritten } };
}

/** The state after something happened. Happenings that do not concern the same thing may come in any order. */
export function reduce(state: ServiceState, happening: Happening): ServiceState {
  const [{ apis, limits }, { monotonic }] = [state, happening];
  switch (happening.kind) {
    case "configured":
      return configured(state, happening);
    case "mapping ended":
      return mappingEnded(state, happening);
    case "cycle ended":
      return cycleEnded(state, happening);
    case "cycle aborted":
      return { ...state, isAborted: true, mappings: withoutSync(state.mappings), apis: withoutWaits(apis) };
    case "next cycle":
      return { ...state, nextCycleAt: happening.due };
    case "exchange":
      return { ...state, apis: withExchange(apis, happening.exchange) };
    case "rate limit": {
      const { limit } = happening;
      return { ...state, limits: new Map(limits).set(`${limit.service} ${limit.family}`, limit) };
    }
    case "wait":
      return { ...state, apis: withWait(apis, happening.service, happening.seconds, monotonic) };
    case "progress":
      return { ...state, progressAt: Math.max(state.progressAt, monotonic) };
    case "credential":
      return { ...state, credentialProblem: happening.problem };
    case "audit line":
      return { ...state, changes: [...state.changes, happening.line].slice(-MOST_CHANGES) };
    case "log line":
      return logLine(state, happening);
  }
}
