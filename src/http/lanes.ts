/** How many requests to a service run at once: more while it answers quickly, fewer when it is overloaded. */

/** How many lanes there may be. */
export interface LaneOptions {
  /** How many to start with. @default {2} */
  readonly first?: number;
  /** Never more than this. */
  readonly most: number;
}

/** How a request went. */
export interface Passage {
  /** The route's template: some are slower than others by nature. */
  readonly route: string;
  readonly seconds: number;
  /** The service rejected it, or failed, because it was overloaded. */
  readonly isOverloaded: boolean;
}

/** Lanes to one service. */
export interface Lanes {
  /**
   * Waits for a free lane, first come, first served, and returns the function that frees it.
   *
   * @throws the signal's reason when it is aborted.
   */
  enter(signal: AbortSignal): Promise<(passage: Passage) => void>;
}

/** An answer is slow if it takes this many times as long as the fastest of its route, and at least {@linkcode LEAST_SLOW_SECONDS}. */
const SLOW_FACTOR = 4;
const LEAST_SLOW_SECONDS = 0.5;

/** The fastest time grows by this factor with each answer, because services change. */
const FORGETTING = 1.02;

/** Tracks response times, and says whether one is slow. */
function createPace(): (route: string, seconds: number) => boolean {
  const fastest = new Map<string, number>();
  return (route, seconds) => {
    const before = fastest.get(route) ?? seconds;
    fastest.set(route, Math.min(seconds, before * FORGETTING));
    return seconds >= LEAST_SLOW_SECONDS && seconds > before * SLOW_FACTOR;
  };
}

/**
 * Makes lanes. Each success opens another one until the service had too much for the first time; from then on they
 * grow by one in as many successes as there are, and each sign of too much halves them: once for all the requests
 * that were under way together.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5681 for the idea
 */
export function createLanes({ first = 2, most }: LaneOptions): Lanes {
  const isSlow = createPace();
  const waiting: (() => void)[] = [];
  let limit = Math.min(first, most);
  let [active, round] = [0, 0];
  let wasOverloaded = false;

  function admit(): void {
    while (active < Math.floor(limit) && waiting.length > 0) waiting.shift()?.();
  }

  function take(): (passage: Passage) => void {
    active++;
    const began = round;
    return ({ route, seconds, isOverloaded }) => {
      active--;
      if (isSlow(route, seconds) || isOverloaded) {
        wasOverloaded = true;
        if (began === round) {
          round++;
          limit = Math.max(1, limit / 2);
        }
      } else limit = Math.min(most, limit + (wasOverloaded ? 1 / limit : 1));
      admit();
    };
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (active < Math.floor(limit)) return take();
      return await new Promise((resolve, reject) => {
        const go = () => {
          signal.removeEventListener("abort", stop);
          resolve(take());
        };
        const stop = () => {
          waiting.splice(waiting.indexOf(go), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", stop, { once: true });
        waiting.push(go);
      });
    },
  };
}
