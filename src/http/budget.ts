/** Keeps to a share of a service's rate limit, so that something is left for everybody else who uses it. */
import { readRateLimit, untilReset } from "./headers.ts";
import type { Sleep } from "./types.ts";

/** How much may be used. */
export interface BudgetOptions {
  /** The share of what the service says is there, more than 0 and at most 1. */
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
  /** Told what is left of a family's limit, after each answer that says so. */
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
  /** A request that was let go was answered like this, or not at all. */
  leave(route: string, response: Pick<Response, "ok" | "headers"> | undefined): void;
}

/** What a service says about the time until a reset. */
interface Told {
  /** Requests in one window. */
  readonly limit: number;
  readonly remaining: number;
  /** As the service writes it, which tells one window from the next. */
  readonly reset: number;
  /** By our monotonic clock, in milliseconds. */
  readonly resetAt: number;
  /** After this time it is tried whether it is still so, by our monotonic clock in milliseconds. */
  readonly believedUntil: number;
}

/** What was told is believed for so long, in milliseconds: clocks and headers may be wrong. Okta's windows last a minute. */
const MOST_BELIEVED_MS = 60_000;

/** One family of routes. */
interface Family {
  /** What was told last, with the least that was left; `unlimited` if an answer named no limit. */
  window: Told | "unlimited" | undefined;
  /** Requests of the window that were answered. */
  used: number;
  underWay: number;
  /** The first request after a reset is under way: the others wait for what its answer says. */
  first: PromiseWithResolvers<void> | undefined;
  /** Until the reset. */
  resting: Promise<void> | undefined;
}

/** Reads the limit in an answer. One of 0 is Okta's limit of concurrent requests, which is no matter of time. */
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
