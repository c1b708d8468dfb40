/** Every command at DEBUG with known secrets: none of them comes out, in no form, wherever it was given and whatever answers. */
import { assert, assertEquals } from "@std/assert";
import { startGrafana } from "../../src/simulation/grafana.ts";
import { startOkta } from "../../src/simulation/okta.ts";
import type { Intercept } from "../../src/simulation/server.ts";
import { directoryWith, type Finished, freePort, run, start } from "../support.ts";
import type { Auth } from "./service.ts";
import { assertSilent, SECRETS } from "./secrets.ts";

const { apiToken, clientId, clientSecret, grafanaToken } = SECRETS;
const KNOWN = [apiToken, clientSecret, grafanaToken];

/** Where the secrets are given, with the configuration's lines, the environment and the files that it takes. */
const SOURCES: Readonly<
  Record<string, (auth: Auth) => { yaml: [string, string]; env: Record<string, string> }>
> = {
  "the environment": (auth) => ({
    yaml: ["", ""],
    env: auth === "oauth"
      ? { OKTA_CLIENT_SECRET: clientSecret, GRAFANA_API_KEY: grafanaToken }
      : { OKTA_API_TOKEN: apiToken, GRAFANA_API_KEY: grafanaToken },
  }),
  "files": (auth) => ({
    yaml: ["", ""],
    env: auth === "oauth"
      ? { OKTA_CLIENT_SECRET_FILE: "client-secret", GRAFANA_API_KEY_FILE: "grafana-token" }
      : { OKTA_API_TOKEN_FILE: "api-token", GRAFANA_API_KEY_FILE: "grafana-token" },
  }),
  "the configuration": (auth) => ({
    yaml: [
      auth === "oauth"
        ? `, oauth: { client_id: ${clientId}, client_secret: '${clientSecret}' }`
        : `, api_token: '${apiToken}'`,
      `, api_key: '${grafanaToken}'`,
    ],
    env: {},
  }),
};

/** What answers at the Management API and at Grafana; 5xx would be waited for. */
const WORLDS: Readonly<Record<string, Intercept | undefined>> = {
  "a world that works": undefined,
  "a world that repeats the credential in a 401": (request) => {
    const said = `refused ${request.headers.get("authorization")}`;
    return Response.json({ errorCode: "E0000011", errorSummary: said, message: said }, { status: 401 });
  },
  "a proxy that shows all headers in a page": (request) =>
    new Response(`<html>${JSON.stringify([...request.headers])}</html>`, {
      status: 403,
      headers: { "content-type": "text/html" },
    }),
  "a redirect with the credential in its address": (request) => {
    const location = `/login?token=${encodeURIComponent(request.headers.get("authorization") ?? "")}`;
    return new Response(null, { status: 302, headers: { location } });
  },
};

