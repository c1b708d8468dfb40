/** Time limits, and what a shutdown does to reads, waits and writes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { endless, json, never, type Scripted, SUCCESS, TEAM, world } from "./world.ts";

const quick = { timeoutMs: 20, backoff: { attempts: 2 } };

for (const [what, answer] of [["no answer", never], ["an answer whose body never ends", endless]] as const) {
  Deno.test(`${what} ends at the time limit, and the request is repeated`, async () => {
    const { send, messages } = world([answer, json(SUCCESS)], { service: quick });
    assertEquals((await send(TEAM)).body, SUCCESS);
    assert(
      messages().some((line) => line.startsWith("WARNING no complete response within 0.02 s (Grafana GET")),
    );
  });
}

Deno.test("the last time limit is told with how long it was and what to do", async () => {
  const error = await world([never], { service: quick }).fails();
  assertEquals(error.kind, "timeout");
  assertMatch(error.message, /^no complete response within 0\.02 s \(Grafana GET \/api\/teams\/7\): \S/);
});

for (const [what, answer] of [["a read", never], ["a read whose body is under way", endless]] as const) {
  Deno.test(`a shutdown ends ${what} at once`, async () => {
    const shutdown = new AbortController();
    const { fails, requests } = world([answer], { around: { signal: shutdown.signal } });
    const ending = fails();
    while (requests.length === 0) await Promise.resolve();
    shutdown.abort();
    assertEquals((await ending).kind, "interrupted");
    assertEquals(requests.length, 1);
  });
}

Deno.test("a shutdown cuts a wait", async () => {
  const shutdown = new AbortController();
  const { fails, requests } = world([json({}, 503)], {
    around: {
      signal: shutdown.signal,
      sleep: (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          shutdown.abort();
        }),
    },
  });
  assertEquals((await fails()).kind, "interrupted");
  assertEquals(requests.length, 1);
});

Deno.test("after a shutdown nothing is sent any more, not even a write", async () => {
  for (const method of ["GET", "POST"] as const) {
    const { fails, requests } = world([json(SUCCESS)], { around: { signal: AbortSignal.abort() } });
    assertEquals((await fails({ ...TEAM, method })).kind, "interrupted");
    assertEquals(requests, []);
  }
});

for (const method of ["POST", "PUT", "DELETE"] as const) {
  Deno.test(`a ${method} that is under way may finish after a shutdown`, async () => {
    const shutdown = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Response>();
    const slow: Scripted = ({ init: { signal } }) => {
      signal?.addEventListener("abort", () => resolve(Response.error()));
      return promise;
    };
    const { send, requests } = world([slow], { around: { signal: shutdown.signal } });
    const writing = send({ ...TEAM, method });
    while (requests.length === 0) await Promise.resolve();
    shutdown.abort();
    resolve(json(SUCCESS)());
    assertEquals((await writing).body, SUCCESS);
  });
}

Deno.test("a write that fails during a shutdown is told as it failed, and not repeated", async () => {
  const shutdown = new AbortController();
  const failing: Scripted = () => {
    shutdown.abort();
    return json({}, 500)();
  };
  const { fails, requests, slept } = world([failing], { around: { signal: shutdown.signal } });
  assertEquals((await fails({ ...TEAM, method: "POST" })).kind, "server-error");
  assertEquals([requests.length, slept], [1, []]);
});
