/** The service: cycles on schedule, with its state shown over HTTP, until it is told to stop. */
import type { Config, Mapping } from "../config/schema.ts";
import type { Surroundings } from "../http/types.ts";
import { createMetrics, type Metrics } from "../observability/metrics.ts";
import { WITHHOLDING_REASONS } from "../sync/guard.ts";
import { type CycleReport, isSuccess, type MappingReport } from "../sync/report.ts";
import { createSyncer } from "../sync/syncer.ts";
import { version } from "../version.ts";
import { type Cron, schedule } from "./scheduler.ts";
import { createApp, listen } from "./server.ts";
import { createStatus } from "./status.ts";

/** How long everything may take to end after a signal, in milliseconds; Docker kills after 10 s. */
const STOP_MS = 7_500;

/** What the service needs. */
export interface ServiceOptions extends Surroundings {
  readonly config: Config;
  readonly cron: Cron;
  /** Told after each cycle. */
  readonly onCycle?: (report: CycleReport) => void;
  /** Told where the HTTP server listens, if there is one. */
  readonly onListen?: (url: string) => void;
}

/** Writes what a mapping's sync brought into the metrics. A dry run moves no counter of additions or removals. */
function recordMapping(metrics: Metrics, report: MappingReport): void {
  const { okta_group, grafana_team } = report.mapping;
  const labels = { okta_group, grafana_team };
  metrics.syncDuration.observe(labels, report.durationSeconds);
  metrics.usersAdded.inc(labels, report.added);
  metrics.usersRemoved.inc(labels, report.removed);
  metrics.syncErrors.inc(labels, report.errors.length);
  metrics.lastSync.set(labels, report.endedAt / 1_000);
  metrics.lastSuccess.set(labels, isSuccess(report) ? 1 : 0);
  metrics.usersPending.set(labels, report.pending);
  if (report.groupMembers !== undefined) metrics.groupMembers.set(labels, report.groupMembers);
  if (report.teamMembers !== undefined) metrics.teamMembers.set(labels, report.teamMembers);
}

/** A cycle that broke off has synced nothing for certain. */
function recordBreak(metrics: Metrics, mappings: readonly Mapping[]): void {
  for (const { okta_group, grafana_team } of mappings) {
    metrics.syncErrors.inc({ okta_group, grafana_team });
    metrics.lastSuccess.set({ okta_group, grafana_team }, 0);
  }
}

/** Shows what the cycle withheld. For a team that could not be compared the last number stays. */
function recordWithheld(metrics: Metrics, { plans }: CycleReport): void {
  for (const { team: grafana_team, withheld } of plans) {
    for (const reason of WITHHOLDING_REASONS) {
      const count = withheld?.reason === reason ? withheld.removals.length : 0;
      metrics.removalsWithheld.set({ grafana_team, reason }, count);
    }
  }
}

/**
 * Runs until `signal` is aborted, and ends within 8 s of it.
 *
 * @throws {ListenError} if the HTTP server cannot listen.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { config, log, now, signal } = options;
  const { mappings, interval_seconds: intervalSeconds, dry_run: dryRun } = config.sync;
  const metrics = createMetrics(mappings, now());
  const status = createStatus({ mappings, intervalSeconds, dryRun, now });
  const syncer = createSyncer(config, {
    ...options,
    onExchange: metrics.observeExchange,
    onProgress: status.progress,
    onCredential: status.credential,
  });

  log.info("gots {version}: {mappings} mappings, every {seconds} s", {
    version,
    mappings: mappings.length,
    seconds: intervalSeconds,
  });
  if (dryRun) log.info("DRY RUN MODE - No changes will be made");
  const server = config.metrics.enabled
    ? listen(createApp({ status, metrics, log }), { ...config.metrics, log, sleep: options.sleep })
    : undefined;
  if (server) {
    log.info("Metrics server started on {url}", { url: server.url });
    options.onListen?.(server.url);
  }

  const cycles = schedule({
    ...options,
    intervalSeconds,
    onNext: status.nextCycleAt,
    async run() {
      const onMapping = (mapping: MappingReport) => {
        recordMapping(metrics, mapping);
        status.mappingEnded(mapping);
      };
      const report = await syncer.run({ onMapping }).catch((error: unknown) => {
        recordBreak(metrics, mappings);
        status.cycleBroke();
        throw error;
      });
      recordWithheld(metrics, report);
      if (report.interrupted) return;
      status.cycleEnded(report);
      options.onCycle?.(report);
    },
  });

  const stopped = new Promise<void>((resolve) => {
    const stop = () => resolve(options.sleep(STOP_MS, new AbortController().signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  const ended = cycles.then(() => server?.close());
  const inTime = await Promise.race([ended.then(() => true), stopped.then(() => false)]);
  log.info(inTime ? "Shutdown complete. Goodbye!" : "Shutdown: what was under way is left to the next run");
}
