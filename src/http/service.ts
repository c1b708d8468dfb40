/** What a client must know of a service, and how patiently it asks. */
import type { BackoffOptions } from "./backoff.ts";
import type { GateOptions } from "./gate.ts";
import type { Authorization, Explanation } from "./types.ts";

/** How a transport behaves. */
export interface TransportOptions {
  /** For one attempt, body included, in milliseconds. @default {30000} */
  readonly timeoutMs?: number;
  readonly backoff?: BackoffOptions;
  /**
   * A write is not sent any more after it has waited for longer than this, in milliseconds: it was decided by readings
   * that are old by then. If the service asks for a longer wait, the write fails as `postponed`, and reads wait.
   *
   * @default {Infinity}
   */
  readonly mostWriteWaitMs?: number;
  /** How many requests at once, and how much of the rate limit. @default {no limit} */
  readonly gate?: GateOptions;
}

/** A service: its name, its address, how to sign requests, and how to read its errors. */
export interface Service extends TransportOptions {
  /** `Okta` or `Grafana`. */
  readonly name: string;
  /** Origin and path under which the service lives, without a slash at its end. */
  readonly baseUrl: string;
  readonly authorization: Authorization;
  /** Reads the service's own error body. */
  readonly explain: (status: number, body: unknown) => Explanation;
}
