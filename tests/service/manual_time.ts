/** Time that the test moves: a wall clock, sleeps, and a cron that ticks once a minute. */
import type { Sleep } from "../../src/http/types.ts";
import type { Cron } from "../../src/service/scheduler.ts";

/** Time under the test's control. */
export interface ManualTime {
  /** The wall clock, in epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: Sleep;
  readonly cron: Cron;
  /** Milliseconds that really passed, whatever the wall clock says. */
  readonly passed: () => number;
  /** Lets time pass, with all that is due meanwhile in its order. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward or back, while no time passes. */
  setClock(ms: number): void;
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Starts time; the first tick of the cron comes after `firstTickMs`. */
export function manualTime(firstTickMs = 0): ManualTime {
  const timers = new Set<{ at: number; fire: () => void }>();
  let passed = 0;
  let clock = Date.UTC(2026, 0, 1);

  return {
    now: () => clock + passed,
    passed: () => passed,
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
        const plan = (at: number) => {
          const timer = {
            at,
            fire: () => {
              plan(at + 60_000);
              tick();
            },
          };
          timers.add(timer);
          signal.addEventListener("abort", () => timers.delete(timer), { once: true });
        };
        plan(passed + firstTickMs);
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
