/** Values of the environment: those that Kubernetes puts there, and those that are wrong. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { documentWith, errorOf, load, problemsOf, settingOf, type World } from "./world.ts";

/** What Kubernetes puts into every pod beside a service, as its documentation shows it for `redis-primary`. */
function serviceLinks(service: string): Record<string, string> {
  const name = service.toUpperCase().replaceAll("-", "_");
  return {
    [`${name}_SERVICE_HOST`]: "10.0.0.11",
    [`${name}_SERVICE_PORT`]: "6379",
    [`${name}_SERVICE_PORT_HTTP`]: "6379",
    [`${name}_PORT`]: "tcp://10.0.0.11:6379",
    [`${name}_PORT_6379_TCP`]: "tcp://10.0.0.11:6379",
    [`${name}_PORT_6379_TCP_PROTO`]: "tcp",
    [`${name}_PORT_6379_TCP_PORT`]: "6379",
    [`${name}_PORT_6379_TCP_ADDR`]: "10.0.0.11",
  };
}

const SERVICES = ["okta", "grafana", "sync", "log", "metrics", "okta-domain", "grafana-url", "metrics-host"];

for (const service of SERVICES) {
  Deno.test(`a service called ${service} beside the pod changes no setting`, async () => {
    const { config, warnings } = await load(documentWith(), { environment: serviceLinks(service) });
    assertEquals(JSON.stringify(config), JSON.stringify((await load(documentWith())).config));
    assertEquals(warnings.length, service === "metrics" ? 1 : 0);
  });
}

for (const link of ["tcp://10.0.0.1:80", "udp://10.0.0.1:53", "sctp://10.0.0.1:9", "tcp://[fd00::1]:80"]) {
  Deno.test(`METRICS_PORT=${link} is ignored, with a warning`, async () => {
    const { config, warnings } = await load(documentWith({ metrics: "{ port: 9000 }" }), {
      environment: { METRICS_PORT: link },
    });
    assertEquals(config.metrics.port, 9000);
    assertEquals(warnings, [
      "METRICS_PORT is ignored: Kubernetes sets it in every pod to the address of the service called metrics; " +
      "set enableServiceLinks: false in the pod, or metrics.port in the configuration",
    ]);
  });
}

Deno.test("a METRICS_PORT of .env counts where that of the environment is the address of a service", async () => {
  const { config } = await load(documentWith(), {
    environment: { METRICS_PORT: "tcp://10.0.0.1:80" },
    files: { ".env": "METRICS_PORT=9001" },
  });
  assertEquals(config.metrics.port, 9001);
});

const WRONG: Readonly<Record<string, string>> = {
  OKTA_DOMAIN: "http://o.okta.com",
  OKTA_AUTH_METHOD: "basic",
  OKTA_API_TOKEN: "two\nlines",
  GRAFANA_URL: "ftp://g",
  SYNC_INTERVAL_SECONDS: "5m",
  SYNC_DRY_RUN: "maybe",
  LOG_LEVEL: "LOUD",
  LOG_FORMAT: "xml",
  METRICS_ENABLED: "perhaps",
  METRICS_PORT: "0",
  METRICS_TOKEN: "short",
};

for (const [variable, value] of Object.entries(WRONG)) {
  Deno.test(`a wrong ${variable} is told with its name, from the environment and from .env`, async () => {
    const worlds: World[] = [
      { environment: { [variable]: value } },
      { files: { ".env": `${variable}=${JSON.stringify(value)}\n` } },
    ];
    for (const world of worlds) {
      const [problem, ...others] = await problemsOf(documentWith(), world);
      assertMatch(problem ?? "", new RegExp(`: expected .*, found .* in ${variable}$`));
      assertEquals(others, []);
    }
  });
}

Deno.test("a wrong value behind ${VAR} is told with the variable's name", async () => {
  const document = documentWith({
    grafana: '{ url: "http://grafana:${GRAFANA_PORT}", api_key: k }',
    metrics: '{ port: "${PORT}" }',
    okta: '{ domain: o.okta.com, api_token: 00token, oauth: { scopes: ["a", "${EMPTY:-}"] } }',
  });
  const environment = { ...serviceLinks("grafana"), PORT: "http" };
  const problems = await problemsOf(document, { environment });
  assertEquals(problems.length, 3);
  assertStringIncludes(
    problems.join("\n"),
    'metrics.port: expected a port number from 1 to 65535, found "http" in PORT',
  );
  assertMatch(
    problems.join("\n"),
    /grafana\.url: expected .* found a string of \d+ characters in GRAFANA_PORT$/m,
  );
});

Deno.test("a wrong value of a file of a credential is told with the variable that names the file", async () => {
  const [problem] = await problemsOf(documentWith(), {
    environment: { METRICS_TOKEN_FILE: "/run/secrets/token" },
    files: { "/run/secrets/token": "short" },
  });
  assertMatch(
    problem ?? "",
    /^metrics\.token: expected .*, found \[redacted\] in the file of METRICS_TOKEN_FILE$/,
  );
});

