/** Keeps to a share of a service's rate limit, so that other clients can use the rest. */
import { readRateLimit, untilReset } from "./headers.ts";
import type { Sleep } from "./types.ts";

/** How much may be used. */
export interface BudgetOptions {
  /** The share of the service's limit, greater than 0 and at most 1. */
  readonly share: number;
  /** Which routes count together. */
  readonly familyOf: (route: string) => string;
}

/** What a budget needs from outside. */
export interface BudgetSurroundings {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds since some moment; no setting of the clock moves it. */
  readonly monotonic: () => number;
  readonly sleep: Sleep;
  readonly signal: AbortSignal;
  /** Called with what is left of a family's limit, after each answer that reports it. */
  readonly onLimit?: (family: string, limit: Pick<Told, "limit" | "remaining">) => void;
}

/** The budget of one service. */
export interface Budget {
  /**
   * Waits until one request more is within the budget.
   *
   * @param onWait called before each wait for a reset, with its milliseconds; what it throws ends the waiting.
   * @throws the signal's reason when it is aborted.
   */
  enter(route: string, onWait: (ms: number) => void): Promise<void>;
  /** Reports how a request that entered was answered, if it was. */
  leave(route: string, response: Pick<Response, "ok" | "headers"> | undefined): void;
}

/** What a service says about the time until a reset. */
interface Told {
  /** Requests in one window. */
  readonly limit: number;
  readonly remaining: number;
  /** As the service writes it: it identifies the window. */
  readonly reset: number;
  /** By our monotonic clock, in milliseconds. */
  readonly resetAt: number;
  /** After this time one request checks whether it still holds, by our monotonic clock in milliseconds. */
  readonly believedUntil: number;
}

/** How long a reported limit is trusted, in milliseconds: clocks and headers may be wrong. Okta's windows last a minute. */
const MOST_BELIEVED_MS = 60_000;

/** One family of routes. */
interface Family {
  /** The last reported window, with the lowest remaining count; `unlimited` if an answer had no limit. */
  window: Told | "unlimited" | undefined;
  /** Requests of the window that were answered. */
  used: number;
  underWay: number;
  /** The first request after a reset is in flight: the others wait for its answer. */
  first: PromiseWithResolvers<void> | undefined;
  /** Until the reset. */
  resting: Promise<void> | undefined;
}

/** Reads the limit in an answer. A limit of 0 is Okta's limit of concurrent requests, which never resets. */
function readLimit(headers: Headers, nowMs: number, monotonicMs: number): Told | undefined {
  const [limit, remaining, reset] = readRateLimit(headers);
  if (!limit || remaining === undefined || reset === undefined) return undefined;
  const resetAt = monotonicMs + untilReset(reset, headers, nowMs);
  return {
    limit,
    remaining,
    reset,
    resetAt,
    believedUntil: Math.min(resetAt, monotonicMs + MOST_BELIEVED_MS),
  };
}

/**
 * Makes a budget. What we use of a window stays within the share of that and what is left: whatever others use
 * makes it smaller.
 *
 * @see https://developer.okta.com/docs/reference/rl-best-practices/
 */
export function createBudget(
  { share, familyOf }: BudgetOptions,
  { now, monotonic, sleep, signal, onLimit }: BudgetSurroundings,
): Budget {
  const families = new Map<string, Family>();

  function familyFor(route: string): Family {
    const name = familyOf(route);
    const known = families.get(name);
    if (known) return known;
    const family: Family = {
      window: undefined,
      used: 0,
      underWay: 0,
      first: undefined,
      resting: undefined,
    };
    families.set(name, family);
    return family;
  }

  /** Waits for one reset together, however many wait. */
  async function rest(family: Family, ms: number): Promise<void> {
    await (family.resting ??= sleep(ms, signal).finally(() => family.resting = undefined));
  }

  return {
    async enter(route, onWait) {
      const family = familyFor(route);
      for (;;) {
        signal.throwIfAborted();
        const { window, first, used, underWay } = family;
        if (window === "unlimited") break;
        if (window && monotonic() < window.believedUntil) {
          if (used + underWay + 1 <= share * (used + window.remaining)) break;
          const ms = window.resetAt - monotonic();
          onWait(ms);
          await rest(family, ms);
        } else if (first) {
          await first.promise;
        } else {
          family.first = Promise.withResolvers();
          break;
        }
      }
      family.underWay++;
    },

    leave(route, response) {
      const family = familyFor(route);
      family.underWay--;
      family.first?.resolve();
      family.first = undefined;
      if (!response) return;
      const told = readLimit(response.headers, now(), monotonic());
      const { window } = family;
      if (!told) {
        if (response.ok && !window) family.window = "unlimited";
        return;
      }
      onLimit?.(familyOf(route), told);
      const before = window === "unlimited" ? undefined : window;
      if (before && told.reset < before.reset) return;
      const isSame = before?.reset === told.reset;
      family.used = (isSame ? family.used : 0) + 1;
      family.window = isSame ? { ...before, remaining: Math.min(before.remaining, told.remaining) } : told;
    },
  };
}
