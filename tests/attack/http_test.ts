/** The HTTP server answers GET and HEAD only, with security headers on every answer, and says nothing of its inside. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep } from "../../src/http/surroundings.ts";
import { createApp } from "../../src/service/app.ts";
import { listen } from "../../src/service/listen.ts";
import { BEGIN, mapping, toldService } from "../service/fixtures.ts";
import { captureLog } from "../support.ts";

/** The server of a service that is stuck if asked so, and what it answers to a request written by hand. */
async function withServer(
  test: (
    ask: (request: string) => Promise<string>,
    captured: ReturnType<typeof captureLog>,
    breakMetrics: (error: unknown) => void,
  ) => Promise<void>,
  now = BEGIN,
): Promise<void> {
  const { clock, metrics, health, isReady } = toldService([mapping("Engineering", "Engineers")]);
  clock.now = now;
  let broken: { error: unknown } | undefined;
  const registry = Object.create(metrics.registry, {
    metrics: { value: () => broken ? Promise.reject(broken.error) : metrics.registry.metrics() },
  });
  const captured = captureLog();
  const app = createApp({ health, isReady, metrics: { registry }, log: captured.log });
  const server = listen(app, { host: "127.0.0.1", port: 0, log: captured.log, sleep });
  const ask = async (request: string) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(server.url).port) });
    const bytes = Uint8Array.from(request, (character) => character.charCodeAt(0));
    await connection.write(bytes);
    return await new Response(connection.readable).text();
  };
  try {
    await test(ask, captured, (error) => broken = { error });
  } finally {
    await server.close();
  }
}

const REST = "Host: gots\r\nConnection: close\r\n\r\n";

/** Fails unless the answer has this status and every security header. */
function assertSecure(answer: string, status: number): void {
  const [head = ""] = answer.split("\r\n\r\n");
  assertMatch(head, new RegExp(`^HTTP/1\\.1 ${status} `));
  for (
    const header of [
      "x-content-type-options: nosniff",
      "x-frame-options: deny",
      "referrer-policy: no-referrer",
      "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; ",
      "cache-control: no-store",
      "cross-origin-resource-policy: same-origin",
    ]
  ) assert(head.toLowerCase().includes(`\r\n${header}`), `${header} is missing in ${head}`);
  assert(
    !/^(?:server|x-powered-by|strict-transport-security|access-control-allow-origin):/im.test(head),
    head,
  );
}

for (
  const line of [
    ...["POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "QUERY", "get", "GETS"].map((
      method,
    ) => `${method} /health`),
    "OPTIONS *",
    "CONNECT evil.test:443",
    "POST /metrics",
    "TRACE /no/such/page",
  ]
) {
  Deno.test(`the HTTP server answers GET and HEAD only: ${line} is 405, with Allow and security headers`, () =>
    withServer(async (ask, captured) => {
      const answer = await ask(`${line} HTTP/1.1\r\nX-Attack: reflected\r\n${REST}`);
      assertSecure(answer, 405);
      assertMatch(answer, /^allow: GET, HEAD\r$/im);
      assert(answer.endsWith("\r\n\r\nMethod Not Allowed\n"), answer);
      assert(!answer.includes("reflected"), "TRACE reflects nothing");
      assertEquals(captured.messages(), []);
    }));
}

const STATUSES: readonly (readonly [line: string, status: number, now?: number])[] = [
  ["GET /health", 200],
  ["HEAD /health", 200],
  ["GET /health", 503, BEGIN + 86_400_000],
  ["HEAD /health", 503, BEGIN + 86_400_000],
  ["GET /ready", 503],
  ["GET /metrics", 200],
  ["HEAD /metrics", 200],
  ["GET /", 404],
  ["HEAD /", 404],
  ["GET /<script>alert(1)</script>", 404],
  ["GET /health/../../etc/passwd", 404],
  ["GET /%2e%2e/%2e%2e/etc/passwd%00", 404],
  ["GET http://evil.test/health", 200],
];

