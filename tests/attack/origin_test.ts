/** A token goes to its own origin and nowhere else: proven by a server that listens where it should not be called. */
import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { SimulatedServer } from "../../src/simulation/server.ts";
import { type Auth, type Hostile, type Outcome, withHostile } from "./service.ts";
import { poisonedFetch, startTrap } from "./trap.ts";

Deno.test("the trap sees who calls it: by its address, by another name, and by TLS", async () => {
  await using trap = startTrap();
  const { fetch, close } = poisonedFetch(trap, [trap.origin]);
  const headers = { authorization: "SSWS known" };
  await (await fetch(trap.origin, { headers })).text();
  await (await fetch("http://okta.evil.test/", { headers })).text();
  await fetch("https://okta.evil.test/", { headers }).catch(() => {});
  close();
  assertEquals(trap.received.length, 3);
  for (const text of trap.received.slice(0, 2)) assertStringIncludes(text, "authorization: SSWS known");
  assertStringIncludes(trap.received[2] ?? "", "CONNECT okta.evil.test:443");
});

/** One group of two members, of whom one is in its team already beside somebody who is to go. */
function fill({ okta, grafana, addPerson }: Hostile): void {
  okta.addGroup("A", [addPerson("ann@example.com"), addPerson("ben@example.com")]);
  const gone = grafana.state.addUser({ login: "gone@example.com", email: "gone@example.com" });
  grafana.state.addTeam("T").members.set(gone.id, 0);
}

/** Every request that a cycle makes, and at which service. */
const REQUESTS:
  readonly (readonly [auth: Auth, service: "okta" | "grafana", method: string, path: RegExp])[] = [
    ["api_token", "okta", "GET", /\/groups$/],
    ["api_token", "okta", "GET", /\/users$/],
    ["oauth", "okta", "POST", /\/oauth2\/v1\/token$/],
    ["oauth", "okta", "GET", /\/groups$/],
    ["oauth", "okta", "GET", /\/users$/],
    ["api_token", "grafana", "GET", /\/org\/users\/search$/],
    ["api_token", "grafana", "GET", /\/teams\/search$/],
    ["api_token", "grafana", "GET", /\/members$/],
    ["api_token", "grafana", "POST", /\/members$/],
    ["api_token", "grafana", "DELETE", /\/members\/\d+$/],
  ];

/** Lets `answer` take the place of the service's own at these requests; gives how often it did. */
function replace(
  server: SimulatedServer,
  method: string,
  path: RegExp,
  answer: (request: Request, proceed: () => Promise<Response>) => Response | Promise<Response>,
): { times: number } {
  const seen = { times: 0 };
  server.intercept = (request, proceed) => {
    if (request.method !== method || !path.test(new URL(request.url).pathname)) return undefined;
    seen.times++;
    return answer(request, proceed);
  };
  return seen;
}

