/** One request on the wire: time limit, backoff, rate limits, shutdown. What the answer means is not decided here. */
import { homepage, version } from "../version.ts";
import { readText } from "./answer.ts";
import { BACKOFF } from "./backoff.ts";
import { readConnectionFailure } from "./connection.ts";
import { cleanError } from "./credentials.ts";
import { createGate, type Outcome } from "./gate.ts";
import { isRequestError, RequestError } from "./error.ts";
import { describeStranger } from "./stranger.ts";
import { limitAttempt } from "./limit.ts";
import { askedMs, pauseMs } from "./pause.ts";
import { readClockOffset } from "./headers.ts";
import { createRecess } from "./recess.ts";
import type { Service, TransportOptions } from "./service.ts";
import type { Outgoing, Received, Surroundings } from "./types.ts";

/** The time limit of one attempt, body included, in milliseconds. */
export const TIMEOUT_MS = 30_000;

/** Sends requests, again if the answer or the connection says that it may help. */
export interface Transport {
  /**
   * The first answer that is not a temporary failure, or the last one when the attempts are used up.
   *
   * @throws {RequestError} if there was no answer: `timeout`, `unreachable`, `certificate`, `interrupted`; `postponed`
   * for a write that would have to wait.
   */
  exchange(outgoing: Outgoing): Promise<Received>;
}

/** Makes a transport to the service of this name. */
export function createTransport(
  options: TransportOptions & Pick<Service, "name">,
  surroundings: Surroundings,
): Transport {
  const { fetch, now, monotonic, random, sleep, log, signal } = surroundings;
  const { onExchange, onProgress, onWait, describePeer, proxyFor } = surroundings;
  const { mostWriteWaitMs = Infinity } = options;
  const backoff = { ...BACKOFF, ...options.backoff };
  const recess = createRecess(surroundings);
  const gate = options.gate && createGate(options.name, options.gate, backoff.patienceMs, surroundings);

  /** Sends it once, when the gate lets it through. */
  async function attempt(outgoing: Outgoing): Promise<Received | RequestError> {
    const { service, method, path, route } = outgoing;
    const leave = await gate?.enter({ service, method, path }, route);
    const started = monotonic();
    let outcome: Omit<Outcome, "seconds"> = { response: undefined, isLate: false };
    try {
      // Another request may have been told to wait while this one waited for its lane.
      if (isDecided(outgoing)) recess.requireOpen(outgoing);
      const result = await send(outgoing);
      outcome = result instanceof RequestError
        ? { response: undefined, isLate: result.kind === "timeout" }
        : { response: result.response, isLate: false };
      return result;
    } finally {
      leave?.({ ...outcome, seconds: (monotonic() - started) / 1_000 });
    }
  }

  async function send(outgoing: Outgoing): Promise<Received | RequestError> {
    const { service, method, path, route, url, body } = outgoing;
    const timeoutMs = outgoing.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS;
    const subject = { service, method, path };
    const headers = { ...await outgoing.headers(), "user-agent": `gots/${version} (+${homepage})` };
    const limit = limitAttempt(signal, method !== "GET", timeoutMs);
    const started = monotonic();
    let status = "";
    let clockOffsetSeconds: number | undefined;
    let isStranger = false;
    try {
      const init = { method, headers, redirect: "manual", signal: limit.signal } as const;
      const response = await fetch(url, body === undefined ? init : { ...init, body });
      const text = await readText(response, subject);
      status = String(response.status);
      isStranger = describeStranger(response, text) !== undefined;
      clockOffsetSeconds = readClockOffset(response.headers, now());
      onProgress?.();
      return { response, text };
    } catch (error) {
      const failure = isRequestError(error) ? error : readConnectionFailure(cleanError(error, headers), {
        ...subject,
        url,
        signal: limit.signal,
        timeoutMs,
        proxy: proxyFor?.(url),
      });
      status = failure.kind;
      if (status === "certificate") {
        const peer = await describePeer?.(url).catch(() => undefined);
        if (peer) {
          return new RequestError({ ...failure, detail: `${failure.detail}; ${peer}`, cause: failure.cause });
        }
      }
      if (status === "interrupted" && method !== "GET") {
        const cut =
          "{method} {path} was interrupted by the shutdown; the next run will see whether {service} carried it out";
        log.warning(cut, { service, method, path });
      }
      return failure;
    } finally {
      limit.release();
      const seconds = (monotonic() - started) / 1_000;
      const label = service.toLowerCase();
      onExchange?.({ service: label, method, route, status, seconds, clockOffsetSeconds, isStranger });
      const ms = Math.round(seconds * 1_000);
      log.debug("{service} {method} {path} {status} {ms} ms", { service, method, path, status, ms });
    }
  }

  /** Whether the request depends on readings that go stale during a wait. */
  function isDecided({ method }: Outgoing): boolean {
    return method !== "GET" && mostWriteWaitMs < Infinity;
  }

  /** How long to wait before the next attempt, in milliseconds; `undefined` if there is none. */
  function pauseAfter(result: Received | RequestError, number: number, outgoing: Outgoing, waitedMs: number) {
    const attempts = outgoing.attempts ?? backoff.attempts;
    const ms = signal.aborted ? undefined : pauseMs(result, number, { ...backoff, attempts }, random, now());
    if (!isDecided(outgoing)) return ms;
    const asked = askedMs(result, now());
    const isLate = result instanceof RequestError && result.kind === "timeout";
    const isOld = isLate || waitedMs + Math.max(asked, ms ?? 0) > mostWriteWaitMs;
    if ("response" in result && asked > 0 && asked <= backoff.patienceMs && (isOld || attempts === 1)) {
      recess.begin(outgoing, result.response.status, asked);
    }
    return isOld ? undefined : ms;
  }

  async function pause(
    result: Received | RequestError,
    outgoing: Outgoing,
    ms: number,
    next: number,
    attempts: number,
  ): Promise<void> {
    const { service, method, path } = outgoing;
    const failed = result instanceof RequestError;
    const limited = !failed && result.response.status === 429;
    const what = failed
      ? result.detail
      : limited
      ? "Rate limit exceeded"
      : `returned ${result.response.status}`;
    const message =
      "{_what} ({service} {method} {path}): waiting {_seconds} s, then attempt {next} of {attempts}";
    const seconds = Math.round(ms / 100) / 10;
    const fields = {
      _what: what,
      service,
      method,
      path,
      seconds,
      _seconds: seconds.toFixed(1),
      next,
      attempts,
    };
    log.warning(message, fields);
    if (limited) onWait?.(service.toLowerCase(), ms / 1_000);
    onProgress?.();
    await sleep(ms, signal);
  }

  return {
    async exchange(outgoing) {
      const { service, method, path, attempts = backoff.attempts } = outgoing;
      const interrupted = () =>
        new RequestError({ kind: "interrupted", service, method, path, detail: "stopped" });
      let waitedMs = 0;
      for (let number = 1;; number++) {
        if (!isDecided(outgoing)) await recess.end().catch(() => {});
        if (signal.aborted) throw interrupted();
        const result = await attempt(outgoing);
        const ms = pauseAfter(result, number, outgoing, waitedMs);
        if (ms === undefined) {
          if (result instanceof RequestError) throw result;
          return result;
        }
        waitedMs += ms;
        await pause(result, outgoing, ms, number + 1, attempts).catch(() => {
          throw interrupted();
        });
      }
    },
  };
}
