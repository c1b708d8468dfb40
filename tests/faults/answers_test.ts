/** What a service, or something in its place, may answer to a read: nobody is lost by it, and the operator is told. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Intercept } from "../../src/simulation/server.ts";
import { fits, summary } from "../sync/cycle_world.ts";
import {
  assertConverged,
  assertTold,
  change,
  INTERVAL,
  type ServiceName,
  settle,
  withFaults,
} from "./world.ts";

type Answer = (...request: Parameters<Intercept>) => Response | Promise<Response>;
type Row = readonly [fault: string, answer: Answer, says: RegExp];

const html = (status: number, page: string) => () =>
  new Response(page, { status, headers: { "content-type": "text/html" } });
const limited = (headers: () => Record<string, string>) => () =>
  Response.json({ errorCode: "E0000047" }, { status: 429, headers: headers() });
const epochSeconds = (inSeconds: number) => String(Math.ceil(Date.now() / 1_000) + inSeconds);

/** The answer that would have been right, with its body cut off or replaced. */
const broken = (text: (whole: string) => string): Answer => async (_, proceed) => {
  const answer = await proceed();
  return new Response(text(await answer.text()), { status: answer.status, headers: answer.headers });
};

const ANSWERS: readonly Row[] = [
  ["500", () => Response.json({}, { status: 500 }), /returned 500/],
  ["502 with HTML", html(502, "<h1>Bad Gateway</h1>"), /returned 502/],
  ["429 with Retry-After in seconds", limited(() => ({ "retry-after": "20" })), /Rate limit exceeded/],
  [
    "429 with Retry-After as a date",
    limited(() => ({ "retry-after": new Date(Date.now() + 20_000).toUTCString() })),
    /Rate limit exceeded/,
  ],
  [
    "429 with X-Rate-Limit-Reset",
    limited(() => ({
      "x-rate-limit-limit": "600",
      "x-rate-limit-remaining": "0",
      "x-rate-limit-reset": epochSeconds(20),
    })),
    /Rate limit exceeded/,
  ],
  [
    "429 of the concurrency limit, whose limit is 0",
    limited(() => ({
      "x-rate-limit-limit": "0",
      "x-rate-limit-remaining": "0",
      "x-rate-limit-reset": epochSeconds(86_400),
    })),
    /Rate limit exceeded/,
  ],
  ["429 with no header", limited(() => ({})), /Rate limit exceeded/],
  ["a 200 that is a sign-in page", html(200, "<html>Sign in</html>"), /text\/html, not JSON.*sign-in page/],
  ["invalid JSON", broken((whole) => whole.slice(0, -1)), /not valid JSON/],
  ["JSON of another shape", () => Response.json({ ok: true }), /not have the expected shape at/],
  [
    "JSON of another shape in one item",
    broken((whole) => whole.replace(/"(?:userId|id|status)":/, '"x":')),
    /shape at/,
  ],
  ["null", () => Response.json(null), /not have the expected shape at the top level/],
];

const READS: readonly (readonly [what: string, service: ServiceName, path: RegExp])[] = [
  ["the search for Okta's groups", "okta", /^\/api\/v1\/groups$/],
  ["an Okta group's members", "okta", /^\/api\/v1\/groups\/\w+\/users$/],
  ["the users of Grafana", "grafana", /^\/api\/org\/users\/search$/],
  ["the search for Grafana's teams", "grafana", /^\/api\/teams\/search$/],
  ["a Grafana team's members", "grafana", /^\/api\/teams\/\d+\/members$/],
];

for (const [what, service, path] of READS) {
  for (const [fault, answer, says] of ANSWERS) {
    Deno.test(`${fault} for ${what}: nothing is written, the operator is told, the next cycle converges`, () =>
      withFaults(async (cycles) => {
        await settle(cycles);
        const { world, cycle, writes, messages } = cycles;
        change(world);
        world[service].intercept = (request, proceed) =>
          fits(request, "GET", path) ? answer(request, proceed) : proceed();
        const report = await cycle();
        assertTold(report, messages(), says);
        assertEquals(writes(), []);

        world[service].intercept = undefined;
        await cycles.pass(INTERVAL);
        assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -1", "Science->Scientists: +0 -0"]);
        assertConverged(world);
      }));
  }
}

