/**
 * The cycles of gots, one a phase. With `--full` every cycle is a full one. With `--record` it prints the requests of
 * its last phase, for `bare.ts`.
 */
import { configSchema } from "../src/config/schema.ts";
import { createFetch, sleep } from "../src/http/surroundings.ts";
import { createLog } from "../src/observability/log.ts";
import { createSyncer } from "../src/sync/syncer.ts";
import { measure, type Phase, readTask, report } from "./measure.ts";

const task = readTask();
const isRecording = Deno.args.includes("--record");
const config = configSchema.parse({
  okta: { domain: task.okta, api_token: task.oktaToken },
  grafana: { url: task.grafana, api_key: task.grafanaToken },
  sync: {
    removal_limit: "off",
    incremental: !Deno.args.includes("--full"),
    mappings: Array.from({ length: task.mappings }, (_, i) => ({
      okta_group: `group-${i}`,
      grafana_team: `group-${i}`,
    })),
  },
});
const network = createFetch([]);
const recorded: unknown[] = [];
// The log is made as always, and goes nowhere.
const log = createLog({ level: "INFO", format: "json", write() {} });
const start = () =>
  createSyncer(config, {
    fetch: (url, init) => {
      const { method, headers, body } = init;
      if (isRecording) recorded.push({ url, method, headers, body });
      return network.fetch(url, init);
    },
    now: Date.now,
    monotonic: () => performance.now(),
    sleep,
    random: Math.random,
    log,
    signal: new AbortController().signal,
  });
let syncer = start();
async function cycle(phase?: Phase): Promise<void> {
  if (phase === "first") syncer = start();
  const { mappings } = await syncer.run();
  const error = mappings.flatMap(({ errors }) => errors)[0];
  if (error) throw new Error(error.message);
}
if (isRecording) {
  for (const phase of task.phases) {
    recorded.length = 0;
    await cycle(phase);
  }
  report(recorded);
} else await measure(task, cycle);
network.close();
