/** Turns signals of the operating system into a shutdown. */
import type { Logger } from "../observability/log.ts";

/** A signal that asks the program to stop. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** The exit status of a program that a signal ended: 128 and the signal's number. */
export const SIGNAL_STATUS: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Follows the signals. */
export interface Shutdown {
  /** Aborted at the first signal. */
  readonly signal: AbortSignal;
  /** The signal that came first. */
  received(): StopSignal | undefined;
  /** Stops following. */
  release(): void;
}

/** Windows knows no SIGTERM. */
const SIGNALS: readonly StopSignal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Follows SIGINT and SIGTERM: the first begins a shutdown, a second one ends the program at once. */
export function followSignals(log: Logger, exit: (status: number) => void = Deno.exit): Shutdown {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  const listeners = SIGNALS.map((name) => {
    const listener = () => {
      if (first) {
        log.warning("Received a second signal, {signal}: exiting at once", { signal: name });
        exit(SIGNAL_STATUS[name]);
      } else {
        first = name;
        log.info("Received signal {signal}, initiating graceful shutdown...", { signal: name });
        controller.abort(new DOMException(`stopped by ${name}`, "AbortError"));
      }
    };
    Deno.addSignalListener(name, listener);
    return () => Deno.removeSignalListener(name, listener);
  });
  return {
    signal: controller.signal,
    received: () => first,
    release: () => listeners.forEach((remove) => remove()),
  };
}
