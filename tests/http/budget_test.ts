/** How much of a rate limit is used. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createGate } from "../../src/http/gate.ts";
import { RequestError } from "../../src/http/error.ts";
import { manualTime } from "../service/manual_time.ts";
import { surroundings } from "../support.ts";

const SUBJECT = { service: "Okta", method: "GET", path: "/groups" };
const WINDOW_MS = 60_000;
const START = new Date(Date.UTC(2026, 0, 1)).toUTCString();

/** A service with a rate limit a minute, for each route alone, and a gate before it. */
function limited({ limit, share = 0.5, others = 0 }: { limit: number; share?: number; others?: number }) {
  const { now, monotonic, sleep, advance, setClock } = manualTime();
  const slept: number[] = [];
  const around = surroundings({
    now,
    monotonic,
    sleep(ms, signal) {
      slept.push(ms);
      return sleep(ms, signal);
    },
  });
  const { captured } = around;
  const gate = createGate(
    "Okta",
    {
      lanes: { first: 7, most: 7 },
      budget: { share, familyOf: (route) => route },
    },
    300_000,
    around,
  );
  /** Requests by route and window. */
  const used = new Map<string, number>();
  function answer(route: string): Response {
    const window = Math.floor(now() / WINDOW_MS);
    const key = `${route} ${window}`;
    const count = (used.get(key) ?? 0) + 1;
    used.set(key, count);
    const remaining = Math.max(0, limit - count - others);
    return new Response("", {
      status: count + others > limit ? 429 : 200,
      headers: {
        "x-rate-limit-limit": String(limit),
        "x-rate-limit-remaining": String(remaining),
        "x-rate-limit-reset": String((window + 1) * WINDOW_MS / 1_000),
        date: new Date(now()).toUTCString(),
      },
    });
  }

  async function ask(route = "/groups", response: () => Response = () => answer(route)): Promise<void> {
    const leave = await gate.enter(SUBJECT, route);
    await Promise.resolve();
    leave({ response: response(), seconds: 0, isLate: false });
  }

  return {
    ask,
    slept,
    pass: advance,
    setClock,
    /** The most that was used of one window. */
    mostUsed: () => Math.max(...used.values()),
    messages: captured.messages,
    /** So many at once; lets as much time pass as they need. */
    async many(count: number, route?: string): Promise<void> {
      let left = count;
      const asked = Promise.all(Array.from({ length: count }, () => ask(route).then(() => left--)));
      await advance(0);
      while (left > 0) await advance(1_000);
      await asked;
    },
  };
}

Deno.test("no more than half of what is there is used, however many want through at once", async () => {
  const { many, mostUsed, slept } = limited({ limit: 100 });
  await many(170);
  assertEquals(mostUsed(), 50);
  assertEquals(slept.length, 3, "all wait for a reset together");
});

Deno.test("another share is kept to as well", async () => {
  for (const [share, most] of [[0.1, 10], [0.25, 25], [1, 100]] as const) {
    const { many, mostUsed } = limited({ limit: 100, share });
    await many(150);
    assertEquals(mostUsed(), most);
  }
});

Deno.test("what others use makes our part smaller", async () => {
  const { many, mostUsed } = limited({ limit: 100, others: 80 });
  await many(30);
  assertEquals(mostUsed(), 10);
});

Deno.test("a late answer of the minute before does not make more of this minute's limit", async () => {
  const { many, ask, pass, mostUsed } = limited({ limit: 100 });
  await pass(WINDOW_MS);
  await many(40);
  const minuteBefore = {
    "x-rate-limit-limit": "100",
    "x-rate-limit-remaining": "95",
    "x-rate-limit-reset": String(Date.parse(START) / 1_000 + 60),
    date: START,
  };
  await ask("/groups", () => new Response("", { headers: minuteBefore }));
  await many(30);
  assertEquals(mostUsed(), 50);
});

Deno.test("a clock that is set back by an hour while the limit is used up makes nobody wait longer", async () => {
  const { many, setClock, slept, messages } = limited({ limit: 10 });
  await many(5);
  setClock(-60 * WINDOW_MS);
  await many(5);
  assert(slept.length > 0 && Math.max(...slept) <= WINDOW_MS + 1_000, `${slept}`);
  assertEquals(messages().filter((line) => line.includes("waiting")).length, 1);
});

Deno.test("of answers that overtake each other, the one that leaves the least counts", async () => {
  const { many, ask, slept } = limited({ limit: 100 });
  const left = (remaining: number) => {
    const reset = String(Date.parse(START) / 1_000 + 60);
    const limit = { "x-rate-limit-limit": "100", "x-rate-limit-reset": reset };
    const headers = { ...limit, "x-rate-limit-remaining": String(remaining), date: START };
    return ask("/groups", () => new Response("", { headers }));
  };
  await left(95);
  await Promise.all([left(10), left(90)]);
  await many(5);
  assertEquals(slept.length, 1);
});

Deno.test("an error without a word of a limit does not mean that there is none", async () => {
  const { many, ask, mostUsed } = limited({ limit: 4 });
  await ask("/groups", () => new Response("", { status: 502 }));
  await many(10);
  assertEquals(mostUsed(), 2);
});

Deno.test("where next to nothing is left, one request a window goes through", async () => {
  const { many, mostUsed } = limited({ limit: 1 });
  await many(3);
  assertEquals(mostUsed(), 1);
});

