/** `gots demo`: the real service against a simulated Okta and Grafana, with nothing installed. */
import { readProxies } from "../config/proxies.ts";
import { configSchema } from "../config/schema.ts";
import { createLog } from "../observability/log.ts";
import type { Cron } from "../service/watch.ts";
import { runService } from "../service/service.ts";
import { createStore } from "../service/store.ts";
import { startWorld, type World } from "../simulation/world.ts";
import { createContext, type Io, STATUS } from "./context.ts";

/** Between two cycles of the demo, in seconds; a real configuration takes 60 at least. */
const INTERVAL_SECONDS = 4;

/** Ticks every second instead of every minute. */
const demoCron: Cron = (_name, _schedule, { signal }, tick) =>
  new Promise((resolve) => {
    const timer = setInterval(tick, 1_000);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      resolve();
    }, { once: true });
  });

const MAPPINGS = [
  { okta_group: "Engineering", grafana_team: "Engineers" },
  { okta_group: "Data Science", grafana_team: "Data Scientists" },
];

function fill(world: World) {
  const [alice, bob, carol, dave] = ["alice.moore", "bob.stone", "carol.diaz", "dave.kim"]
    .map((name) => world.addPerson(`${name}@example.com`));
  if (!alice || !bob || !carol || !dave) throw new TypeError("the demo has four people");
  world.okta.addGroup("Engineering", [alice, bob]);
  world.okta.addGroup("Data Science", [bob, carol]);
  return { bob, dave };
}

function describeTeams({ grafana }: World): string {
  return MAPPINGS.map(({ grafana_team }) => {
    const members = grafana.state.membersOf(grafana_team);
    return `  ${grafana_team}: ${members.length > 0 ? members.join(", ") : "nobody"}\n`;
  }).join("");
}

/** The options of `gots demo`. */
export interface DemoOptions {
  /** Ends after the second cycle. */
  readonly once?: boolean;
}

/** Runs the demo until Ctrl-C, or for two cycles. */
export async function demo({ once }: DemoOptions, io: Io): Promise<number> {
  const say = (line: string) => io.terminal.print(`\n# ${line}\n`);
  const world = startWorld();
  const { bob, dave } = fill(world);
  const { OKTA_DOMAIN, OKTA_API_TOKEN, GRAFANA_URL, GRAFANA_API_KEY } = world.environment;
  const config = configSchema.parse({
    okta: { domain: OKTA_DOMAIN, api_token: OKTA_API_TOKEN },
    grafana: { url: GRAFANA_URL, api_key: GRAFANA_API_KEY },
    sync: { mappings: MAPPINGS },
    logging: { format: "text" },
    metrics: { enabled: true, host: "127.0.0.1" },
  });
  config.sync.interval_seconds = INTERVAL_SECONDS;
  config.metrics.port = 0;

  // The simulated services are on this machine: no proxy leads there.
  const proxies = { ...readProxies(io.environment, []), except: ["*"] };
  const context = createContext(
    { config, authorities: { both: [], okta: [], grafana: [] }, proxies, warnings: [] },
    io,
  );
  const finished = new AbortController();
  const store = createStore(context);
  const teams = [`Teams before:\n${describeTeams(world)}`];
  say(
    `A simulated Okta (${world.okta.url}) and Grafana (${world.grafana.url}), and the real service between them.`,
  );
  try {
    await runService({
      ...context,
      log: createLog({
        level: "INFO",
        format: "text",
        write: (line) => io.terminal.note(line),
        onAudit: (line) => store.tell({ kind: "audit line", line }),
      }),
      store,
      signal: AbortSignal.any([context.signal, finished.signal]),
      config,
      cron: demoCron,
      onListen: (url) => say(`Open ${url} in a browser; ${url}/metrics and ${url}/health are there too.`),
      onCycle({ cycle }) {
        if (cycle <= 2) teams.push(`Teams after cycle ${cycle}:\n${describeTeams(world)}`);
        if (cycle === 1) {
          say(
            "gots created and filled both teams. Now, in Okta, bob.stone leaves Engineering and dave.kim joins it.",
          );
          const engineering = world.okta.group("Engineering");
          engineering.members.delete(bob);
          engineering.members.add(dave);
        }
        if (cycle === 2) {
          say("The second cycle added dave.kim and removed bob.stone, who stays in Data Scientists.");
          if (once) finished.abort();
          else say("Nothing changes from now on, so gots writes nothing. Press Ctrl-C to stop.");
        }
      },
    });
    if (once) io.terminal.print(`\n${teams.join("")}`);
    return STATUS.fine;
  } finally {
    context.release();
    await world.close();
  }
}
