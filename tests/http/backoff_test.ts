/** How long to wait: by the answer's word, or by backoff. */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { BACKOFF, backoffMs, requestedWaitMs } from "../../src/http/backoff.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const DATE = new Date(NOW).toUTCString();
const EARLIER = new Date(NOW - 86_400_000).toUTCString();
const seconds = (after: number) => String(NOW / 1_000 + after);

const asked: readonly (readonly [headers: Record<string, string>, ms: number | undefined])[] = [
  [{}, undefined],
  [{ "retry-after": "0" }, 0],
  [{ "retry-after": "5" }, 5_000],
  [{ "retry-after": " 5 " }, 5_000],
  [{ "retry-after": "-5x" }, undefined],
  [{ "retry-after": "later" }, undefined],
  [{ "retry-after": "" }, undefined],
  [{ "retry-after": new Date(NOW + 30_000).toUTCString() }, 30_000],
  [{ "retry-after": new Date(NOW - 30_000).toUTCString() }, 0],
  [{ "retry-after": new Date(NOW + 30_000).toUTCString(), date: EARLIER }, 86_430_000],
  [{ "retry-after": "5", "x-rate-limit-reset": seconds(60) }, 5_000],
  [{ "retry-after": "later", "x-rate-limit-reset": seconds(60) }, 61_000],
  [{ "x-rate-limit-reset": seconds(60) }, 61_000],
  [{ "x-rate-limit-reset": seconds(60), date: DATE }, 61_000],
  [{ "x-rate-limit-reset": seconds(60), date: new Date(NOW + 20_000).toUTCString() }, 41_000],
  [{ "x-rate-limit-reset": seconds(60), date: "yesterday" }, 61_000],
  [{ "x-rate-limit-reset": seconds(-60) }, 1_000],
  [{ "x-rate-limit-reset": "soon" }, undefined],
  [{ "x-rate-limit-reset": seconds(60), "x-rate-limit-limit": "600" }, 61_000],
  [{ "x-rate-limit-reset": seconds(60), "x-rate-limit-limit": "0" }, undefined],
  // Doubled by a proxy.
  [{ "retry-after": "30, 30" }, 30_000],
  [{ "retry-after": "30, 40" }, undefined],
  [{ "retry-after": `${DATE}, ${DATE}`, date: `${EARLIER}, ${EARLIER}` }, 86_400_000],
  [{ "x-rate-limit-reset": `${seconds(60)}, ${seconds(60)}`, "x-rate-limit-remaining": "0, 0" }, 61_000],
  [{ "x-rate-limit-reset": seconds(60), "x-rate-limit-limit": "0, 0" }, undefined],
  [{ "x-rate-limit-reset": seconds(60), "x-rate-limit-remaining": "7,7" }, undefined],
  [{ "x-rate-limit-reset": seconds(60), date: `${DATE}, ${DATE}` }, 61_000],
  [{ "x-rate-limit-reset": seconds(60), date: `${DATE}, ${EARLIER}` }, 86_461_000],
];

for (const [headers, ms] of asked) {
  Deno.test(`${JSON.stringify(headers)} asks for ${ms === undefined ? "no wait" : `${ms} ms`}`, () => {
    assertEquals(requestedWaitMs(new Headers(headers), NOW), ms);
  });
}

const ceilings: readonly (readonly [attempt: number, ms: number])[] = [
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [4, 8_000],
  [5, 16_000],
  [6, 30_000],
  [60, 30_000],
  [2_000, 30_000],
];

for (const [attempt, ms] of ceilings) {
  Deno.test(`the wait after attempt ${attempt} is ${ms} ms at most, and can be anything down to 0`, () => {
    assertEquals([0, 0.5, 1].map((r) => backoffMs(attempt, () => r, BACKOFF)), [0, ms / 2, ms]);
  });
}

Deno.test("a wait is a whole number of milliseconds between nothing and the ceiling", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, r) => {
      const ms = backoffMs(n, () => r, BACKOFF);
      assert(Number.isInteger(ms) && ms >= 0 && ms <= BACKOFF.mostMs);
    }),
  );
});

Deno.test("no header makes a wait negative or not a number", () => {
  const value = fc.oneof(fc.stringMatching(/^[\w ,:+.-]*$/), fc.integer().map(String));
  const names = fc.constantFrom("retry-after", "x-rate-limit-reset", "x-rate-limit-limit", "date");
  fc.assert(fc.property(fc.dictionary(names, value), (headers) => {
    const ms = requestedWaitMs(new Headers(headers), NOW);
    assert(ms === undefined || ms >= 0, String(ms));
  }));
});
