/** The service: cycles on schedule, with its state shown over HTTP, until it is told to stop. */
import type { Config } from "../config/schema.ts";
import type { Surroundings } from "../http/types.ts";
import type { Logger } from "../observability/log.ts";
import { createMetrics } from "../observability/metrics.ts";
import type { CycleReport, MappingReport } from "../sync/tell/report.ts";
import { createSyncer } from "../sync/syncer.ts";
import { version } from "../version.ts";
import { createApp } from "./app.ts";
import { createBoards } from "./boards.ts";
import { createClocks } from "./clocks.ts";
import { createDrift } from "./drift.ts";
import { SLOW_SHARE } from "./judge.ts";
import { listen } from "./listen.ts";
import type { Recent } from "./recent.ts";
import { recordBreak, recordCycle, recordMapping } from "./record.ts";
import { schedule } from "./scheduler.ts";
import { createStatus } from "./status.ts";
import type { Cron } from "./watch.ts";

/** How long everything may take to end after a signal, in milliseconds; Docker kills after 10 s. */
const STOP_MS = 7_500;

/** Says that a cycle took nearly as long as the interval, or longer. */
function tellSlow({ durationSeconds: seconds }: CycleReport, intervalSeconds: number, log: Logger): void {
  if (seconds <= SLOW_SHARE * intervalSeconds) return;
  const message = "The cycle took {seconds} s, the interval is {interval} s: raise sync.interval_seconds";
  log.warning(message, { seconds: Math.round(seconds), interval: intervalSeconds });
}

/** What the service needs. */
export interface ServiceOptions extends Surroundings {
  readonly config: Config;
  readonly cron: Cron;
  /** The audit lines of the log, for the status page. */
  readonly recent: Pick<Recent, "lines" | "lost" | "problem">;
  /** Told after each cycle. */
  readonly onCycle?: (report: CycleReport) => void;
  /** Told where the HTTP server listens, if there is one. */
  readonly onListen?: (url: string) => void;
}

/**
 * Runs until `signal` is aborted, and ends within 8 s of it.
 *
 * @throws {ListenError} if the HTTP server cannot listen.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { config, log, now, monotonic, signal } = options;
  const { mappings, interval_seconds: intervalSeconds, dry_run: dryRun } = config.sync;
  const metrics = createMetrics({
    mappings,
    intervalSeconds,
    dryRun,
    now,
    lostAuditLines: options.recent.lost,
  });
  const drift = createDrift(now);
  const status = createStatus({
    mappings,
    intervalSeconds,
    dryRun,
    now,
    monotonic,
    logProblem: options.recent.problem,
  });
  const boards = createBoards({
    mappings,
    intervalSeconds,
    showUsers: config.metrics.show_users,
    status,
    drift,
    changes: options.recent.lines,
    now,
  });
  const observeClock = createClocks({ log, onProblem: status.clock });
  const syncer = createSyncer(config, {
    ...options,
    onExchange(exchange) {
      metrics.observeExchange(exchange);
      boards.exchange(exchange);
      observeClock(exchange);
    },
    onRateLimit(limit) {
      metrics.observeRateLimit(limit);
      boards.rateLimit(limit);
    },
    onWait(service, seconds) {
      const more = status.wait(service, seconds);
      metrics.observeWait(service, more);
      boards.wait(service, more);
    },
    onProgress: status.progress,
    onCredential: status.credential,
  });

  const noun = mappings.length === 1 ? "mapping" : "mappings";
  log.info(`gots {version}: {mappings} ${noun}, every {seconds} s`, {
    version,
    mappings: mappings.length,
    seconds: intervalSeconds,
  });
  if (dryRun) log.info("DRY RUN MODE - No changes will be made");
  const server = config.metrics.enabled
    ? listen(
      createApp({
        status,
        metrics,
        boards: config.metrics.status_page ? boards : undefined,
        token: config.metrics.token,
        host: config.metrics.host,
        log,
      }),
      { ...config.metrics, log, sleep: options.sleep },
    )
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
        boards.mappingEnded(mapping);
      };
      const report = await syncer.run({ onMapping }).catch((error: unknown) => {
        drift.cycleBroke();
        recordBreak(metrics, mappings, drift);
        status.cycleBroke();
        throw error;
      });
      if (report.interrupted) return;
      drift.cycleEnded(report);
      boards.cycleEnded(report);
      recordCycle(metrics, report, mappings, drift);
      status.cycleEnded(report);
      tellSlow(report, intervalSeconds, log);
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
