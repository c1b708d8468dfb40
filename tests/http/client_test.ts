/** A request as it goes out, and an answer as it is read. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as z from "zod";
import { homepage, version } from "../../src/version.ts";
import { CREDENTIAL, json, type Scripted, SUCCESS, TEAM, world } from "./world.ts";

Deno.test("an answer of the expected shape is given with status and headers", async () => {
  const { send } = world([json(SUCCESS, 201, { "x-page": "2" })]);
  const { status, headers, body } = await send(TEAM);
  assertEquals([status, headers.get("x-page"), body], [201, "2", SUCCESS]);
});

Deno.test("a request says who asks, asks for JSON, carries its credential and follows no redirect", async () => {
  const { send, requests } = world([json(SUCCESS)]);
  await send(TEAM);
  const [{ url, init, headers } = { url: "", init: {}, headers: new Headers() }] = requests;
  assertEquals([init.method, url, init.redirect], [
    "GET",
    "https://grafana.example.com/g/api/teams/7",
    "manual",
  ]);
  assertEquals(headers.get("user-agent"), `gots/${version} (+${homepage})`);
  assertEquals(headers.get("accept"), "application/json");
  assertEquals(headers.get("authorization"), `Bearer ${CREDENTIAL}`);
  assertEquals([init.body, headers.get("content-type")], [undefined, null]);
});

Deno.test("a body is sent as JSON", async () => {
  const { send, requests } = world([json(SUCCESS)]);
  await send({ ...TEAM, method: "POST", body: { userId: 3 } });
  assertEquals(requests[0]?.init.body, '{"userId":3}');
  assertEquals(requests[0]?.headers.get("content-type"), "application/json");
});

Deno.test("what a user or a group is called cannot change the address", async () => {
  const { send, requests } = world([json(SUCCESS)]);
  await send({ ...TEAM, route: "/api/:kind/:name", params: { kind: "a/../b?c#d", name: "%2e" } });
  await send({ ...TEAM, query: { loginOrEmail: "a+b&admin=1@example.com", page: 2 } });
  assertEquals(requests.map(({ url }) => url.slice("https://grafana.example.com/g".length)), [
    "/api/a%2F..%2Fb%3Fc%23d/%252e",
    "/api/teams/7?loginOrEmail=a%2Bb%26admin%3D1%40example.com&page=2",
  ]);
});

Deno.test("a link of the service's own origin is followed as it came", async () => {
  const { send, requests } = world([json(SUCCESS)]);
  const link = "https://grafana.example.com/other?after=a%2Bb&limit=200";
  await send({ ...TEAM, link });
  assertEquals(requests.map(({ url }) => url), [link]);
});

const ELSEWHERE = ", not to https://grafana.example.com (";
const badLinks: readonly (readonly [link: string, told: string])[] = [
  [
    "https://evil.example.com/g/api/teams/7?token=hidden#hidden",
    `https://evil.example.com/g/api/teams/7${ELSEWHERE}`,
  ],
  ["http://grafana.example.com/g", `http://grafana.example.com/g${ELSEWHERE}`],
  ["https://grafana.example.com:8443/g", `https://grafana.example.com:8443/g${ELSEWHERE}`],
  ["https://grafana.example.com@evil.example.com/", `https://evil.example.com${ELSEWHERE}`],
  [
    "https://grafana.example.com.evil.example.com/",
    `https://grafana.example.com.evil.example.com${ELSEWHERE}`,
  ],
  [
    "https://user:hidden@grafana.example.com/g?hidden",
    "https://grafana.example.com/g and contains credentials (",
  ],
  ["https://user@grafana.example.com/g", "https://grafana.example.com/g and contains credentials ("],
  ["https://user:hidden@evil.example.com/g", `https://evil.example.com/g${ELSEWHERE}`],
  ["//grafana.example.com/hidden", `an invalid address${ELSEWHERE}`],
  ["/api/teams?hidden", `an invalid address${ELSEWHERE}`],
  ["", `an invalid address${ELSEWHERE}`],
];

for (const [link, told] of badLinks) {
  Deno.test(`the link "${link}" is never fetched, and the error names its address without secrets`, async () => {
    const { fails, requests } = world([json(SUCCESS)]);
    const error = await fails({ ...TEAM, link });
    assertEquals([error.kind, requests.length], ["bad-link", 0]);
    assertStringIncludes(error.message, `the link to the next page points to ${told}`);
    assert(!error.message.includes("hidden"), error.message);
  });
}

const PAGE = "<html><title>Sign in</title><form>hidden</form></html>";
const html = (status: number) => () =>
  new Response(PAGE, { status, headers: { "content-type": "text/html; charset=utf-8" } });
const typed = (text: string, type: string) => () => new Response(text, { headers: { "content-type": type } });

const failures: readonly (readonly [what: string, answer: Scripted, kind: string, said: RegExp])[] = [
  [
    "401",
    json({}, 401),
    "unauthorized",
    /^Grafana said 401 \(Grafana GET \/api\/teams\/7 returned 401\): ask Gr/,
  ],
  ["403", json({}, 403), "forbidden", /returned 403/],
  ["404", json({}, 404), "not-found", /returned 404/],
  ["409", json({}, 409), "conflict", /returned 409/],
  ["400", json({}, 400), "rejected", /returned 400/],
  ["412", json({}, 412), "rejected", /returned 412/],
  ["501", json({}, 501), "server-error", /returned 501/],
  [
    "a 404 that is a page",
    html(404),
    "not-found",
    /^a proxy or gateway responded instead of Grafana: text\/html, "Sign in" /,
  ],
  [
    "a sign-in page with 200",
    html(200),
    "not-json",
    /is text\/html, not JSON .*: something else may be answering in place of/,
  ],
  ["broken JSON", typed("{", "application/json"), "not-json", /^the response is not valid JSON/],
  ["an empty response", () => new Response(""), "not-json", /not JSON/],
  ["no content", () => new Response(null, { status: 204 }), "not-json", /the response has no content type/],
  ["JSON that says it is text", typed("{}", "text/plain"), "not-json", /is text\/plain, not JSON/],
  [
    "a number for a text",
    json({ id: 7, name: 5 }),
    "unexpected-shape",
    /shape at \.name: .*check the address/,
  ],
  ["a missing field", json({ name: "x" }), "unexpected-shape", /shape at \.id: /],
  ["a list for a map", json([SUCCESS]), "unexpected-shape", /shape at the top level: /],
  ["null", json(null), "unexpected-shape", /shape at the top level: /],
];

for (const [what, answer, kind, said] of failures) {
  Deno.test(`${what} is ${kind}, told with service, method, path and advice`, async () => {
    const { fails, requests } = world([answer]);
    const error = await fails();
    assertEquals([error.kind, error.service, error.method, error.path], [
      kind,
      "Grafana",
      "GET",
      "/api/teams/7",
    ]);
    assertMatch(error.message, said);
    assertMatch(error.message, / \(Grafana GET \/api\/teams\/7 returned \d{3}\): \S/);
    assert(!/hidden|00credential/.test(error.message), error.message);
    assertEquals(requests.length, 1);
  });
}

Deno.test("a wrong shape inside a list is told by its index", async () => {
  const { fails } = world([json([SUCCESS, { id: "x", name: "y" }])]);
  const error = await fails({ ...TEAM, schema: z.array(z.object({ id: z.number() })) });
  assertStringIncludes(error.message, "shape at [1].id: ");
});

Deno.test("a media type that ends in +json is JSON", async () => {
  const { send } = world([typed(JSON.stringify(SUCCESS), "application/hal+json; charset=utf-8")]);
  assertEquals((await send(TEAM)).body, SUCCESS);
});

const ASKED = "gots requested https://grafana.example.com/g/api/teams/7 and does not follow redirects; ";
const redirects: readonly (readonly [location: string, to: string, advice: string])[] = [
  [
    "https://sso.example.com/login?SAMLRequest=hidden",
    "https://sso.example.com/login",
    "this is a sign-in page: check grafana.url, and whether a proxy in front of Grafana requires a sign-in",
  ],
  ["/login?hidden", "https://grafana.example.com/login", "this is a sign-in page: check grafana.url"],
  [
    "https://u:hidden@sso.example.com/#hidden",
    "https://sso.example.com",
    "set grafana.url to the final address",
  ],
  [
    "https://new.example.com/g/api/teams/7",
    "https://new.example.com/g/api/teams/7",
    "set grafana.url to the final address",
  ],
  ["https://", "nowhere", "set grafana.url to the final address, or check the proxy in between"],
];

for (const status of [301, 302, 303, 307, 308]) {
  for (const [location, to, advice] of redirects) {
    Deno.test(`a ${status} to ${location} is not followed, and told with its address without secrets`, async () => {
      const { fails, requests } = world([() => new Response(null, { status, headers: { location } })]);
      const error = await fails();
      assertEquals([error.kind, requests.length], ["redirected", 1]);
      assertStringIncludes(error.message, `redirected to ${to} (`);
      assertStringIncludes(error.message, ASKED + advice);
      assert(!error.message.includes("hidden"), error.message);
    });
  }
}

Deno.test("a redirect from http to https of the same host says to use https", async () => {
  const headers = { location: "https://grafana.example.com/api/teams/7" };
  const baseUrl = "http://grafana.example.com";
  const { fails } = world([() => new Response(null, { status: 301, headers })], { service: { baseUrl } });
  assertStringIncludes((await fails()).message, "; use https:// in grafana.url");
});

Deno.test("a credential in a proxy's title is taken out before the title is cut, so that no part of it is left", async () => {
  const page = `<title>${"x".repeat(90)} ${CREDENTIAL}</title>`;
  const { fails } = world([
    () => new Response(page, { status: 403, headers: { "content-type": "text/html" } }),
  ]);
  const { message } = await fails();
  assertStringIncludes(message, `${"x".repeat(90)} [`);
  assert(!message.includes(CREDENTIAL.slice(0, 4)), message);
});

Deno.test("a path in which a credential would not be recognised is not shown", async () => {
  const headers = { location: "https://sso.example.com/login/pass word{1}" };
  const authorization = {
    headers: () => Promise.resolve({ authorization: `Basic ${btoa("a:pass word{1}")}` }),
  };
  const { fails } = world([() => new Response(null, { status: 302, headers })], {
    service: { authorization },
  });
  const { message } = await fails();
  assertStringIncludes(message, "redirected to https://sso.example.com/… (");
  assert(!/pass|word/.test(message), message);
});

Deno.test("a page in place of an answer is told with the whole address that was asked", async () => {
  const baseUrl = "https://grafana.example.com/login";
  const { fails } = world([html(200)], { service: { baseUrl } });
  assertStringIncludes(
    (await fails({ ...TEAM, query: { q: "hidden" } })).message,
    "check the address: gots requested https://grafana.example.com/login/api/teams/7",
  );
});

Deno.test("an exchange is measured by its route, never by its path", async () => {
  const { send, exchanges } = world([json(SUCCESS)]);
  await send({ ...TEAM, query: { q: "hidden" } });
  assertEquals(exchanges, [
    {
      service: "grafana",
      method: "GET",
      route: "/api/teams/:id",
      status: "200",
      seconds: 0,
      clockOffsetSeconds: undefined,
      isStranger: false,
    },
  ]);
});

Deno.test("an exchange tells how much the service's clock is ahead of ours", async () => {
  const date = new Date(90_000).toUTCString();
  const { send, exchanges } = world([json(SUCCESS, 200, { date })], { around: { now: () => 30_000 } });
  await send(TEAM);
  assertEquals(exchanges.map(({ clockOffsetSeconds }) => clockOffsetSeconds), [60]);
});

Deno.test("an exchange without an answer is measured by the kind of its failure", async () => {
  const { fails, exchanges } = world([new TypeError("refused")], { service: { backoff: { attempts: 1 } } });
  await fails();
  assertEquals(exchanges.map(({ status }) => status), ["unreachable"]);
});

Deno.test("each exchange is a DEBUG line with status and duration, without query, headers or body", async () => {
  let now = 0;
  const slow: Scripted = () => {
    now += 120;
    return json(SUCCESS, 200, { "set-cookie": "hidden" })();
  };
  const { send, messages, lines } = world([slow], { around: { monotonic: () => now } });
  await send({ ...TEAM, method: "PUT", query: { q: "hidden" }, body: { hidden: true } });
  assertEquals(messages(), ["DEBUG Grafana PUT /api/teams/7 200 120 ms"]);
  assert(!/hidden|00credential/.test(JSON.stringify(lines())), JSON.stringify(lines()));
});

Deno.test("an answer is progress, and so is a wait that is announced", async () => {
  let progress = 0;
  const { send } = world([json({}, 503), json(SUCCESS)], { around: { onProgress: () => progress++ } });
  await send(TEAM);
  assertEquals(progress, 3);
});