for (const [line, status, now] of STATUSES) {
  Deno.test(`security headers are on every answer: ${line} is ${status}`, () =>
    withServer(async (ask, captured) => {
      const answer = await ask(`${line} HTTP/1.1\r\n${REST}`);
      assertSecure(answer, status);
      const [, body = ""] = answer.split("\r\n\r\n");
      if (line.startsWith("HEAD")) assertEquals(body, "");
      if (status === 404 && !line.startsWith("HEAD")) {
        assertEquals(body, "Not Found\n", "nothing of the path");
      }
      assertEquals(captured.messages(), []);
    }, now));
}

const MALFORMED: readonly string[] = [
  "GET /\x1b[31m HTTP/1.1\r\n",
  "GET no-slash HTTP/1.1\r\n",
  "GET /health HTTP/9.9\r\n",
  "PRI * HTTP/2.0\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
  "GET /health HTTP/1.1\r\nX-A: a\x00b\r\n",
  "GET /health HTTP/1.1\r\n broken header\r\n",
  "GET /health HTTP/1.1\r\nContent-Length: -1\r\n",
  "POST /health HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
];

for (const request of MALFORMED) {
  Deno.test(`a malformed request is refused without a word in the log: ${JSON.stringify(request)}`, () =>
    withServer(async (ask, captured) => {
      const answer = await ask(`${request}${REST}`).catch(() => "");
      if (answer) assertMatch(answer, /^HTTP\/1\.1 4\d\d [^]*\r\n\r\n$/, "no body that could tell anything");
      assertSecure(await ask(`GET /health HTTP/1.1\r\n${REST}`), 200);
      assertEquals(captured.messages(), []);
    }));
}

Deno.test("two requests smuggled as one are not both answered", () =>
  withServer(async (ask) => {
    const inner = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    const head = `POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: ${inner.length + 5}\r\n`;
    const answer = await ask(
      `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n${inner}`,
    );
    assert(!answer.includes("gots_"), answer);
  }));

const INSIDE = "glsa_SeCrEt /app/config.yaml \x1b[31mred\n2026-01-01 00:00:00 - INFO - forged";

for (
  const [what, error] of [
    ["an error", new Error(INSIDE, { cause: new Error("inner /etc/passwd") })],
    ["an error of a type of its own", Object.assign(new TypeError(INSIDE), { status: 200, path: "/etc" })],
    [
      "an error with an answer",
      Object.assign(new Error(INSIDE), { getResponse: () => new Response(INSIDE) }),
    ],
  ] as const
) {
  Deno.test(`an internal error shows no secret, path or stack: ${what} of the metrics`, () =>
    withServer(async (ask, captured, breakMetrics) => {
      breakMetrics(error);
      for (const method of ["GET", "HEAD"]) {
        const answer = await ask(`${method} /metrics HTTP/1.1\r\n${REST}`);
        assertSecure(answer, 500);
        const [head = "", body = ""] = answer.split("\r\n\r\n");
        assertEquals(body, method === "HEAD" ? "" : "Internal Server Error\n");
        assert(!/SeCrEt|config\.yaml|etc\/|forged|\.ts:/.test(head), head);
      }
      const lines = captured.messages();
      assertEquals(lines.length, 2, "one line each, however many lines the error has");
      for (const line of lines) assert(!/\.ts:\d|etc\/passwd|\n\s+at /.test(line), "neither stack nor cause");
    }));
}

Deno.test("what a request holds is never logged: path, query, headers, body", () =>
  withServer(async (ask, captured, breakMetrics) => {
    breakMetrics(new Error("boom"));
    for (const path of ["/health", "/metrics", "/no"]) {
      for (const method of ["GET", "POST"]) {
        await ask(
          `${method} ${path}?q=attacker HTTP/1.1\r\nUser-Agent: attacker\r\nContent-Length: 8\r\n${REST}attacker`,
        );
      }
    }
    assert(!JSON.stringify(captured.lines()).includes("attacker"));
  }));