Deno.test("each family of routes has a budget of its own", async () => {
  const { many, slept } = limited({ limit: 100 });
  await Promise.all([many(50, "/groups"), many(50, "/users")]);
  assertEquals(slept, []);
});

Deno.test("a wait for the reset is said once, even if it takes several windows", async () => {
  const { many, messages } = limited({ limit: 10 });
  await many(40);
  const said = messages();
  assertEquals(said.length, 1);
  assertMatch(
    said[0] ?? "",
    /^INFO Okta: gots has used its 50% share of the rate limit; waiting 61 s for the reset$/,
  );
});

Deno.test("a wait that comes later is said again", async () => {
  const { many, messages, ask } = limited({ limit: 10 });
  await many(6);
  const quarterOfAnHour = new Response("", {
    headers: {
      "x-rate-limit-limit": "10",
      "x-rate-limit-remaining": "0",
      "x-rate-limit-reset": "1767226500",
    },
  });
  await ask("/groups", () => quarterOfAnHour);
  assertEquals(messages().filter((line) => line.includes("waiting")).length, 1);
});

Deno.test("when less than a tenth of the limit is left, that is said once, and again when it was more meanwhile", async () => {
  const { ask, messages } = limited({ limit: 100 });
  const left = (remaining: number) =>
    ask("/groups", () =>
      new Response("", {
        headers: {
          "x-rate-limit-limit": "100",
          "x-rate-limit-remaining": String(remaining),
          "x-rate-limit-reset": "1767225660",
        },
      }));
  for (const remaining of [50, 10, 9, 8, 60, 5]) await left(remaining);
  assertEquals(
    messages(),
    [9, 5].map((remaining) =>
      `INFO Okta: ${remaining} of 100 requests are left in the rate limit for /groups, shared by all programs`
    ),
  );
});

Deno.test("a service that names no limit is asked without one", async () => {
  const { ask, slept } = limited({ limit: 1 });
  const nothing = () => new Response("{}");
  await ask("/groups", nothing);
  await Promise.all(Array.from({ length: 100 }, () => ask("/groups", nothing)));
  assertEquals(slept, []);
});

Deno.test("a limit of concurrent requests is no matter of time", async () => {
  const { ask, many, slept } = limited({ limit: 100 });
  await ask("/groups", () =>
    new Response("", {
      status: 429,
      headers: {
        "x-rate-limit-limit": "0",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": "9999999999",
      },
    }));
  await many(20);
  assertEquals(slept, []);
});

Deno.test("a reset that is further away than anybody's patience fails the request, with what to do", async () => {
  const { ask } = limited({ limit: 100 });
  const hour = String(Date.UTC(2026, 0, 1, 1) / 1_000);
  const headers = {
    "x-rate-limit-limit": "9",
    "x-rate-limit-remaining": "0",
    "x-rate-limit-reset": hour,
    date: START,
  };
  await ask("/groups", () => new Response("", { headers }));
  const error = await assertRejects(() => ask("/groups"), RequestError);
  assertEquals(error.kind, "rate-limited");
  assertMatch(
    error.message,
    /^Rate limit exceeded: gots has used its 50% share of Okta's limit, which resets in 60 min/,
  );
  assertMatch(error.message, /raise sync\.interval_seconds$/);
});

/** A gate as Okta's client has one, with one family of paths. */
function oktaGate(around: ReturnType<typeof surroundings>) {
  const limits = { lanes: { most: 7 }, budget: { share: 0.5, familyOf: () => "" } };
  return createGate("Okta", limits, 300_000, around);
}

Deno.test("a shutdown ends a wait for the reset", async () => {
  const shutdown = new AbortController();
  const around = surroundings({
    signal: shutdown.signal,
    sleep: (_, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        shutdown.abort();
      }),
  });
  const gate = oktaGate(around);
  const leave = await gate.enter(SUBJECT, "/groups");
  const reset = String(around.now() / 1_000 + 30);
  const headers = {
    "x-rate-limit-limit": "9",
    "x-rate-limit-remaining": "0",
    "x-rate-limit-reset": reset,
    date: START,
  };
  leave({ response: new Response("", { headers }), seconds: 0, isLate: false });
  const error = await assertRejects(() => gate.enter(SUBJECT, "/groups"), RequestError);
  assertEquals(error.kind, "interrupted");
});

Deno.test("a first request that gets no answer lets the next one try", async () => {
  const around = surroundings();
  const gate = oktaGate(around);
  const leave = await gate.enter(SUBJECT, "/groups");
  const second = gate.enter(SUBJECT, "/groups");
  leave({ response: undefined, seconds: 30, isLate: true });
  assert(typeof await second === "function");
});

Deno.test("a reset that is far away, by mistake perhaps, is tried again after a minute", async () => {
  for (const date of [START, undefined]) {
    const { ask, pass } = limited({ limit: 100 });
    const day = String(Date.UTC(2026, 0, 2) / 1_000);
    const limit = { "x-rate-limit-limit": "9", "x-rate-limit-remaining": "0", "x-rate-limit-reset": day };
    await ask("/groups", () => new Response("", { headers: date ? { ...limit, date } : limit }));
    await pass(59_000);
    await assertRejects(() => ask("/groups"), RequestError);
    await pass(1_000);
    await ask("/groups");
  }
});
