/** The cycles of gots, one a phase. With `--record` it prints the requests of the first cycle instead, for `bare.ts`. */
import { configSchema } from "../src/config/schema.ts";
import { createFetch, sleep } from "../src/http/surroundings.ts";
import { createLog } from "../src/observability/log.ts";
import { createSyncer } from "../src/sync/syncer.ts";
import { measure, readTask, report } from "./measure.ts";

const task = readTask();
const isRecording = Deno.args.includes("--record");
const config = configSchema.parse({
  okta: { domain: task.okta, api_token: task.oktaToken },
  grafana: { url: task.grafana, api_key: task.grafanaToken },
  sync: {
    removal_limit: "off",
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
const syncer = createSyncer(config, {
  fetch: (url, init) => {
    const { method, headers, body } = init;
    if (isRecording) recorded.push({ url, method, headers, body });
    return network.fetch(url, init);
  },
  now: Date.now,
  sleep,
  random: Math.random,
  log,
  signal: new AbortController().signal,
});
async function cycle(): Promise<void> {
  const { mappings } = await syncer.run();
  const error = mappings.flatMap(({ errors }) => errors)[0];
  if (error) throw new Error(error.message);
}
if (isRecording) {
  await cycle();
  report(recorded);
} else await measure(task, cycle);
network.close();
