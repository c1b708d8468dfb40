import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { Secret } from "../../src/config/secret.ts";
import { sleep } from "../../src/http/surroundings.ts";
import { type AppOptions, createApp } from "../../src/service/app.ts";
import { listen, ListenError } from "../../src/service/listen.ts";
import { captureLog, hasIPv6 } from "../support.ts";
import { cycleReport, mapping, mappingReport, toldService } from "./fixtures.ts";

const MAPPING = mapping("Engineering", "Engineers");

/** The application of a service that has just begun. */
function application(options: Partial<AppOptions> = {}) {
  const service = toldService([MAPPING]);
  return { ...service, app: createApp({ ...service, board: undefined, log: captureLog().log, ...options }) };
}

Deno.test("/health is 200 while the service is healthy or degraded, and 503 when it is stuck", async () => {
  const { app, tell, clock } = application();
  const health = async () => {
    const answer = await app.request("/health");
    return [answer.status, (await answer.json()).status];
  };
  assertEquals(await health(), [200, "healthy"]);
  tell({ kind: "mapping ended", report: mappingReport(MAPPING, { onHold: 1 }) });
  assertEquals(await health(), [200, "degraded"]);
  clock.now += 3_600_000;
  assertEquals(await health(), [503, "unhealthy"]);
  tell({ kind: "progress" });
  assertEquals(await health(), [200, "degraded"]);
});

Deno.test("/health is JSON that holds what the status says", async () => {
  const { app, tell, health } = application();
  tell({ kind: "mapping ended", report: mappingReport(MAPPING, { added: 1 }) });
  const answer = await app.request("/health");
  assertMatch(answer.headers.get("content-type") ?? "", /^application\/json/);
  assertEquals(await answer.json(), JSON.parse(JSON.stringify(health())));
});

Deno.test("/ready is 503 until the first cycle has ended, then 200", async () => {
  const { app, tell } = application();
  const before = await app.request("/ready");
  assertEquals([before.status, await before.json()], [503, { ready: false }]);
  tell({ kind: "cycle ended", report: cycleReport() });
  const after = await app.request("/ready");
  assertEquals([after.status, await after.json()], [200, { ready: true }]);
});

Deno.test("/metrics is Prometheus's text form, with the series of every mapping from the start", async () => {
  const answer = await application().app.request("/metrics");
  assertEquals(answer.status, 200);
  assertMatch(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  const labels = '{okta_group="Engineering",grafana_team="Engineers"}';
  for (
    const name of [
      "gots_users_added_total",
      "gots_users_removed_total",
      "gots_sync_errors_total",
      "gots_last_sync_timestamp",
      "gots_last_sync_success",
      "gots_sync_duration_seconds_count",
    ]
  ) assert(text.includes(`${name}${labels} 0\n`), name);
  assertMatch(text, /^# TYPE gots_sync_duration_seconds histogram$/m);
  assertMatch(text, /^process_resident_memory_bytes [1-9]\d+$/m);
});

Deno.test("HEAD answers as GET does, without a body", async () => {
  const { app } = application();
  for (
    const [path, status] of [["/health", 200], ["/ready", 503], ["/metrics", 200], ["/no", 404]] as const
  ) {
    const answer = await app.request(path, { method: "HEAD" });
    assertEquals([path, answer.status, await answer.text()], [path, status, ""]);
  }
});

for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
  Deno.test(`${method} is not allowed, on any path`, async () => {
    for (const path of ["/health", "/ready", "/metrics", "/no"]) {
      const answer = await application().app.request(path, { method });
      assertEquals([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"]);
      assertEquals(await answer.text(), "Method Not Allowed\n");
    }
  });
}

Deno.test("an unknown path is 404", async () => {
  for (const path of ["/", "/healthz", "/health/x", "/metrics/", "/%2e%2e/etc/passwd"]) {
    const answer = await application().app.request(path);
    assertEquals([path, answer.status, await answer.text()], [path, 404, "Not Found\n"]);
  }
});

Deno.test("every answer carries the security headers, and none that would force HTTPS on the host", async () => {
  for (const path of ["/health", "/ready", "/metrics", "/no"]) {
    const { headers } = await application().app.request(path);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("x-frame-options"), "DENY");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("strict-transport-security"), null);
  }
});

Deno.test("a server listens on a free port, answers, and is gone when closed", async () => {
  const server = listen(application().app, { host: "127.0.0.1", port: 0, log: captureLog().log, sleep });
  assertMatch(server.url, /^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  const answer = await fetch(`${server.url}/health`);
  assertEquals([answer.status, (await answer.json()).status], [200, "healthy"]);
  await server.close();
  const again = listen(application().app, {
    host: "127.0.0.1",
    port: Number(new URL(server.url).port),
    log: captureLog().log,
    sleep,
  });
  await again.close();
});

Deno.test({
  name: "a server on :: answers over IPv4 and IPv6",
  ignore: !hasIPv6(),
  async fn() {
    const server = listen(application().app, { host: "::", port: 0, log: captureLog().log, sleep });
    const { port } = new URL(server.url);
    for (const host of ["127.0.0.1", "[::1]"]) {
      const answer = await fetch(`http://${host}:${port}/health`);
      assertEquals([host, answer.status, (await answer.json()).status], [host, 200, "healthy"]);
    }
    await server.close();
  },
});

Deno.test("a port that another program uses is refused with what to do", () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = listener.addr;
    const error = assertThrows(
      () => listen(application().app, { host: "127.0.0.1", port, log: captureLog().log, sleep }),
      ListenError,
    );
    assertEquals(
      error.message,
      `Cannot listen on 127.0.0.1:${port}: another program uses this port: stop it, or set metrics.port`,
    );
    assert(error.cause instanceof Deno.errors.AddrInUse);
  } finally {
    listener.close();
  }
});