/** Runs a cycle in which these requests are answered so, and proves that nobody called the trap. */
async function assertUntouched(
  [auth, service, method, path]: (typeof REQUESTS)[number],
  answer: (
    trap: Hostile["trap"],
    request: Request,
    proceed: () => Promise<Response>,
  ) => Response | Promise<Response>,
  check: (outcome: Outcome) => void = () => {},
): Promise<void> {
  let seen = { times: 0 };
  await withHostile({
    auth,
    prepare(hostile) {
      fill(hostile);
      seen = replace(hostile[service], method, path, (...args) => answer(hostile.trap, ...args));
    },
  }, (outcome) => {
    assertNotEquals(seen.times, 0, "the request was never made");
    assertEquals(outcome.trap.received, []);
    check(outcome);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  Deno.test(`a ${status} to another port of the same host is followed by no request of a cycle`, async (t) => {
    for (const request of REQUESTS) {
      const [auth, service, method, path] = request;
      await t.step(
        `${service} ${method} ${path.source}, ${auth}`,
        () =>
          assertUntouched(
            request,
            ({ origin }) => new Response(null, { status, headers: { location: `${origin}/stolen` } }),
          ),
      );
    }
  });
}

/** A proxy's page that wants to be followed in every way that a client knows. */
function proxyPage(origin: string, status: number): Response {
  const body = `<html><head><meta http-equiv="refresh" content="0;url=${origin}/"><base href="${origin}">
    <link rel="next" href="${origin}/next"></head><body><img src="${origin}/x"></body></html>`;
  return new Response(body, {
    status,
    headers: {
      "content-type": "text/html",
      "content-location": `${origin}/`,
      "alt-svc": `http/1.1="${new URL(origin).host}"; ma=86400, h3="${new URL(origin).host}"`,
      "www-authenticate": `Basic realm="${origin}"`,
      "proxy-authenticate": "Basic",
      refresh: `0;url=${origin}/`,
      link: `<${origin}/next>; rel="next"`,
      location: `${origin}/`,
    },
  });
}

for (const status of [200, 401, 403, 404, 407, 500, 502]) {
  Deno.test(`a proxy's error page with status ${status} leads nobody away`, async (t) => {
    for (const request of REQUESTS) {
      const [auth, service, method, path] = request;
      await t.step(
        `${service} ${method} ${path.source}, ${auth}`,
        () => assertUntouched(request, ({ origin }) => proxyPage(origin, status)),
      );
    }
  });
}

/** Next links that lead away, made of the own origin (without `http://`) and the trap's. */
const LINKS: Readonly<Record<string, (own: string, trap: string) => string>> = {
  "another port": (_own, trap) => `http://${trap}/next`,
  "the own origin as user info": (own, trap) => `http://${own}@${trap}/next`,
  "user info before the own origin": (own) => `http://user:password@${own}/next`,
  "a user before the own origin": (own) => `http://user@${own}/next`,
  "the own origin as a prefix": (own) => `http://${own.replace(":", ".evil.test:")}/next`,
  "the own origin, port and all, as a prefix": (own) => `http://${own}.evil.test/next`,
  "the own origin as a suffix": (own) => `http://evil-${own}/next`,
  "the own host with digits more": (own) => `http://${own.replace("127.0.0.1", "127.0.0.11")}/next`,
  "a port with a digit less": (own) => `http://${own.slice(0, -1)}/next`,
  "a port with a digit more": (own) => `http://${own}1/next`,
  "another name of the same machine": (own) => `http://localhost:${own.split(":")[1]}/next`,
  "the machine's IPv6 address": (own) => `http://[::1]:${own.split(":")[1]}/next`,
  "the address mapped into IPv6": (own) => `http://[::ffff:127.0.0.1]:${own.split(":")[1]}/next`,
  "another scheme": (own) => `https://${own}/next`,
  "a scheme that is no web": (own) => `ftp://${own}/next`,
  "no scheme": (_own, trap) => `//${trap}/next`,
  "backslashes": (_own, trap) => `http:\\\\${trap}\\next`,
  "the own origin before a backslash": (own, trap) => `http://${trap}\\@${own}/next`,
  "the own origin in the fragment": (own, trap) => `http://${trap}#@${own}/`,
  "the own origin in the query": (own, trap) => `http://${trap}?@${own}/`,
  "a tab in the host": (own, trap) => `http://${trap}%09.${own}/next`,
  "letters that fold to the own name": (own) => `http://①②⑦.0.0.2:${own.split(":")[1]}/next`,
};

/** The answer with a `Link` header for another next page. */
function withLink(answer: Response, link: string): Response {
  const headers = new Headers(answer.headers);
  headers.set("link", `<${link.replace(/[^\x20-\x7e]+/g, encodeURIComponent)}>; rel="next"`);
  return new Response(answer.body, { status: answer.status, headers });
}

for (const [what, linkTo] of Object.entries(LINKS)) {
  Deno.test(`a next link to ${what} is not followed, with an API token or an access token`, async () => {
    for (const auth of ["api_token", "oauth"] as const) {
      for (const path of [/\/groups$/, /\/users$/]) {
        await assertUntouched(
          [auth, "okta", "GET", path],
          async (trap, request, proceed) =>
            withLink(await proceed(), linkTo(new URL(request.url).host, trap.host)),
          ({ report, okta }) => {
            assertEquals(report.mappings[0]?.errors.length, 1, "the reading counts as failed");
            assertEquals(okta.received.filter((one) => one.path.startsWith("/next")), []);
          },
        );
      }
    }
  });
}

const OWN: Readonly<Record<string, (own: string) => string>> = {
  "a dot behind the host": (own) => `http://${own.replace(":", ".:")}/next`,
  "the host in one number": (own) => `http://2130706433:${own.split(":")[1]}/next`,
  "a backslash behind it": (own) => `http://${own}\\@evil.test/next`,
};

for (const [what, linkTo] of Object.entries(OWN)) {
  Deno.test(`a next link that reads as the own origin with ${what} ends there, and nowhere else`, () =>
    assertUntouched(
      ["api_token", "okta", "GET", /\/users$/],
      async (_trap, request, proceed) => withLink(await proceed(), linkTo(new URL(request.url).host)),
      ({ okta }) => {
        assertEquals(okta.received.at(-1)?.path.includes("next"), true, "it arrived at Okta itself");
      },
    ));
}

Deno.test("addresses inside an answer are no addresses to call", () =>
  assertUntouched(["api_token", "okta", "GET", /\/groups$/], async ({ origin }, _request, proceed) => {
    const _links = { self: { href: origin }, users: { href: `${origin}/users` }, next: { href: origin } };
    const answer = await proceed();
    const groups = await answer.json() as Record<string, unknown>[];
    return Response.json(groups.map((group) => ({ ...group, _links, errorLink: origin })), answer);
  }, ({ report }) => assertEquals(report.mappings[0]?.added, 2)));

Deno.test("an answer with an access token cannot name another place to use it", () =>
  assertUntouched(["oauth", "okta", "POST", /\/token$/], async ({ origin }, _request, proceed) => {
    const more = { issuer: origin, iss: origin, api_endpoint: origin, token_endpoint: origin };
    return Response.json({ ...await (await proceed()).json(), ...more });
  }, ({ report }) => assertEquals(report.mappings[0]?.added, 2)));
