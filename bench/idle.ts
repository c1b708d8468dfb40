/** The service over many cycles in which nothing changes, on virtual time; prints the memory that it holds at the end. */
import { configSchema } from "../src/config/schema.ts";
import { createFetch } from "../src/http/surroundings.ts";
import { createLog } from "../src/observability/log.ts";
import { runService } from "../src/service/service.ts";
import { createStore } from "../src/service/store.ts";
import { memoryMegabytes, readTask, report } from "./measure.ts";

const CYCLES = 1_000;
const PAUSE_MS = 30_000;

const task = readTask();
const config = configSchema.parse({
  okta: { domain: task.okta, api_token: task.oktaToken },
  grafana: { url: task.grafana, api_key: task.grafanaToken },
  sync: {
    mappings: Array.from({ length: task.mappings }, (_, i) => ({
      okta_group: `group-${i}`,
      grafana_team: `group-${i}`,
    })),
  },
  metrics: { enabled: true, host: "127.0.0.1" },
});
config.metrics.port = 0;
const running = new AbortController();
const network = createFetch([]);
let now = Date.now();
let [cycles, full] = [0, 0];
let tick = () => {};
const clock = { now: () => now, monotonic: () => now };
await runService({
  ...clock,
  config,
  fetch: network.fetch,
  sleep(ms, signal) {
    // The wait that ends a shutdown has a signal of its own, and is not to pass.
    if (signal !== running.signal) return new Promise(() => {});
    now += ms;
    return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
  },
  random: Math.random,
  log: createLog({ level: "INFO", format: "json", write() {} }),
  signal: running.signal,
  store: createStore(clock),
  cron: (_name, _schedule, { signal }, handler) => {
    tick = handler;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  },
  onCycle({ isFull }) {
    if (isFull) full++;
    if (++cycles > CYCLES) return running.abort();
    now += config.sync.interval_seconds * 1_000;
    setTimeout(() => tick());
  },
});
// As between two cycles in life: the runtime gives back what it does not need when nothing happens for a while.
await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
report({
  cycles: cycles - 1,
  full,
  megabytes: memoryMegabytes("VmRSS"),
  peakMegabytes: memoryMegabytes("VmHWM"),
});
network.close();