for (const [fault, answer, says] of ANSWERS) {
  Deno.test(`${fault} when the members are read again before a removal: the removal is on hold, and told`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, writes, messages } = cycles;
      change(world);
      let hasRead = false;
      world.okta.intercept = (request, proceed) => {
        if (fits(request, "GET", /\/00g000001\/users$/)) {
          if (hasRead) return answer(request, proceed);
          hasRead = true;
        }
        return proceed();
      };
      const report = await cycle();
      assertEquals(summary(report)[0], "Engineering->Engineers: +1 -0, 1 on hold, 1 errors");
      const lines = messages().join("\n");
      assertMatch(lines, /ERROR Team Engineers: 1 removal on hold \(incomplete-read\).*bob@example\.com/);
      assertMatch(lines, says);
      assertEquals(writes().map((write) => write.split(" ")[0]), ["POST"]);

      world.okta.intercept = undefined;
      await cycle();
      assertConverged(world);
    }));
}

/** A cursor that leads where it should not, by the address of the page that has it. */
const CURSORS: readonly (readonly [fault: string, next: (url: string) => string, says: RegExp])[] = [
  ["loops to its own page", (url) => url, /links to the next page form a loop/],
  [
    "loops over two pages",
    (url) => url.includes("after=one") ? url.replace("=one", "=two") : `${url.split("?")[0]}?after=one`,
    /links to the next page form a loop/,
  ],
  [
    "leads to another origin",
    (url) => url.replace(/127\.0\.0\.1:\d+/, "okta.example.com"),
    /points to http:\/\/okta\.example\.com\/\S+, not to http:\/\/127/,
  ],
];

for (const [what, path] of [["search", /\/groups$/], ["members", /\/users$/]] as const) {
  for (const [fault, next, says] of CURSORS) {
    Deno.test(`a cursor of Okta's ${what} that ${fault} removes nobody, is told, and is followed no further`, () =>
      withFaults(async (cycles) => {
        await settle(cycles);
        const { world, cycle, writes, messages } = cycles;
        change(world);
        const origins = new Set<string>();
        cycles.network = (url, _, proceed) => {
          origins.add(new URL(url).origin);
          return proceed();
        };
        world.okta.intercept = async (request, proceed) => {
          const { pathname, search } = new URL(request.url);
          const answer = await (search.includes("after=") ? Response.json([]) : proceed());
          if (path.test(pathname)) answer.headers.set("link", `<${next(request.url)}>; rel="next"`);
          return answer;
        };
        const report = await cycle();
        assertTold(report, messages(), says);
        assertEquals(writes(), []);
        assert(world.okta.received.length <= 20, `${world.okta.received.length} requests`);
        assertEquals(origins, new Set([world.okta.url, world.grafana.url]));

        world.okta.intercept = undefined;
        await cycle();
        assertConverged(world);
      }));
  }
}

Deno.test(
  "a cursor that loops by a new address each time ends, and the operator is told",
  () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, writes, messages } = cycles;
      change(world);
      const MOST = 3_000;
      world.okta.limitRate({ limit: 1e6, remaining: 1e6 });
      world.okta.intercept = async (request, proceed) => {
        const answer = await proceed();
        const url = new URL(request.url);
        if (!url.pathname.endsWith("/users") || world.okta.received.length > MOST) return answer;
        url.searchParams.delete("after");
        url.searchParams.set("request", String(world.okta.received.length));
        answer.headers.set("link", `<${url}>; rel="next"`);
        return answer;
      };
      const report = await cycle();
      assert(world.okta.received.length < MOST, "it is not followed for ever");
      assertTold(report, messages(), /links to the next page form a loop/);
      assertEquals(writes(), []);
    }),
);