Deno.test("an address that this machine does not have is refused with the settings that name it", () => {
  const error = assertThrows(
    () => listen(application().app, { host: "192.0.2.1", port: 8000, log: captureLog().log, sleep }),
    ListenError,
  );
  assertMatch(
    error.message,
    /^Cannot listen on 192\.0\.2\.1:8000: .+: check metrics\.host and metrics\.port$/,
  );
  assertStringIncludes(new ListenError("2001:db8::1", 8000, "x").message, "listen on [2001:db8::1]:8000: ");
});

const TOKEN = "0123456789abcdef";
const basic = (password: string) => `Basic ${btoa(`anybody:${password}`)}`;

Deno.test("with a token everything but /health and /ready wants it, as bearer or as password", async (t) => {
  const { app } = application({ board: () => ({}) as never, token: new Secret(TOKEN) });
  const ask = async (path: string, authorization?: string) => {
    const answer = await app.request(path, authorization ? { headers: { authorization } } : {});
    await answer.body?.cancel();
    return answer.status;
  };
  for (const path of ["/health", "/ready"]) {
    await t.step(`${path} is for everybody`, async () => assert(await ask(path) !== 401));
  }
  for (const path of ["/metrics", "/", "/api/status", "/status.css", "/no/such/page"]) {
    await t.step(`${path} is not`, async () => {
      assertEquals(await ask(path), 401);
      for (
        const wrong of ["Bearer 0123456789abcdeX", "Bearer ", "Bearer", basic("wrong"), "Basic !", "Token x"]
      ) {
        assertEquals(
          [wrong, await ask(path, wrong)].map(String).join().replace(",400", ",401"),
          `${wrong},401`,
        );
      }
      if (path === "/metrics" || path === "/api/status") {
        // The name of a scheme has no case. @see RFC 9110 11.1
        const right = ["Bearer", "bearer", "BEARER"].map((scheme) => `${scheme} ${TOKEN}`);
        for (const shown of [...right, basic(TOKEN), basic(TOKEN).replace("Basic", "basic")]) {
          assertEquals(await ask(path, shown), 200, shown);
        }
      }
    });
  }
});

Deno.test("a browser that shows no token is asked for one", async () => {
  const { app } = application({ token: new Secret(TOKEN) });
  const answer = await app.request("/metrics");
  assertEquals([answer.headers.get("www-authenticate"), await answer.text()], [
    'Basic realm="gots"',
    "Unauthorized",
  ]);
});

