/** A service asked to wait: reads wait, and writes must be decided again afterwards. */
import { RequestError, type Subject } from "./error.ts";
import type { Surroundings } from "./types.ts";

/** The wait that a service asked for. */
export interface Recess {
  /**
   * The service answered a write with this status, and asked to wait for `ms` milliseconds.
   *
   * @throws {RequestError} of the kind `postponed`, always.
   */
  begin(subject: Subject, status: number, ms: number): never;
  /** Waits until it is over. @throws the signal's reason when it is aborted. */
  end(): Promise<void>;
  /** @throws {RequestError} of the kind `postponed` while it lasts. */
  requireOpen(subject: Subject): void;
}

/** Makes the recess of one service, which has none yet. */
export function createRecess({ monotonic, sleep, signal, log, onWait, onProgress }: Surroundings): Recess {
  let [until, what] = [-Infinity, ""];
  let waiting: Promise<void> | undefined;

  function postpone({ service, method, path }: Subject, ms: number): never {
    const detail = `${what}: ${service} asks to wait ${Math.ceil(ms / 1_000)} s`;
    const advice = "membership may have changed by then, so gots will decide again";
    throw new RequestError({ kind: "postponed", service, method, path, detail, advice });
  }

  return {
    begin(subject, status, ms) {
      const { service } = subject;
      what = status === 429 ? "Rate limit exceeded" : `returned ${status}`;
      const message = "{_what}: {service} asks to wait {seconds} s; nothing is written until then";
      const seconds = Math.ceil(ms / 1_000);
      if (monotonic() >= until) log.warning(message, { _what: what, service, seconds });
      if (status === 429) {
        onWait?.(service.toLowerCase(), Math.max(0, monotonic() + ms - Math.max(until, monotonic())) / 1_000);
      }
      until = Math.max(until, monotonic() + ms);
      onProgress?.();
      return postpone(subject, ms);
    },
    async end() {
      const ms = until - monotonic();
      if (ms > 0) await (waiting ??= sleep(ms, signal).finally(() => waiting = undefined));
    },
    requireOpen(subject) {
      const ms = until - monotonic();
      if (ms > 0) postpone(subject, ms);
    },
  };
}
