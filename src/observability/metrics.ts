/** What `/metrics` shows; `docs/MONITORING.md` describes it. */
import { version } from "../version.ts";
import { createApiMetrics } from "./api_metrics.ts";
import { createMappingMetrics, type MappingLabels } from "./mapping_metrics.ts";
import { createFactory } from "./registry.ts";

/** Every metric of the program, in a registry of its own. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Up to an hour: an organisation with many groups under a small rate limit. */
const CYCLE_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** What the metrics show of the configuration. */
export interface MetricsOptions {
  readonly mappings: readonly MappingLabels[];
  readonly intervalSeconds: number;
  readonly dryRun: boolean;
  /** How many lines of the audit could not be written. @default {none} */
  readonly lostAuditLines?: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Makes the metrics of a process that begins now. */
export function createMetrics(
  { mappings, intervalSeconds, dryRun, lostAuditLines = () => 0, now }: MetricsOptions,
) {
  const factory = createFactory();
  const { registry, counter, gauge, histogram } = factory;
  const cycles = counter("gots_cycles_total", "Cycles that ended, by whether everything was done", [
    "result",
  ]);
  const cycleDuration = histogram(
    "gots_cycle_duration_seconds",
    "Duration of cycles: full ones read everything, incremental ones what changed",
    ["kind"],
    CYCLE_BUCKETS,
  );
  const lastCycle = gauge("gots_last_cycle_timestamp_seconds", "When the last cycle ended, epoch seconds");
  for (const result of ["success", "failure"]) cycles.inc({ result }, 0);
  for (const kind of ["full", "incremental"]) cycleDuration.zero({ kind });

  counter("gots_audit_lines_lost_total", "Lines of the audit that could not be written", [], (lost) => {
    lost.reset();
    lost.inc(lostAuditLines());
  });
  gauge("gots_sync_interval_seconds", "The configured interval, from start to start").set(intervalSeconds);
  gauge("gots_dry_run", "Whether nothing is written (1) or changes are carried out (0)").set(Number(dryRun));
  gauge("gots_build_info", "The running version, always 1", ["version"]).set({ version }, 1);
  gauge("process_start_time_seconds", "When the process started, epoch seconds").set(now() / 1_000);
  gauge("process_resident_memory_bytes", "Resident memory", [], (memory) => {
    memory.set(Deno.memoryUsage().rss);
  });
  return {
    registry,
    cycles,
    cycleDuration,
    lastCycle,
    ...createMappingMetrics(factory, mappings, now),
    ...createApiMetrics(factory),
  };
}
