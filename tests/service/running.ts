/** The service, running against a simulated Okta and Grafana, with cycles that the test starts. */
import { configSchema, type Mapping } from "../../src/config/schema.ts";
import type { Fetch } from "../../src/http/types.ts";
import type { Cron } from "../../src/service/watch.ts";
import { runService } from "../../src/service/service.ts";
import type { Store } from "../../src/service/store.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { type CapturedLog, surroundings } from "../support.ts";

/** Between two cycles, in seconds. */
export const INTERVAL_SECONDS = 300;

/** A service that runs. */
export interface Running {
  readonly world: World;
  readonly captured: CapturedLog;
  readonly store: Store;
  /** Where its HTTP server listens. */
  readonly url: string;
  /** Resolves when the cycle that runs now has ended. */
  cycleEnds(): Promise<void>;
  /**
   * Lets the interval pass, and resolves when the cycle that was due then has ended.
   *
   * @param onMinute called after each minute of the interval.
   */
  nextCycle(onMinute?: () => Promise<void>): Promise<void>;
  /** Lets the cron tick. Resolves when the cycle that is due now has ended. */
  tick(): Promise<void>;
  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void>;
  /** Sets the service's clock forward or back by so many seconds, while no time passes. */
  setClock(seconds: number): void;
  /** The service's time, in epoch milliseconds. */
  now(): number;
  /** The values of `/metrics` by series, such as `gots_users_added_total{okta_group="A",grafana_team="T"}`. */
  series(): Promise<Map<string, number>>;
  /** Asks the service to stop, and resolves when it has. */
  stop(): Promise<void>;
  /** The numbers of the cycles that were told of as ended. */
  readonly cycles: readonly number[];
  /** Lets the time pass that a shutdown may take. */
  endGrace(): void;
}

/** How the service is to be. */
export interface RunningSettings {
  readonly mappings: readonly Mapping[];
  readonly dryRun?: boolean;
  /** Settings of `metrics`, besides those that it takes to listen. */
  readonly metrics?: Readonly<Record<string, unknown>>;
  /** When it begins, in epoch milliseconds. @default {the first moment of 2026} */
  readonly start?: number;
  /** Fills the world before the first cycle. */
  readonly fill: (world: World) => void;
  /** How requests reach the world. @default {over sockets} */
  readonly network?: (world: World) => Fetch;
}

function configOf(
  world: World,
  mappings: readonly Mapping[],
  dryRun: boolean,
  metrics: Readonly<Record<string, unknown>>,
) {
  const { OKTA_DOMAIN, OKTA_API_TOKEN, GRAFANA_URL, GRAFANA_API_KEY } = world.environment;
  const config = configSchema.parse({
    okta: { domain: OKTA_DOMAIN, api_token: OKTA_API_TOKEN },
    grafana: { url: GRAFANA_URL, api_key: GRAFANA_API_KEY },
    sync: { mappings, dry_run: dryRun, interval_seconds: INTERVAL_SECONDS },
    metrics: { enabled: true, host: "127.0.0.1", ...metrics },
  });
  config.metrics.port = 0;
  return config;
}

/** Runs `test` with a service whose first cycle has begun; stops it afterwards. */
export async function withService(
  { mappings, dryRun = false, metrics = {}, start, fill, network }: RunningSettings,
  test: (running: Running) => Promise<void>,
): Promise<void> {
  const world = startWorld();
  fill(world);
  const shutdown = new AbortController();
  const around = surroundings({ signal: shutdown.signal }, start);
  const grace = Promise.withResolvers<void>();
  world.okta.clock = around.now;
  const send = network?.(world) ?? fetch;
  let cycle = Promise.withResolvers<void>();
  const cycles: number[] = [];
  let tick = () => {};
  let url = "";
  const cron: Cron = (_name, _schedule, { signal }, handler) => {
    tick = handler;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  };
  const ended = runService({
    ...around,
    // Both services have the time of Okta's clock.
    async fetch(url, init) {
      const { body, status, headers } = await send(url, init);
      const dated = new Headers(headers);
      dated.set("date", new Date(around.now() + world.okta.clockOffsetMs).toUTCString());
      return new Response(body, { status, headers: dated });
    },
    // Waits of cycles and requests pass at once; the wait of a shutdown has a signal of its own.
    sleep: (ms, signal) => signal === shutdown.signal ? around.sleep(ms, signal) : grace.promise,
    config: configOf(world, mappings, dryRun, metrics),
    cron,
    onListen: (where) => url = where,
    onCycle(report) {
      cycles.push(report.cycle);
      cycle.resolve();
    },
  });
  const pass = (seconds: number) => around.sleep(seconds * 1_000, new AbortController().signal);
  const tickNow = () => {
    cycle = Promise.withResolvers();
    tick();
    return cycle.promise;
  };
  const stop = () => {
    shutdown.abort();
    return ended;
  };
  try {
    await test({
      world,
      captured: around.captured,
      store: around.store,
      url,
      cycleEnds: () => cycle.promise,
      async nextCycle(onMinute) {
        for (let passed = 0; passed < INTERVAL_SECONDS; passed += 60) {
          await pass(60);
          await onMinute?.();
        }
        await tickNow();
      },
      tick: tickNow,
      pass,
      setClock: (seconds) => around.clock.setClock(seconds * 1_000),
      now: around.now,
      async series() {
        const text = await (await fetch(`${url}/metrics`)).text();
        const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
        return new Map(lines.map((line) => {
          const space = line.lastIndexOf(" ");
          return [line.slice(0, space), Number(line.slice(space + 1))];
        }));
      },
      stop,
      cycles,
      endGrace: grace.resolve,
    });
  } finally {
    await stop();
    await world.close();
  }
}
