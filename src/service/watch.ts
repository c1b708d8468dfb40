/** Sees to it that ticks come, whatever the clock is set to. */
import type { Sleep } from "../http/types.ts";
import type { Logger } from "../observability/log.ts";

/** The part of `Deno.cron` that is used. @see https://docs.deno.com/api/deno/~/Deno.cron */
export type Cron = (
  name: string,
  schedule: string,
  options: { readonly signal: AbortSignal; readonly backoffSchedule: number[] },
  handler: () => void,
) => Promise<void>;

/** After so long without a tick, in milliseconds, a cron that ticks once a minute is silent. */
export const SILENT_MS = 70_000;

/** The timer in its place ticks this often, in milliseconds. */
const TICK_MS = 60_000;

/** What watching needs. */
export interface WatchOptions {
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  readonly sleep: Sleep;
  readonly log: Logger;
}

/**
 * The same cron, which is watched: while it is silent, a timer ticks in its place, and the log says so once. A cron
 * waits for a time of day, so after the clock was set back by an hour, its next tick comes in an hour.
 */
export function watched(cron: Cron, { monotonic, sleep, log }: WatchOptions): Cron {
  return async (name, schedule, options, tick) => {
    const ended = new AbortController();
    const signal = AbortSignal.any([options.signal, ended.signal]);
    let tickedAt = monotonic();
    let isSilent = false;

    async function watch(): Promise<void> {
      while (!signal.aborted) {
        const silentMs = monotonic() - tickedAt;
        const leastMs = isSilent ? TICK_MS : SILENT_MS;
        if (silentMs < leastMs) {
          await sleep(leastMs - silentMs, signal);
          continue;
        }
        if (!isSilent) {
          log.warning(
            "Deno.cron has not ticked for {seconds} s, probably because the clock was set back: gots keeps to its interval without it",
            { seconds: Math.round(silentMs / 1_000) },
          );
        }
        isSilent = true;
        tickedAt = monotonic();
        tick();
      }
    }

    watch().catch(() => {});
    try {
      await cron(name, schedule, options, () => {
        tickedAt = monotonic();
        isSilent = false;
        tick();
      });
    } finally {
      ended.abort();
    }
  };
}
