/** The whole service against a hostile Okta and Grafana, and everything that it says. */
import { type Config, configSchema, type Mapping } from "../../src/config/schema.ts";
import { formatPlanJson, formatPlanTable } from "../../src/cli/plan_format.ts";
import { createLog } from "../../src/observability/log.ts";
import { runService } from "../../src/service/service.ts";
import { type SimulatedGrafana, startGrafana } from "../../src/simulation/grafana.ts";
import { type SimulatedOkta, startOkta } from "../../src/simulation/okta.ts";
import type { CycleReport } from "../../src/sync/tell/report.ts";
import { mapping, surroundings } from "../support.ts";
import { SECRETS } from "./secrets.ts";
import { poisonedFetch, startTrap, type Trap } from "./trap.ts";

/** How requests to Okta are signed. */
export type Auth = "api_token" | "oauth";

/** What there is before the first cycle. */
export interface Hostile {
  readonly okta: SimulatedOkta;
  readonly grafana: SimulatedGrafana;
  readonly trap: Trap;
  /** Adds somebody to both. */
  addPerson(email: string): ReturnType<SimulatedOkta["addUser"]>;
}

/** A first cycle that has ended. */
export interface Outcome extends Hostile {
  readonly report: CycleReport;
  /** The log as it was written, at DEBUG. */
  readonly log: string;
  /** The bodies of `/metrics`, `/health` and `/ready`. */
  readonly pages: Readonly<Record<"metrics" | "health" | "ready", string>>;
  /** Everything that the service said: log, pages, report, plan. */
  readonly said: string;
  /** The access tokens that the simulated Okta gave out. */
  readonly accessTokens: readonly string[];
}

/** How the service is to be. */
export interface HostileSettings {
  readonly auth?: Auth;
  /** The form of the log. @default {"json"} */
  readonly format?: "json" | "text";
  readonly mappings?: readonly Mapping[];
  /** Fills the world and makes it hostile. */
  readonly prepare: (hostile: Hostile) => void;
  /** Changes the configuration after it was checked. */
  readonly change?: (config: Config) => Config;
}

/** Remembers the access tokens that `okta` gives out. */
function watchTokens(okta: SimulatedOkta): string[] {
  const tokens: string[] = [];
  const hostile = okta.intercept;
  okta.intercept = async (request, proceed) => {
    const answer = await (hostile?.(request, proceed) ?? proceed());
    if (!new URL(request.url).pathname.startsWith("/oauth2/") || !answer.ok) return answer;
    const body = await answer.clone().json().catch(() => ({}));
    if (typeof body.access_token === "string") tokens.push(body.access_token);
    return answer;
  };
  return tokens;
}

/** Runs the service for one cycle, and gives `test` what came of it. */
export async function withHostile(
  {
    auth = "api_token",
    format = "json",
    mappings = [mapping("A", "T")],
    prepare,
    change = (config) => config,
  }: HostileSettings,
  test: (outcome: Outcome) => void | Promise<void>,
): Promise<void> {
  const { apiToken, clientId, clientSecret, grafanaToken } = SECRETS;
  await using okta = startOkta({ apiToken, clientId, clientSecret });
  await using grafana = startGrafana({ token: grafanaToken });
  await using trap = startTrap();
  okta.acceptClientSecret = true;
  const addPerson = (email: string) => {
    grafana.state.addUser({ login: email, email });
    return okta.addUser(email);
  };
  prepare({ okta, grafana, trap, addPerson });
  const accessTokens = watchTokens(okta);
  const oauth = { client_id: clientId, client_secret: clientSecret };
  const config = change(configSchema.parse({
    okta: {
      domain: okta.url,
      auth_method: auth,
      ...(auth === "oauth" ? { oauth } : { api_token: apiToken }),
    },
    grafana: { url: grafana.url, api_key: grafanaToken },
    sync: { mappings },
    metrics: { enabled: true, host: "127.0.0.1" },
  }));
  config.metrics.port = 0;

  const shutdown = new AbortController();
  const network = poisonedFetch(trap, [config.okta.domain, config.grafana.url]);
  const around = surroundings({ signal: shutdown.signal, fetch: network.fetch });
  let written = "";
  const log = createLog({
    level: "DEBUG",
    format,
    write: (line) => written += line,
    onAudit: (line) => around.store.tell({ kind: "audit line", line }),
  });
  const first = Promise.withResolvers<CycleReport>();
  let url = "";
  const ended = runService({
    ...around,
    log,
    sleep: (ms, signal) => signal === shutdown.signal ? around.sleep(ms, signal) : new Promise(() => {}),
    config,
    cron: (_name, _schedule, { signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    onListen: (where) => url = where,
    onCycle: first.resolve,
  });
  const page = async (path: string) => await (await fetch(`${url}/${path}`)).text();
  try {
    const report = await first.promise;
    const pages = {
      metrics: await page("metrics"),
      health: await page("health"),
      ready: await page("ready"),
      page: await page(""),
      status: await page("api/status"),
    };
    const plan = `${formatPlanTable(report, false)}\n${JSON.stringify(formatPlanJson(report))}`;
    const shown = Deno.inspect({ report, config }, { depth: 20 });
    const said = [written, ...Object.values(pages), plan, shown].join("\n");
    await test({
      okta,
      grafana,
      trap,
      addPerson,
      report,
      log: written,
      pages,
      said,
      accessTokens,
    });
  } finally {
    shutdown.abort();
    await ended;
    network.close();
  }
}