Deno.test("a wrong value of the file is told without a variable", async () => {
  assertEquals(await problemsOf(documentWith({ metrics: "{ port: 0 }" })), [
    "metrics.port: expected a port number from 1 to 65535, found 0",
  ]);
});

Deno.test("where variables are missing and there is no .env, the working directory is named", async () => {
  for (
    const document of [
      documentWith({ okta: '{ domain: "${OKTA}", api_token: 00token }' }),
      documentWith({ okta: "{ domain: o.okta.com }" }),
      documentWith({ metrics: '{ token: "${TOKEN}" }' }),
    ]
  ) {
    const { notes, message } = await errorOf(document);
    assertEquals(notes, [`the working directory is ${Deno.cwd()}; it has no .env file`]);
    assertStringIncludes(message, `Note: ${notes[0]}`);
  }
});

Deno.test("a .env that is a directory is told where variables are missing", async () => {
  const document = documentWith({ okta: '{ domain: "${OKTA}", api_token: 00token }' });
  const { notes } = await errorOf(document, {
    files: { ".env": new Deno.errors.IsADirectory("os error 21") },
  });
  assertStringIncludes(notes.join(), "its .env is a directory, which Docker creates");
});

Deno.test("nothing is said of .env where there is one, or where no variable is missing", async () => {
  const document = documentWith({ okta: '{ domain: "${OKTA}", api_token: 00token }' });
  assertEquals((await errorOf(document, { files: { ".env": "A=1" } })).notes, []);
  assertEquals((await errorOf(documentWith({ metrics: "{ port: 0 }" }))).notes, []);
});

Deno.test("a line of .env that cannot be read is told beside the error that it leads to", async () => {
  const document = documentWith({ okta: '{ domain: o.okta.com, api_token: "${TOKEN}" }' });
  const error = await errorOf(document, { files: { ".env": "A=1\nTOKEN='00open\n" } });
  assertStringIncludes(error.problems.join(), "the environment variable TOKEN is not set");
  assertEquals(error.notes, [".env: line 2 is malformed and was skipped"]);
});

for (const line of ["OKTA_API_TOKEN", "OKTA_API_TOKEN:00token", "export OKTA_API_TOKEN"]) {
  Deno.test(`a line of .env without = is told: ${line}`, async () => {
    const { warnings } = await load(documentWith(), { files: { ".env": `A=1\n${line}\n` } });
    assertEquals(warnings, [".env: line 2 has no = and sets nothing"]);
  });
}

Deno.test("an empty variable is told where it leaves a setting that protects to its default", async () => {
  const metrics = documentWith({ metrics: "{ enabled: true }" });
  for (const variable of ["METRICS_TOKEN", "METRICS_TOKEN_FILE"]) {
    const { config, warnings } = await load(metrics, { environment: { [variable]: "" } });
    assertEquals(settingOf(config, "metrics.token"), undefined);
    assertEquals(warnings, [
      `${variable} is empty, which counts as unset: metrics.token keeps its default`,
    ]);
  }
  const { warnings } = await load(documentWith(), { environment: { SYNC_DRY_RUN: "", METRICS_TOKEN: "" } });
  assertEquals(warnings, [
    "SYNC_DRY_RUN is empty, which counts as unset: sync.dry_run keeps its default",
  ]);
});

Deno.test("an empty …_FILE is told where the credential is missing, and so is an empty file", async () => {
  const without = documentWith({ okta: "{ domain: o.okta.com }" });
  const [unset] = await problemsOf(without, { environment: { OKTA_API_TOKEN_FILE: "" } });
  assertStringIncludes(unset ?? "", "okta.api_token: the environment variable OKTA_API_TOKEN_FILE is empty");
  for (const text of ["", "\n", " \n"]) {
    const [empty] = await problemsOf(without, {
      environment: { OKTA_API_TOKEN_FILE: "/run/secrets/t" },
      files: { "/run/secrets/t": text },
    });
    assertStringIncludes(
      empty ?? "",
      "okta.api_token: OKTA_API_TOKEN_FILE points to /run/secrets/t: this file is empty; expected",
    );
  }
});

Deno.test("an empty file counts as unset where its credential is not needed, as the systemd unit gives it", async () => {
  const world = {
    environment: {
      OKTA_PRIVATE_KEY_FILE: "/run/k",
      METRICS_TOKEN_FILE: "/run/m",
      OKTA_API_TOKEN_FILE: "/run/t",
    },
    files: { "/run/k": "\n", "/run/m": "\n", "/run/t": "\n" },
  };
  const { config, warnings } = await load(documentWith(), world);
  assertEquals(JSON.stringify(config), JSON.stringify((await load(documentWith())).config));
  assertEquals(warnings, []);
  const problems = await problemsOf(documentWith({ metrics: "{ token: '${SCRAPE_TOKEN}' }" }), world);
  assertStringIncludes(
    problems.join("\n"),
    "metrics.token: the environment variable SCRAPE_TOKEN is not set, and gots assumes no default",
  );
});
