/** One way to talk to a JSON service: time limit, backoff, rate limits, origin check, errors that explain themselves. */
import { homepage, version } from "../version.ts";
import { type Failure, type Outcome, readAnswer, readConnectionFailure, type Subject } from "./answer.ts";
import { BACKOFF, backoffMs } from "./backoff.ts";
import { RequestError } from "./error.ts";
import type { Answer, HttpClient, Request, Service, Surroundings } from "./types.ts";

/** How long a write that is under way may go on after a shutdown was asked for, in milliseconds. */
export const WRITE_GRACE_MS = 6_000;

/** The time limit of one attempt, body included, in milliseconds. */
export const TIMEOUT_MS = 30_000;

/** A signal for one attempt: aborted at its time limit, and on shutdown; a write has its grace before. */
function limitAttempt(shutdown: AbortSignal, isWrite: boolean, timeoutMs: number) {
  const controller = new AbortController();
  let grace: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    if (!isWrite) controller.abort(shutdown.reason);
    else grace = setTimeout(() => controller.abort(shutdown.reason), WRITE_GRACE_MS);
  };
  const limit = setTimeout(() => controller.abort(new DOMException("time limit", "TimeoutError")), timeoutMs);
  shutdown.addEventListener("abort", stop, { once: true });
  if (shutdown.aborted) stop();
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(limit);
      clearTimeout(grace);
      shutdown.removeEventListener("abort", stop);
    },
  };
}

/** Makes a client of `service`. */
export function createHttpClient(service: Service, surroundings: Surroundings): HttpClient {
  const { now, random, log, signal } = surroundings;
  const timeoutMs = service.timeoutMs ?? TIMEOUT_MS;
  const backoff = { ...BACKOFF, ...service.backoff };
  const { origin } = new URL(service.baseUrl);

  /** The address to ask. A link is followed as it came, but never to another origin: the credential would go along. */
  function address(request: Request<unknown>, subject: Subject): string {
    if (request.link === undefined) {
      const query = Object.entries(request.query ?? {}).map(([key, value]) => [key, String(value)]);
      return `${service.baseUrl}${subject.path}${query.length > 0 ? `?${new URLSearchParams(query)}` : ""}`;
    }
    const link = URL.parse(request.link);
    if (link && link.origin === origin && !link.username && !link.password) return request.link;
    throw new RequestError({
      ...subject,
      kind: "bad-link",
      detail: `the link to the next page leads to ${link?.origin ?? "no address"}, not to ${origin}`,
      advice: `it was not followed; look what answers in ${service.name}'s place`,
    });
  }

  async function attempt<T>(request: Request<T>, url: string, subject: Subject): Promise<Outcome<T>> {
    const { method, route, body } = request;
    const credential = await service.authorization.headers({ method, url });
    const limit = limitAttempt(signal, method !== "GET", timeoutMs);
    const started = now();
    let status = "";
    try {
      const response = await surroundings.fetch(url, {
        method,
        redirect: "manual",
        signal: limit.signal,
        headers: {
          ...credential,
          accept: "application/json",
          "user-agent": `gots/${version} (+${homepage})`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      status = String(response.status);
      surroundings.onProgress?.();
      return readAnswer(request, service, subject, response, text, now());
    } catch (error) {
      const failure = readConnectionFailure(error, limit.signal, subject, timeoutMs);
      status = failure.error.kind;
      return { failure };
    } finally {
      limit.release();
      const seconds = (now() - started) / 1_000;
      surroundings.onExchange?.({ service: service.name.toLowerCase(), method, route, status, seconds });
      log.debug("{service} {method} {path} {status} {ms} ms", {
        ...subject,
        status,
        ms: Math.round(seconds * 1_000),
      });
    }
  }

  async function wait({ error, waitMs }: Failure, number: number): Promise<void> {
    const ms = waitMs ?? backoffMs(number, random, backoff);
    const level = error.kind === "rate-limited" ? "warning" : "info";
    log[level](
      "{detail} ({service} {method} {path}): waiting {seconds} s, then attempt {attempt} of {attempts}",
      {
        detail: error.detail,
        service: error.service,
        method: error.method,
        path: error.path,
        seconds: (ms / 1_000).toFixed(1),
        attempt: number + 1,
        attempts: backoff.attempts,
      },
    );
    surroundings.onProgress?.();
    await surroundings.sleep(ms, signal);
  }

  function isRepeatable({ passing, waitMs }: Failure, number: number): boolean {
    return passing && number < backoff.attempts && (waitMs ?? 0) <= backoff.patienceMs && !signal.aborted;
  }

  return {
    async send<T>(request: Request<T>): Promise<Answer<T>> {
      const path = request.route.replace(
        /:(\w+)/g,
        (_, key) => encodeURIComponent(request.params?.[key] ?? ""),
      );
      const subject: Subject = { service: service.name, method: request.method, path };
      const url = address(request, subject);
      const interrupted = () => new RequestError({ ...subject, kind: "interrupted", detail: "stopped" });
      let renewed = false;
      for (let number = 1;; number++) {
        if (signal.aborted) throw interrupted();
        const outcome = await attempt(request, url, subject);
        if ("answer" in outcome) return outcome.answer;
        const { failure } = outcome;
        if (failure.error.kind === "unauthorized" && !renewed && service.authorization.renew?.()) {
          renewed = true;
          continue;
        }
        if (!isRepeatable(failure, number)) throw failure.error;
        await wait(failure, number).catch(() => {
          throw interrupted();
        });
      }
    },
  };
}