Deno.test("metrics come as OpenMetrics to whoever wants that, and as Prometheus's text to everybody else", async (t) => {
  const { app } = application();
  const cases: [accept: string | undefined, isOpen: boolean][] = [
    [undefined, false],
    ["*/*", false],
    ["text/html,application/xhtml+xml,*/*;q=0.8", false],
    ["text/plain;version=0.0.4;q=0.3,*/*;q=0.2", false],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,*/*;q=0.2",
      true,
    ],
  ];
  for (const [accept, isOpen] of cases) {
    await t.step(String(accept), async () => {
      const answer = await app.request("/metrics", accept ? { headers: { accept } } : {});
      const text = await answer.text();
      assertEquals(
        answer.headers.get("content-type"),
        isOpen
          ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
          : "text/plain; version=0.0.4; charset=utf-8",
      );
      assertEquals(text.endsWith("\n# EOF\n"), isOpen);
      const family = `gots_users_added${isOpen ? "" : "_total"}`;
      assertStringIncludes(text, `# TYPE ${family} counter\n`);
      assertStringIncludes(
        text,
        'gots_users_added_total{okta_group="Engineering",grafana_team="Engineers"} 0\n',
      );
    });
  }
});

Deno.test("what is long is compressed for whoever takes gzip", async () => {
  const { app } = application();
  const answer = await app.request("/metrics", { headers: { "accept-encoding": "gzip" } });
  assertEquals(answer.headers.get("content-encoding"), "gzip");
  const plain = answer.body?.pipeThrough(new DecompressionStream("gzip"));
  assertMatch(await new Response(plain ?? null).text(), /^# HELP gots_/);
});

Deno.test("without a status page there is none", async () => {
  const { app } = application();
  for (const path of ["/", "/api/status", "/status.css", "/status.js", "/icon.svg"]) {
    const answer = await app.request(path);
    assertEquals([path, answer.status, await answer.text()], [path, 404, "Not Found\n"]);
  }
});

/** The status of an answer to a request that names this host. */
async function askAs(host: string, path: string, options: Partial<AppOptions>): Promise<number> {
  const { app } = application(options);
  return (await app.request(path, { headers: { host } })).status;
}

for (const path of ["/", "/api/status", "/metrics", "/health", "/ready"]) {
  Deno.test(`on a loopback address without a token, ${path} is answered under loopback names only`, async () => {
    for (
      const host of [
        "attacker.example",
        "attacker.example:8000",
        "127.0.0.1.attacker.example",
        "localhost.example",
      ]
    ) {
      assertEquals(await askAs(host, path, { host: "127.0.0.1" }), 421, host);
    }
    for (
      const host of [
        "localhost:8000",
        "LOCALHOST",
        "127.0.0.1:8000",
        "127.0.1.1",
        "[::1]:8000",
        "gots.localhost:80",
      ]
    ) {
      assert(await askAs(host, path, { host: "127.0.0.1" }) !== 421, host);
    }
  });
}

for (
  const [what, host, options] of [
    ["a pod's address, as Kubernetes probes it", "10.1.2.3:8000", { host: "0.0.0.0" }],
    ["a Service's name, as Prometheus scrapes it", "gots.monitoring.svc:8000", { host: "0.0.0.0" }],
    ["a name, on every IPv6 address", "gots.example.com", { host: "::" }],
    ["a name, on one address of the network", "gots.example.com", { host: "192.0.2.7" }],
    ["a name that a proxy on the machine passes on, with a token", "gots.example.com", {
      host: "127.0.0.1",
      token: new Secret(TOKEN),
    }],
  ] as const
) {
  Deno.test(`the server answers under ${what}`, async () => {
    assertEquals(await askAs(host, "/health", options), 200);
  });
}

Deno.test("a request for another name is told what to do, over a real connection", async () => {
  const { app } = application({ host: "127.0.0.1" });
  const server = listen(app, { host: "127.0.0.1", port: 0, log: captureLog().log, sleep });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(server.url).port) });
  const request = "GET /api/status HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(request));
  const answer = await new Response(connection.readable).text();
  await server.close();
  assertMatch(answer, /^HTTP\/1\.1 421 /);
  assertStringIncludes(answer, "use localhost, or set metrics.token");
});
