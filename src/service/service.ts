/** The service: cycles on schedule, with its state shown over HTTP, until it is stopped. */
import type { Config } from "../config/schema.ts";
import type { Surroundings } from "../http/types.ts";
import type { Logger } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import { createSyncer, type Syncer } from "../sync/syncer.ts";
import type { CycleReport } from "../sync/tell/report.ts";
import { version } from "../version.ts";
import { createApp } from "./app.ts";
import { metricsOf } from "./count.ts";
import type { News, Settings } from "./happening.ts";
import { healthOf, isReady } from "./health.ts";
import { listen, type Listening } from "./listen.ts";
import { tellNotices } from "./notices.ts";
import { schedule } from "./scheduler.ts";
import { boardOf } from "./show.ts";
import type { Store } from "./store.ts";
import type { Cron } from "./watch.ts";

/** How long everything may take to end after a signal, in milliseconds; Docker kills after 10 s. */
const STOP_MS = 7_500;

/** What the service needs. */
export interface ServiceOptions extends Surroundings {
  readonly config: Config;
  readonly cron: Cron;
  /** Its state, which already receives the log lines. */
  readonly store: Store;
  /** Told after each cycle. */
  readonly onCycle?: (report: CycleReport) => void;
  /** Told where the HTTP server listens, if there is one. */
  readonly onListen?: (url: string) => void;
}

/** What the service shows of its configuration. */
function settingsOf({ sync, metrics }: Config): Settings {
  return {
    intervalSeconds: sync.interval_seconds,
    dryRun: sync.dry_run,
    showUsers: metrics.show_users,
  };
}

function tellStart({ mappings, interval_seconds: seconds, dry_run }: Config["sync"], log: Logger): void {
  const noun = mappings.length === 1 ? "mapping" : "mappings";
  log.info(`gots {version}: {mappings} ${noun}, every {seconds} s`, {
    version,
    mappings: mappings.length,
    seconds,
  });
  if (dry_run) log.info("DRY RUN MODE - No changes will be made");
}

/** Shows the state over HTTP, unless that is switched off. */
function serve(options: ServiceOptions, metrics: Metrics): Listening | undefined {
  const { config: { metrics: settings }, store: { state, moment }, log, sleep } = options;
  if (!settings.enabled) return undefined;
  const app = createApp({
    health: () => healthOf(state(), moment()),
    isReady: () => isReady(state()),
    board: settings.status_page ? (search) => boardOf(state(), moment(), search) : undefined,
    metrics,
    token: settings.token,
    host: settings.host,
    log,
  });
  const server = listen(app, { ...settings, log, sleep });
  log.info("Metrics server started on {url}", { url: server.url });
  options.onListen?.(server.url);
  return server;
}

/** A syncer that tells what it meets on its way. */
function createTellingSyncer(options: ServiceOptions, tell: (news: News) => void): Syncer {
  return createSyncer(options.config, {
    ...options,
    onExchange: (exchange) => tell({ kind: "exchange", exchange }),
    onRateLimit: (limit) => tell({ kind: "rate limit", limit }),
    onWait: (service, seconds) => tell({ kind: "wait", service, seconds }),
    onProgress: () => tell({ kind: "progress" }),
    onCredential: (problem) => tell({ kind: "credential", problem }),
  });
}

/** Runs one cycle, and tells what came of it. */
async function runCycle(syncer: Syncer, { store: { tell }, onCycle }: ServiceOptions) {
  const report = await syncer.run({ onMapping: (one) => tell({ kind: "mapping ended", report: one }) })
    .catch((error: unknown) => {
      tell({ kind: "cycle aborted" });
      throw error;
    });
  if (report.interrupted) return;
  tell({ kind: "cycle ended", report });
  onCycle?.(report);
}

/** Resolves when everything should have ended that was running when the service was told to stop. */
function graceOver({ signal, sleep }: ServiceOptions): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve(sleep(STOP_MS, new AbortController().signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Runs until `signal` is aborted, and ends within 8 s of it.
 *
 * @throws {ListenError} if the HTTP server cannot listen.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { config, store, log } = options;
  const { mappings, interval_seconds: intervalSeconds } = config.sync;
  const metrics = metricsOf(store);
  store.follow(tellNotices(log));
  store.tell({ kind: "configured", mappings, settings: settingsOf(config) });
  const syncer = createTellingSyncer(options, store.tell);
  tellStart(config.sync, log);
  const server = serve(options, metrics);
  const cycles = schedule({
    ...options,
    intervalSeconds,
    onNext: (due) => store.tell({ kind: "next cycle", due }),
    run: () => runCycle(syncer, options),
  });
  const ended = cycles.then(() => server?.close());
  const inTime = await Promise.race([ended.then(() => true), graceOver(options).then(() => false)]);
  log.info(inTime ? "Shutdown complete. Goodbye!" : "Shutdown: what was under way is left to the next run");
}
