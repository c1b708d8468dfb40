/** Which requests are sent again, how often, and after which wait. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { json, type Scripted, SUCCESS, TEAM, world } from "./world.ts";

const START = Date.UTC(2026, 0, 1);

for (const status of [408, 429, 500, 502, 503, 504]) {
  Deno.test(`a ${status} is repeated, and the success that follows is the answer`, async () => {
    const { send, requests } = world([json({}, status), json({}, status), json(SUCCESS)]);
    assertEquals((await send(TEAM)).body, SUCCESS);
    assertEquals(requests.length, 3);
  });
}

for (const status of [400, 401, 403, 404, 409, 410, 412, 422, 501]) {
  Deno.test(`a ${status} is never repeated`, async () => {
    const { fails, requests, slept } = world([json({}, status), json(SUCCESS)]);
    assertEquals((await fails()).status, status);
    assertEquals([requests.length, slept], [1, []]);
  });
}

Deno.test("a failed connection is repeated, for writes as well", async () => {
  const { send, requests } = world([new TypeError("connection refused"), json(SUCCESS)]);
  await send({ ...TEAM, method: "DELETE" });
  assertEquals(requests.map(({ init }) => init.method), ["DELETE", "DELETE"]);
});

Deno.test("a certificate that is not accepted is not repeated, and the error says what to do", async () => {
  const refused = new TypeError("fetch failed", {
    cause: new Error("invalid peer certificate: UnknownIssuer"),
  });
  const { fails, requests } = world([refused]);
  const error = await fails();
  assertEquals([error.kind, requests.length], ["certificate", 1]);
  assertMatch(error.message, /^SSL Certificate verification failed: .*UnknownIssuer .*REQUESTS_CA_BUNDLE/);
});

Deno.test("five attempts in all, with waits that double up to a ceiling", async () => {
  const { fails, requests, slept } = world([json({}, 500)]);
  const error = await fails();
  assertEquals([error.kind, error.status], ["server-error", 500]);
  assertEquals([requests.length, slept], [5, [1_000, 2_000, 4_000, 8_000]]);
});

Deno.test("waits are jittered over their whole range, so that many clients do not come back together", async () => {
  const randoms = [0, 0.5, 0.25, 0.999];
  const { fails, slept } = world([json({}, 500)], { around: { random: () => randoms.shift() ?? 1 } });
  await fails();
  assertEquals(slept, [0, 1_000, 1_000, 7_992]);
});

Deno.test("attempts and waits can be set for a service", async () => {
  const backoff = { attempts: 4, firstMs: 10, mostMs: 25 };
  const { fails, slept } = world([json({}, 502)], { service: { backoff } });
  await fails();
  assertEquals(slept, [10, 20, 25]);
});

const waits:
  readonly (readonly [what: string, status: number, headers: Record<string, string>, ms: number])[] = [
    ["Retry-After in seconds", 429, { "retry-after": "7" }, 7_000],
    ["Retry-After in seconds", 503, { "retry-after": "120" }, 120_000],
    ["Retry-After as a date", 503, { "retry-after": new Date(START + 9_000).toUTCString() }, 9_000],
    [
      "Retry-After as a date, by the service's own clock",
      429,
      { "retry-after": "Thu, 01 Jan 2015 00:00:30 GMT", date: "Thu, 01 Jan 2015 00:00:10 GMT" },
      20_000,
    ],
    [
      "X-Rate-Limit-Reset, by the service's own clock",
      429,
      {
        "x-rate-limit-limit": "600",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": String(Date.UTC(2015, 0, 1, 0, 0, 30) / 1_000),
        date: "Thu, 01 Jan 2015 00:00:10 GMT",
      },
      21_000,
    ],
    [
      "Okta's limit of concurrent requests, which has no reset, as backoff",
      429,
      {
        "x-rate-limit-limit": "0",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": String(START / 1_000 + 60),
      },
      1_000,
    ],
    ["a 429 without any word as backoff", 429, {}, 1_000],
    ["a Retry-After that is no time as backoff", 503, { "retry-after": "soon" }, 1_000],
    ["the Retry-After of a 500 as backoff", 500, { "retry-after": "7" }, 1_000],
    [
      "a 503 whose rate limit is not used up as backoff",
      503,
      {
        "x-rate-limit-limit": "600",
        "x-rate-limit-remaining": "599",
        "x-rate-limit-reset": String(START / 1_000 + 50),
      },
      1_000,
    ],
  ];

for (const [what, status, headers, ms] of waits) {
  Deno.test(`${status}: the wait heeds ${what}`, async () => {
    const { send, slept } = world([json({}, status, headers), json(SUCCESS)]);
    await send(TEAM);
    assertEquals(slept, [ms]);
  });
}

for (const value of ["301", "86400", "9".repeat(400), new Date(START + 3_600_000).toUTCString()]) {
  Deno.test(`a Retry-After of ${value.slice(0, 30)} is beyond patience: the request fails at once`, async () => {
    const { fails, requests, slept } = world([json({}, 429, { "retry-after": value })]);
    assertEquals((await fails()).kind, "rate-limited");
    assertEquals([requests.length, slept], [1, []]);
  });
}

Deno.test("a wait is announced, with why and how long", async () => {
  const { send, messages } = world([json({}, 429, { "retry-after": "7" }), json({}, 502), json(SUCCESS)]);
  await send(TEAM);
  assertEquals(messages().filter((line) => !line.startsWith("DEBUG")), [
    "WARNING Rate limit exceeded (Grafana GET /api/teams/7): waiting 7.0 s, then attempt 2 of 5",
    "WARNING returned 502 (Grafana GET /api/teams/7): waiting 2.0 s, then attempt 3 of 5",
  ]);
});

/** Two credentials: the second one comes after `renew`. */
function twoCredentials() {
  const credentials = ["first", "second"];
  return {
    headers: () => Promise.resolve({ authorization: `Bearer ${credentials[0]}` }),
    renew: () => {
      credentials.shift();
      return true;
    },
  };
}

