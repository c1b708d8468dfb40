import { assert, assertEquals } from "@std/assert";
import { schedule } from "../../src/service/scheduler.ts";
import type { Cron } from "../../src/service/watch.ts";
import { captureLog } from "../support.ts";
import { type ManualTime, manualTime } from "./manual_time.ts";

interface Settings {
  readonly intervalSeconds: number;
  readonly firstTickMs?: number;
  /** How long each cycle takes. */
  readonly cycleSeconds?: number;
  readonly run?: () => Promise<void>;
}

/** A schedule that runs in manual time, and what it did. */
function scheduled({ intervalSeconds, firstTickMs = 17_300, cycleSeconds = 0, run }: Settings) {
  const time = manualTime(firstTickMs);
  const captured = captureLog();
  const controller = new AbortController();
  const starts: number[] = [];
  const nexts: number[] = [];
  let open = 0;
  let most = 0;
  const ended = schedule({
    ...time,
    log: captured.log,
    intervalSeconds,
    signal: controller.signal,
    onNext: (at) => nexts.push(at),
    async run() {
      starts.push(time.monotonic() / 1_000);
      most = Math.max(most, ++open);
      try {
        if (cycleSeconds > 0) await time.sleep(cycleSeconds * 1_000, new AbortController().signal);
        await run?.();
      } finally {
        open--;
      }
    },
  });
  return {
    ...time,
    captured,
    starts,
    nexts,
    ended,
    mostAtOnce: () => most,
    stop() {
      controller.abort();
      return ended;
    },
  };
}

Deno.test("the first cycle starts at once, before any tick", async () => {
  const { starts, advance, stop } = scheduled({ intervalSeconds: 300 });
  await advance(0);
  assertEquals(starts, [0]);
  await stop();
});

for (const intervalSeconds of [60, 61, 90, 300, 3_600]) {
  Deno.test(`an interval of ${intervalSeconds} s is exact, whenever the minute's tick comes`, async () => {
    for (const firstTickMs of [0, 1, 17_300, 59_999, 60_000]) {
      const { starts, advance, stop } = scheduled({ intervalSeconds, firstTickMs, cycleSeconds: 2 });
      await advance(intervalSeconds * 5_000 + 500);
      assertEquals(starts, [0, 1, 2, 3, 4, 5].map((n) => n * intervalSeconds), `tick at ${firstTickMs} ms`);
      await advance(10_000);
      await stop();
    }
  });
}

Deno.test("the next cycle is always known: before the first one runs, and after every start", async () => {
  const { nexts, monotonic, advance, stop } = scheduled({ intervalSeconds: 90 });
  assertEquals(nexts, [90_000]);
  for (let i = 0; i < 20; i++) {
    await advance(60_000);
    const next = nexts.at(-1) ?? 0;
    assert(next > monotonic() && next <= monotonic() + 90_000);
  }
  await stop();
});

Deno.test("two cycles never run at once: one that is due meanwhile is skipped, with a warning", async () => {
  const { starts, captured, mostAtOnce, advance, stop } = scheduled({
    intervalSeconds: 60,
    cycleSeconds: 150,
  });
  await advance(200_000);
  assertEquals(starts, [0, 180]);
  assertEquals(mostAtOnce(), 1);
  const warning = "WARNING The cycle takes longer than the interval of 60 s; this one is skipped";
  assertEquals(captured.messages(), [warning, warning]);
  await advance(150_000);
  await stop();
});

Deno.test("a cycle that ends before the next one is due is no reason to warn", async () => {
  const { captured, advance, stop } = scheduled({ intervalSeconds: 60, cycleSeconds: 59 });
  await advance(659_500);
  assertEquals(captured.messages(), []);
  await stop();
});

const HOUR_MS = 3_600_000;

for (const [direction, stepMs] of [["back", -HOUR_MS], ["forward", HOUR_MS]] as const) {
  Deno.test(`a clock that is set ${direction} by an hour delays no cycle, whenever that happens`, async () => {
    for (let second = 1; second < 300; second += 7) {
      const { starts, advance, setClock, stop } = scheduled({ intervalSeconds: 300, firstTickMs: 30_000 });
      await advance(second * 1_000);
      setClock(stepMs);
      await advance(2 * HOUR_MS);
      const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
      assert(Math.max(...gaps) <= 300, `set after ${second} s: ${starts}`);
      // A step forward looks like a machine that was suspended: one cycle comes early.
      assert(
        gaps.filter((gap) => gap < 300).length <= Number(stepMs > 0),
        `set after ${second} s: ${starts}`,
      );
      await stop();
    }
  });
}

