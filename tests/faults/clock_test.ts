/** Clocks that are a day apart. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { errorsOf, summary } from "../sync/cycle_world.ts";
import {
  assertConverged,
  assertTold,
  change,
  type FaultyCycles,
  INTERVAL,
  MAPPINGS,
  settle,
  withFaults,
} from "./world.ts";

const DAY = 86_400_000;

/** What Okta answers once the limit is reached, by a clock that differs from ours. */
const SKEWED: readonly (readonly [
  what: string,
  headers: (now: number) => Record<string, string>,
  waitMs: number | undefined,
])[] = [
  [
    "X-Rate-Limit-Reset and Date",
    (now) => ({ "x-rate-limit-reset": String(now / 1_000 + 30), date: new Date(now).toUTCString() }),
    31_000,
  ],
  [
    "a Retry-After date and Date",
    (now) => ({ "retry-after": new Date(now + 30_000).toUTCString(), date: new Date(now).toUTCString() }),
    30_000,
  ],
  ["Retry-After in seconds", () => ({ "retry-after": "30" }), 30_000],
  [
    "X-Rate-Limit-Reset without Date",
    (now) => ({ "x-rate-limit-reset": String(now / 1_000 + 30) }),
    undefined,
  ],
];

/** Whatever our own clock is set to, Okta's goes on. */
function keepOktaTime({ world, clock }: FaultyCycles): void {
  const begin = clock.now() - clock.monotonic();
  world.okta.clock = () => begin + clock.monotonic();
}

for (const skew of [DAY, -DAY]) {
  const okta = skew > 0 ? "ahead of us" : "behind us";
  const direction = skew > 0 ? "forward" : "back";
  for (const [what, headers, waitMs] of SKEWED) {
    Deno.test(`clock skew of a day, Okta ${okta}, ${what}: a rate limit is waited for sensibly, or told`, () =>
      withFaults(async (cycles) => {
        await settle(cycles);
        const { world, cycle, clock, messages } = cycles;
        change(world);
        let isLimited = true;
        cycles.network = (url, _, proceed) => {
          if (!isLimited || !url.startsWith(world.okta.url)) return proceed();
          isLimited = false;
          const limit = { "x-rate-limit-limit": "600", "x-rate-limit-remaining": "0" };
          return Promise.resolve(
            Response.json({}, { status: 429, headers: { ...limit, ...headers(clock.now() + skew) } }),
          );
        };
        clock.slept.length = 0;
        const report = await cycle();
        if (waitMs !== undefined) assertEquals(clock.slept, [waitMs]);
        for (const ms of clock.slept) assert(ms <= 300_000, `${ms} ms is more than our patience`);
        if (errorsOf(report).length > 0) assertTold(report, messages(), /Rate limit exceeded/);
        else assertMatch(messages().join("\n"), /WARNING Rate limit exceeded/);
        await cycles.pass(INTERVAL);
        await cycle();
        assertConverged(world);
      }));
  }

  Deno.test(`our own clock set ${direction} by a day between two cycles changes nothing but the time`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, clock } = cycles;
      keepOktaTime(cycles);
      for (let i = 0; i < 2; i++) {
        change(world);
        clock.setClock(skew);
        await cycles.pass(INTERVAL);
        const { isFull, mappings } = await cycle();
        assertEquals([isFull, mappings.every(isSuccess)], [false, true]);
        assertConverged(world);
      }
    }));

  Deno.test(`our own clock set ${direction} by a day: everything is read again when it is time, no sooner and no later`, () =>
    withFaults(
      async (cycles) => {
        await settle(cycles);
        keepOktaTime(cycles);
        cycles.clock.setClock(skew);
        const full: boolean[] = [];
        for (let i = 0; i < 4; i++) {
          await cycles.pass(INTERVAL);
          full.push((await cycles.cycle()).isFull);
        }
        assertEquals(full, [false, false, true, false]);
      },
      MAPPINGS,
      { full_refresh_seconds: 3 * INTERVAL },
    ));

  Deno.test(`our own clock set ${direction} by a day in the middle of a cycle: what it took is told as it was`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, clock } = cycles;
      keepOktaTime(cycles);
      change(world);
      cycles.network = async (url, _, proceed) => {
        if (url.includes("/users") || url.includes("/members")) clock.setClock(skew);
        await cycles.pass(1);
        return await proceed();
      };
      const { durationSeconds, mappings } = await cycle();
      for (const seconds of [durationSeconds, ...mappings.map((one) => one.durationSeconds)]) {
        assert(seconds >= 0 && seconds < 60, `${seconds} s`);
      }
    }));
}

Deno.test(
  "our own clock set back by a day keeps nobody out who may join the organisation by now",
  () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, clock } = cycles;
      keepOktaTime(cycles);
      const email = "erin@example.com";
      world.okta.group("Engineering").members.add(world.okta.addUser(email));
      assertEquals(summary(await cycle())[0], "Engineering->Engineers: +0 -0, 1 pending");
      clock.setClock(-DAY);
      world.grafana.state.addUser({ login: email, email, orgId: null });
      for (let i = 0; i < 4; i++) {
        await cycles.pass(INTERVAL);
        await cycle();
      }
      assertConverged(world);
    }),
);