Deno.test("a 401 renews the credential and repeats at once", async () => {
  const { send, requests, slept } = world([json({}, 401), json(SUCCESS)], {
    service: { authorization: twoCredentials() },
  });
  await send(TEAM);
  assertEquals(requests.map(({ headers }) => headers.get("authorization")), [
    "Bearer first",
    "Bearer second",
  ]);
  assertEquals(slept, []);
});

Deno.test("a 401 renews the credential once, not for ever", async () => {
  const { fails, requests } = world([json({}, 401)], { service: { authorization: twoCredentials() } });
  assertEquals((await fails()).kind, "unauthorized");
  assertEquals(requests.length, 2);
});

Deno.test("a credential that cannot be had ends the request before it is sent", async () => {
  const authorization = { headers: () => Promise.reject(new Error("no token")) };
  const { send, requests } = world([json(SUCCESS)], { service: { authorization } });
  assertEquals(await send(TEAM).then(() => "sent", String), "Error: no token");
  assertEquals(requests, []);
});

Deno.test("a connection that fails is told without the address's query and with what to do", async () => {
  const messages = [
    "error sending request for url (https://grafana.example.com/g/ssl?q=hidden): client error (Connect): dns error",
    "error sending request from 10.0.0.1:5 for https://grafana.example.com/g/ssl?q=hidden (10.0.0.2:443): " +
    "client error (SendRequest): connection closed before message completed",
    "error sending request for url (https://grafana.example.com/?q=hidden): client error (Connect): tls handshake eof",
  ];
  for (const message of messages) {
    const once: Scripted = () => Promise.reject(new TypeError("fetch failed", { cause: new Error(message) }));
    const { fails } = world([once], { service: { backoff: { attempts: 1 } } });
    const error = await fails();
    assertEquals(error.kind, "unreachable");
    assertStringIncludes(
      error.message,
      message.split("): ").slice(1).join("): ").replace("client error (Connect): ", ""),
    );
    assertStringIncludes(error.message, "check the address, DNS, firewall and proxy");
    assert(!error.message.includes("hidden"), error.message);
  }
});

Deno.test("a wait for a rate limit is told with its length, and other waits are not", async () => {
  const waits: [string, number][] = [];
  const onWait = (service: string, seconds: number) => waits.push([service, seconds]);
  const { send } = world([json({}, 429, { "retry-after": "7" }), json({}, 502), json(SUCCESS)], {
    around: { onWait },
  });
  await send(TEAM);
  assertEquals(waits, [["grafana", 7]]);
});