Deno.test("after the clock was set back the log says once that the cron is silent, and again the next time", async () => {
  const { starts, captured, advance, setClock, stop } = scheduled({ intervalSeconds: 60, firstTickMs: 0 });
  await advance(60_000);
  assertEquals(captured.messages(), []);
  const silent = "WARNING Deno.cron has not ticked for 70 s, probably because the clock was set back: " +
    "gots keeps to its interval without it";
  setClock(-HOUR_MS);
  await advance(1.5 * HOUR_MS);
  assertEquals(captured.messages(), [silent]);
  setClock(-HOUR_MS);
  await advance(0.5 * HOUR_MS);
  assertEquals(captured.messages(), [silent, silent]);
  const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
  assertEquals([starts.length, Math.min(...gaps), Math.max(...gaps)], [121, 50, 70]);
  await stop();
});

Deno.test("after a machine was suspended, one cycle makes up for all that were missed", async () => {
  const { starts, advance, setClock, stop } = scheduled({ intervalSeconds: 300, firstTickMs: 30_000 });
  await advance(10_000);
  setClock(8 * 3_600_000);
  await advance(320_000);
  assertEquals(starts, [0, 30, 330]);
  await stop();
});

Deno.test("a clock that jumps forward while the next cycle is waited for starts no burst of cycles", async () => {
  const { starts, advance, setClock, stop } = scheduled({ intervalSeconds: 300, firstTickMs: 0 });
  await advance(250_000);
  setClock(8 * 3_600_000);
  await advance(349_000);
  assertEquals(starts, [0, 300]);
  await stop();
});

Deno.test("a stop while the next cycle is waited for ends the schedule at once, without another cycle", async () => {
  const { starts, captured, advance, stop } = scheduled({ intervalSeconds: 60 });
  await advance(30_000);
  await stop();
  await advance(600_000);
  assertEquals(starts, [0]);
  assertEquals(captured.messages(), []);
});

Deno.test("a stop while a cycle runs waits for its end", async () => {
  const { starts, ended, advance, stop } = scheduled({ intervalSeconds: 60, cycleSeconds: 20 });
  let isOver = false;
  ended.then(() => isOver = true);
  await advance(10_000);
  stop();
  await advance(9_000);
  assertEquals(isOver, false);
  await advance(2_000);
  assertEquals([isOver, starts], [true, [0]]);
});

Deno.test("a cycle that throws is logged, and the next one comes as if nothing had been", async () => {
  const { starts, captured, advance, stop } = scheduled({
    intervalSeconds: 60,
    run: () => Promise.reject(new Error("the disk is full")),
  });
  await advance(125_000);
  assertEquals(starts, [0, 60, 120]);
  assertEquals(captured.messages(), Array(3).fill("ERROR The cycle was aborted: Error: the disk is full"));
  await stop();
});

/** A schedule whose cron is `cron`, stopped when `test` has ended. */
async function withCron(
  cron: (time: ManualTime) => Cron,
  test: (time: ManualTime, starts: number[]) => Promise<void>,
): Promise<void> {
  const time = manualTime();
  const controller = new AbortController();
  const starts: number[] = [];
  const ended = schedule({
    ...time,
    cron: cron(time),
    log: captureLog().log,
    intervalSeconds: 60,
    signal: controller.signal,
    onNext() {},
    async run() {
      await Promise.resolve();
      starts.push(time.monotonic() / 1_000);
    },
  });
  await test(time, starts);
  controller.abort();
  await ended;
}

Deno.test("ticks that come close together, as after a change of the clock, start one cycle", () =>
  withCron(
    (time) => (name, expression, options, tick) =>
      time.cron(name, expression, options, () => {
        tick();
        tick();
      }),
    async ({ advance }, starts) => {
      await advance(150_000);
      assertEquals(starts, [0, 60, 120]);
    },
  ));

Deno.test("the cron ticks every minute and repeats nothing on its own", async () => {
  const asked: unknown[] = [];
  await withCron((time) => (name, expression, options, tick) => {
    asked.push([name, expression, options.backoffSchedule]);
    return time.cron(name, expression, options, tick);
  }, () => Promise.resolve());
  assertEquals(asked, [["gots", "* * * * *", []]]);
});
