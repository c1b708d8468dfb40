/** What `/metrics` shows; `docs/MONITORING.md` describes it. */
import { version } from "../version.ts";
import { type ApiFigures, createApiMetrics } from "./api_metrics.ts";
import { createMappingMetrics, type MappingsFigures } from "./mapping_metrics.ts";
import { createFactory, type Factory } from "./registry.ts";

export type { MappingFigures, TeamFigures } from "./mapping_metrics.ts";

/** Every metric of the program, in a registry of its own. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Up to an hour: an organisation with many groups under a small rate limit. */
const CYCLE_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** What the gauges read. Times are epoch seconds. */
export interface Figures extends MappingsFigures, ApiFigures {
  readonly intervalSeconds: number;
  readonly isDryRun: boolean;
  readonly startedAt: number;
  /** 0 until a cycle has ended. */
  readonly lastCycle: number;
  /** How many lines of the audit could not be written. */
  readonly lostAuditLines: number;
}

function createProcessMetrics({ counter, gauge }: Factory, figures: () => Figures): void {
  const single = (name: string, help: string, read: () => number) =>
    gauge(name, help, [], () => [[{}, read()]]);
  counter("gots_audit_lines_lost_total", "Lines of the audit that could not be written", [], (lost) => {
    lost.reset();
    lost.inc(figures().lostAuditLines);
  });
  single(
    "gots_last_cycle_timestamp_seconds",
    "When the last cycle ended, epoch seconds",
    () => figures().lastCycle,
  );
  single(
    "gots_sync_interval_seconds",
    "The configured interval, from start to start",
    () => figures().intervalSeconds,
  );
  single(
    "gots_dry_run",
    "Whether nothing is written (1) or changes are carried out (0)",
    () => Number(figures().isDryRun),
  );
  single(
    "process_start_time_seconds",
    "When the process started, epoch seconds",
    () => figures().startedAt,
  );
  single("process_resident_memory_bytes", "Resident memory", () => Deno.memoryUsage().rss);
  gauge("gots_build_info", "The running version, always 1", ["version"], () => [[{ version }, 1]]);
}

/** Creates the metrics of a process that starts now. Gauges read `figures`; counters follow what happens. */
export function createMetrics(figures: () => Figures) {
  const factory = createFactory();
  const { registry, counter, histogram } = factory;
  const cycles = counter("gots_cycles_total", "Cycles that ended, by whether everything was done", [
    "result",
  ]);
  const cycleDuration = histogram(
    "gots_cycle_duration_seconds",
    "Duration of cycles: full ones read everything, incremental ones what changed",
    ["kind"],
    CYCLE_BUCKETS,
  );
  for (const result of ["success", "failure"]) cycles.inc({ result }, 0);
  for (const kind of ["full", "incremental"]) cycleDuration.zero({ kind });
  createProcessMetrics(factory, figures);
  return {
    registry,
    cycles,
    cycleDuration,
    ...createMappingMetrics(factory, figures),
    ...createApiMetrics(factory, figures),
  };
}
