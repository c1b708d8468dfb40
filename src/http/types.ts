/** What a request is, what an answer is, and what a client needs from outside. */
import type * as z from "zod";
import type { Logger } from "../observability/log.ts";
import type { Exchange, RateLimit } from "../observability/api_metrics.ts";
import type { RequestErrorKind, Subject } from "./error.ts";

/** The part of `fetch` that is used. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** Waits `ms` milliseconds; rejects at once when `signal` is aborted. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Everything from outside that a client needs; tests bring their own. */
export interface Surroundings {
  readonly fetch: Fetch;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds since some moment; no setting of the clock moves it. Durations and due times are measured by it. */
  readonly monotonic: () => number;
  readonly sleep: Sleep;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly log: Logger;
  /** Aborted when the program must stop: reads and waits end at once, a write in flight gets a grace period. */
  readonly signal: AbortSignal;
  /** Called after each exchange. */
  readonly onExchange?: (exchange: Exchange) => void;
  /** Called with what is left of a rate limit, after each answer that reports it. */
  readonly onRateLimit?: (limit: RateLimit) => void;
  /** Called with how long a request will wait for a rate limit's reset, in seconds; others may wait at the same time. */
  readonly onWait?: (service: string, seconds: number) => void;
  /** Says whose certificate was rejected. */
  readonly describePeer?: (url: string) => Promise<string | undefined>;
  /** The proxy through which an address is asked, such as `http://proxy:3128 (HTTPS_PROXY)`; `undefined` without one. */
  readonly proxyFor?: (url: string) => string | undefined;
  /** Called with the reason why a credential could not be renewed, and with `undefined` once it was. */
  readonly onCredential?: (problem: string | undefined) => void;
  /** Called when an answer was received or a wait was announced: the program is alive. */
  readonly onProgress?: () => void;
}

/** How requests are signed. */
export interface Authorization {
  /** The headers that carry the credential. They are sent to the service's own origin only. */
  headers(request: { readonly method: string; readonly url: string }): Promise<Record<string, string>>;
  /** Forgets the credential of these headers, which was rejected; `true` if there can be a new one. */
  renew?(refused: Record<string, string>): boolean;
  /** Sends a request, where each attempt needs a new signature. @default {the surroundings' fetch} */
  readonly send?: Fetch;
}

/** What a service says about an error. */
export interface Explanation {
  readonly detail: string;
  readonly advice?: string | undefined;
  /** @default {what the status says} */
  readonly kind?: RequestErrorKind;
}

/** One request. */
export interface Request<T> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The route's template, such as `/api/teams/:id/members`: in metrics, never with an id. */
  readonly route: string;
  /** The value of each `:name` in the route; it is percent-encoded. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  /** A whole address as a link gave it, in place of route and query. It must be of the service's origin. */
  readonly link?: string;
  readonly body?: unknown;
  /** For one attempt, body included, in milliseconds. @default {that of the service} */
  readonly timeoutMs?: number;
  /** Attempts in all, the first among them. @default {those of the service} */
  readonly attempts?: number;
  /** The shape of a successful answer. */
  readonly schema: z.ZodType<T>;
}

/** A request as it goes out. */
export interface Outgoing extends Subject {
  readonly url: string;
  /** The route's template, for metrics. */
  readonly route: string;
  /** Called again for each attempt. */
  readonly headers: () => Promise<Record<string, string>>;
  readonly body?: string | undefined;
  /** @default {that of the transport} */
  readonly timeoutMs?: number | undefined;
  /** @default {those of the transport} */
  readonly attempts?: number | undefined;
}

/** An answer with its whole body. */
export interface Received {
  readonly response: Response;
  readonly text: string;
}

/** A successful answer. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A client of one service. */
export interface HttpClient {
  /** @throws {RequestError} */
  send<T>(request: Request<T>): Promise<Answer<T>>;
}
