/** Measures cycles against the simulation: requests and wall time, for a first sync and for one without changes. */
import { configSchema } from "../src/config/schema.ts";
import { sleep } from "../src/http/surroundings.ts";
import { createLog } from "../src/observability/log.ts";
import { formatTable } from "../src/cli/table.ts";
import { startWorld } from "../src/simulation/world.ts";
import { createSyncer } from "../src/sync/syncer.ts";

/** How many members each group has. */
const PEOPLE = 100;

const CASES = [
  { mappings: 10, latencyMs: 0 },
  { mappings: 10, latencyMs: 2 },
  { mappings: 100, latencyMs: 0 },
  { mappings: 100, latencyMs: 2 },
];

async function measure({ mappings, latencyMs }: (typeof CASES)[number]): Promise<string[][]> {
  const world = startWorld();
  const names = Array.from({ length: mappings }, (_, i) => `group-${i}`);
  for (const name of names) {
    const people = Array.from({ length: PEOPLE }, (_, i) => world.addPerson(`${name}.${i}@example.com`));
    world.okta.addGroup(name, people);
  }
  world.okta.limitRate({ limit: Infinity, remaining: Infinity });
  world.okta.latencyMs = world.grafana.latencyMs = latencyMs;
  const config = configSchema.parse({
    okta: { domain: world.okta.url, api_token: world.environment.OKTA_API_TOKEN },
    grafana: { url: world.grafana.url, api_key: world.environment.GRAFANA_API_KEY },
    sync: { mappings: names.map((name) => ({ okta_group: name, grafana_team: name })) },
  });
  const syncer = createSyncer(config, {
    fetch,
    now: Date.now,
    sleep,
    random: Math.random,
    log: createLog({
      level: "ERROR",
      format: "text",
      write: (line) => Deno.stderr.writeSync(new TextEncoder().encode(line)),
    }),
    signal: new AbortController().signal,
  });
  const rows: string[][] = [];
  for (const what of ["first sync", "no change"]) {
    const [okta, grafana, started] = [
      world.okta.received.length,
      world.grafana.received.length,
      performance.now(),
    ];
    await syncer.run();
    const seconds = (performance.now() - started) / 1_000;
    rows.push([
      what,
      `${mappings} × ${PEOPLE}`,
      `${latencyMs} ms`,
      String(world.okta.received.length - okta),
      String(world.grafana.received.length - grafana),
      `${seconds.toFixed(2)} s`,
    ]);
  }
  await world.close();
  return rows;
}

const rows: string[][] = [];
for (const one of CASES) rows.push(...await measure(one));
const head = ["CYCLE", "MAPPINGS × PEOPLE", "LATENCY", "OKTA REQUESTS", "GRAFANA REQUESTS", "TIME"];
await Deno.stdout.write(new TextEncoder().encode(`${formatTable(head, rows)}\n`));
