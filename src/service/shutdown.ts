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

/**
 * Takes SIGUSR1, so that it does not end the program. It must come first: the system's own action is to end it. Run
 * from source, Deno opens its inspector at that signal nevertheless, which a program cannot forbid (`SECURITY.md`).
 */
export function ignoreDebugSignal(): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGUSR1", () => {});
}

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
