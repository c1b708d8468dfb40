/** Starts cycles: the first at once, the others at exact intervals. */
import type { Sleep } from "../http/types.ts";
import type { Logger } from "../observability/log.ts";
import { type Cron, SILENT_MS, watched } from "./watch.ts";

/** What the scheduler needs. */
export interface SchedulerOptions {
  /** Ticks once a minute. @default {Deno.cron} */
  readonly cron: Cron;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  readonly sleep: Sleep;
  readonly log: Logger;
  readonly intervalSeconds: number;
  /** Aborted when no further cycle is to start. */
  readonly signal: AbortSignal;
  /** Runs one cycle. */
  readonly run: () => Promise<void>;
  /** Told when the next cycle is due, by `monotonic`. */
  readonly onNext: (at: number) => void;
}

/**
 * Schedules until `signal` is aborted; resolves when the cycle that was running then has ended.
 *
 * A tick comes once a minute, starts the wait for a cycle that is due before the next tick, and returns at
 * once, so that any interval is exact. Two cycles never run at once: one that comes due during another is skipped.
 * The monotonic clock stands still while the machine is suspended; a cycle is due by the wall clock too, so that
 * one comes at the first tick after that.
 */
export async function schedule(options: SchedulerOptions): Promise<void> {
  const { now, monotonic, sleep, log, signal, onNext } = options;
  const intervalMs = options.intervalSeconds * 1_000;
  let running: Promise<void> | undefined;
  let isWaiting = false;
  let due = monotonic();
  let dueByClock = now();

  function start(): void {
    const next = Math.min(due, monotonic()) + intervalMs;
    due = next > monotonic() ? next : monotonic() + intervalMs;
    dueByClock = now() + due - monotonic();
    onNext(due);
    if (running) {
      log.warning("The cycle takes longer than the interval of {seconds} s; this one is skipped", {
        seconds: options.intervalSeconds,
      });
      return;
    }
    running = options.run()
      .catch((error: unknown) => log.error("The cycle was aborted: {_error}", { _error: String(error) }))
      .finally(() => running = undefined);
  }

  function tick(): void {
    const waitMs = Math.min(due - monotonic(), dueByClock - now());
    if (isWaiting || waitMs >= SILENT_MS || signal.aborted) return;
    isWaiting = true;
    sleep(Math.max(0, waitMs), signal).then(start, () => {}).finally(() => isWaiting = false);
  }

  start();
  await watched(options.cron, options)("gots", "* * * * *", { signal, backoffSchedule: [] }, tick);
  await running;
}
