/** Clocks that are a day apart. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isSuccess } from "../../src/sync/report.ts";
import { errorsOf, summary } from "../sync/cycle_world.ts";
import { assertConverged, assertTold, change, INTERVAL, settle, withFaults } from "./world.ts";

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

for (const skew of [DAY, -DAY]) {
  const direction = skew > 0 ? "ahead of us" : "behind us";
  for (const [what, headers, waitMs] of SKEWED) {
    Deno.test(`clock skew of a day, Okta ${direction}, ${what}: a rate limit is waited for sensibly, or told`, () =>
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

  Deno.test(`our own clock set by a day, ${direction}, between two cycles changes nothing but the time`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle } = cycles;
      for (let i = 0; i < 3; i++) {
        change(world);
        await cycles.pass(skew / 1_000);
        assert((await cycle()).mappings.every(isSuccess));
        assertConverged(world);
      }
    }));
}

Deno.test(
  "our own clock set back by a day keeps nobody out who may join the organisation by now",
  () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle } = cycles;
      const email = "erin@example.com";
      world.okta.group("Engineering").members.add(world.okta.addUser(email));
      assertEquals(summary(await cycle())[0], "Engineering->Engineers: +0 -0, 1 pending");
      await cycles.pass(-DAY / 1_000);
      world.grafana.state.addUser({ login: email, email, orgId: null });
      for (let i = 0; i < 4; i++) {
        await cycles.pass(INTERVAL);
        await cycle();
      }
      assertConverged(world);
    }),
);