/** Runs the service until its first cycle has ended, asks for its pages, and stops it. */
async function runService(
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Finished & { pages: string }> {
  const port = freePort();
  const service = start(["run"], {
    cwd,
    env: { ...env, METRICS_ENABLED: "true", METRICS_HOST: "127.0.0.1", METRICS_PORT: `${port}` },
  });
  await service.waitFor(/Sync completed|Sync failed/);
  let pages = "";
  for (const page of ["metrics", "health", "ready", "no"]) {
    pages += await (await fetch(`http://127.0.0.1:${port}/${page}`)).text();
  }
  service.kill("SIGTERM");
  return { ...await service.finished, pages };
}

const ARGUMENTS = [
  ["check"],
  ["check", "--format", "json"],
  ["sync"],
  ["plan"],
  ["plan", "--format", "json"],
  ["validate"],
  ["sync", "--nope"],
];

/** Every source with every way to sign; what does not depend on the source is tried with one of them. */
const CASES = Object.keys(SOURCES).flatMap((source, i) =>
  (["api_token", "oauth"] as const).flatMap((auth) =>
    Object.keys(WORLDS).slice(0, i === 0 ? undefined : 2).map((world) => ({ source, auth, world }))
  )
);

for (const [i, { source, auth, world }] of CASES.entries()) {
  Deno.test(`no command says a secret of ${source}, signing with ${auth}, in ${world}`, async () => {
    const intercept = WORLDS[world];
    await using okta = startOkta({ apiToken, clientId, clientSecret });
    await using grafana = startGrafana({ token: grafanaToken });
    okta.acceptClientSecret = true;
    grafana.state.addUser({ login: "ann@example.com", email: "ann@example.com" });
    okta.addGroup("A", [okta.addUser("ann@example.com")]);
    const seen = new Set<string>();
    okta.intercept = (request, proceed) => {
      if (request.url.includes("/oauth2/")) return undefined;
      // The first look of `gots check` goes without a credential.
      const credential = request.headers.get("authorization")?.split(" ")[1];
      if (credential) seen.add(credential);
      return intercept?.(request, proceed);
    };
    grafana.intercept = intercept;
    const { yaml, env } = SOURCES[source]?.(auth) ?? { yaml: ["", ""], env: {} };
    const cwd = await directoryWith({
      "config.yaml": `okta: { domain: "${okta.url}", auth_method: ${auth}${yaml[0]} }
grafana: { url: "${grafana.url}"${yaml[1]} }
sync: { mappings: [{ okta_group: A, grafana_team: T }] }
`,
      "api-token": `${apiToken}\n`,
      "client-secret": `${clientSecret}\n`,
      "grafana-token": `${grafanaToken}\n`,
    });
    const given = {
      ...env,
      ...(auth === "oauth" ? { OKTA_CLIENT_ID: clientId } : {}),
      LOG_LEVEL: "DEBUG",
      LOG_FORMAT: i % 2 === 0 ? "json" : "text",
    };
    const failing = intercept === undefined ? 0 : 1;
    const codes: number[] = [];
    const served = await runService(cwd, given);
    let said = served.stdout + served.stderr + served.pages;
    const finished = await Promise.all(ARGUMENTS.map((args) => run(args, { cwd, env: given })));
    for (const [n, { code, stdout, stderr }] of finished.entries()) {
      codes.push(code);
      said += `${ARGUMENTS[n]}: ${stdout}${stderr}`;
    }
    assertEquals([served.code, ...codes], [0, failing, failing, failing, failing, failing, 0, 64], said);
    assert(seen.size > 0 && said.includes("DEBUG") && said.includes("gots_build_info"), said);
    assertSilent(said, [...KNOWN, ...seen]);
    await Deno.remove(cwd, { recursive: true });
  });
}

const RIGHT = {
  okta: `okta: { domain: o.okta.com, api_token: '${apiToken}' }`,
  grafana: `grafana: { url: g.example.com, api_key: '${grafanaToken}' }`,
  sync: "sync: { mappings: [{ okta_group: A, grafana_team: T }] }",
};

/** Configurations that are wrong with the secrets in them. */
const WRONG: Readonly<Record<string, readonly [Partial<typeof RIGHT>, env?: Record<string, string>]>> = {
  "another setting is wrong": [{ sync: "sync: { interval_seconds: 1 }" }],
  "the token is the interval": [{ sync: `sync: { interval_seconds: '${apiToken}' }` }],
  "the token is a setting's name": [{ okta: `okta: { domain: o, '${apiToken}': 1 }` }],
  "the token is the domain": [{
    okta: `okta: { domain: 'o.okta.com/${apiToken}', api_token: '${apiToken}' }`,
  }],
  "the token is in the URL": [{
    grafana: `grafana: { url: "https://x:${encodeURIComponent(grafanaToken)}@g.test", api_key: k }`,
  }],
  "the YAML is broken behind the token": [{ okta: `okta: { api_token: '${apiToken}` }],
  "the token is a list": [{ okta: `okta: { domain: o, api_token: ['${apiToken}'] }` }],
  "the token is no ASCII": [{ okta: `okta: { domain: o.okta.com, api_token: '${apiToken}é' }` }],
  "the token is the name of its file": [{}, { OKTA_API_TOKEN_FILE: apiToken }],
  "the token is given twice": [{}, { GRAFANA_API_KEY: grafanaToken, GRAFANA_API_KEY_FILE: "x" }],
  "the token is the port": [{}, { METRICS_PORT: grafanaToken }],
  "the token is the log level": [{}, { LOG_LEVEL: grafanaToken }],
  "the token is the way to sign in": [{}, { OKTA_AUTH_METHOD: clientSecret }],
};

for (const [what, [lines, env = {}]] of Object.entries(WRONG)) {
  Deno.test(`no command says a secret of a wrong configuration in which ${what}`, async () => {
    const cwd = await directoryWith({
      "config.yaml": `${Object.values({ ...RIGHT, ...lines }).join("\n")}\n`,
    });
    for (
      const args of what === "another setting is wrong"
        ? [["validate"], ["check"], ["sync"], ["plan"], ["run"]]
        : [["sync"]]
    ) {
      const { code, stdout, stderr } = await run(args, { cwd, env: { LOG_LEVEL: "DEBUG", ...env } });
      assertEquals([code, stdout], [78, ""], stderr);
      assertSilent(stderr, KNOWN);
    }
    await Deno.remove(cwd, { recursive: true });
  });
}
