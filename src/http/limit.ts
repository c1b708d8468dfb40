/** How long one attempt may take. */

/** How long a write in flight may continue after a shutdown was requested, in milliseconds. */
const WRITE_GRACE_MS = 6_000;

/**
 * A signal for one attempt: aborted at its time limit, and on shutdown; a write has its grace before. To be released
 * when the attempt is over: the timer of an `AbortSignal.timeout` cannot be, and would keep every attempt in memory until
 * its limit.
 */
export function limitAttempt(shutdown: AbortSignal, isWrite: boolean, timeoutMs: number) {
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
