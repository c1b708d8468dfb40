/** Time that the test moves: a wall clock, sleeps, and a cron that ticks at each full minute of the wall clock. */
import type { Sleep } from "../../src/http/types.ts";
import type { Cron } from "../../src/service/watch.ts";

/** Time under the test's control. */
export interface ManualTime {
  /** The wall clock, in epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that really passed, whatever the wall clock says. */
  readonly monotonic: () => number;
  readonly sleep: Sleep;
  readonly cron: Cron;
  /** Lets time pass, with all that is due meanwhile in its order. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward or back, while no time passes. */
  setClock(ms: number): void;
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Of the wall clock's minute. */
const MINUTE_MS = 60_000;

/** Starts time; the first tick of the cron comes after `firstTickMs`, or after a minute for 0. */
export function manualTime(firstTickMs = 0): ManualTime {
  const timers = new Set<{ at: number; fire: () => void }>();
  let passed = 0;
  let clock = Date.UTC(2026, 0, 1) - firstTickMs;

  const nextMinute = () => (Math.floor((clock + passed) / MINUTE_MS) + 1) * MINUTE_MS;

  return {
    now: () => clock + passed,
    monotonic: () => passed,
    setClock: (ms) => void (clock += ms),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const timer = { at: passed + ms, fire: resolve };
        timers.add(timer);
        signal.addEventListener("abort", () => {
          timers.delete(timer);
          reject(signal.reason);
        }, { once: true });
      }),
    cron: (_name, _schedule, { signal }, tick) =>
      new Promise((resolve) => {
        const plan = (atClock: number) => {
          const timer = {
            at: passed + atClock - (clock + passed),
            // As Deno.cron does: what it waits for is a time of day, and when it wakes before that, it waits on.
            fire() {
              if (clock + passed < atClock) return plan(atClock);
              plan(nextMinute());
              tick();
            },
          };
          timers.add(timer);
          signal.addEventListener("abort", () => timers.delete(timer), { once: true });
        };
        plan(nextMinute());
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
    async advance(ms) {
      const end = passed + ms;
      await settle();
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers.delete(next);
        passed = next.at;
        next.fire();
        await settle();
      }
      passed = end;
    },
  };
}
