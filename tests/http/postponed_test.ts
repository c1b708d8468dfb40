/** Writes that would have to wait: they rest on readings that are old by then. */
import { assertEquals, assertMatch } from "@std/assert";
import { json, never, SUCCESS, TEAM, world as worldOf } from "./world.ts";

const WRITE = { ...TEAM, method: "DELETE" } as const;
const asking = (seconds: number, status = 429) => json({}, status, { "retry-after": String(seconds) });

/** A service to which writes wait for five seconds at most. */
const world = (...script: Parameters<typeof worldOf>[0]) =>
  worldOf(script, { service: { mostWriteWaitMs: 5_000 } });

for (const status of [429, 503]) {
  Deno.test(`a write that is answered ${status} with a wait of 6 s is not sent again, and reads wait for it`, async () => {
    const { fails, send, requests, slept, messages } = world(asking(6, status), json(SUCCESS));
    const error = await fails(WRITE);
    assertEquals([error.kind, requests.length, slept], ["postponed", 1, []]);
    assertMatch(
      error.message,
      /: Grafana asks to wait 6 s \(Grafana DELETE \/api\/teams\/7\): .*will decide again$/,
    );
    await send(TEAM);
    assertEquals([requests.length, slept], [2, [6_000]]);
    assertMatch(messages().join("\n"), /WARNING .*: Grafana asks to wait 6 s; nothing is written until then/);
  });
}

Deno.test("during the wait no other write is sent; after it they are", async () => {
  const { fails, send, requests } = world(asking(6), json(SUCCESS));
  await fails(WRITE);
  assertEquals([(await fails({ ...WRITE, method: "POST" })).kind, requests.length], ["postponed", 1]);
  await send(TEAM);
  await send(WRITE);
  assertEquals(requests.length, 3);
});

Deno.test("short waits are waited for, as long as they are no more than five seconds together", async () => {
  const one = world(asking(4), json(SUCCESS));
  await one.send(WRITE);
  assertEquals(one.slept, [4_000]);
  const two = world(asking(4), asking(4), json(SUCCESS));
  assertEquals([(await two.fails(WRITE)).kind, two.requests.length], ["postponed", 2]);
});

Deno.test("a write that fails is sent again for five seconds, a read for longer", async () => {
  const write = world(json({}, 500));
  assertEquals([(await write.fails(WRITE)).kind, write.slept], ["server-error", [1_000, 2_000]]);
  const read = world(json({}, 500));
  assertEquals([(await read.fails()).kind, read.slept], ["server-error", [1_000, 2_000, 4_000, 8_000]]);
});

Deno.test("a write without an answer within its time limit is not sent again", async () => {
  const { fails, requests } = world(never);
  assertEquals([(await fails({ ...WRITE, timeoutMs: 1 })).kind, requests.length], ["timeout", 1]);
});

Deno.test("a write that may be sent only once is postponed by any wait", async () => {
  const { fails, requests } = world(asking(2));
  assertEquals([(await fails({ ...WRITE, attempts: 1 })).kind, requests.length], ["postponed", 1]);
});

Deno.test("a wait beyond patience fails the write, and reads do not wait for it", async () => {
  const { fails, send, slept } = world(asking(301), json(SUCCESS));
  assertEquals((await fails(WRITE)).kind, "rate-limited");
  await send(TEAM);
  assertEquals(slept, []);
});

Deno.test("several reads wait for the same moment", async () => {
  const { fails, send, slept } = world(asking(60), json(SUCCESS));
  await fails(WRITE);
  await Promise.all([send(TEAM), send(TEAM), send(TEAM)]);
  assertEquals(slept, [60_000]);
});
