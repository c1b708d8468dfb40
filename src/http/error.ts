/** What can go wrong with a request, in a closed set of kinds. */

/** What a request is about: enough for a log line and an error. */
export interface Subject {
  /** `Okta` or `Grafana`. */
  readonly service: string;
  readonly method: string;
  /** The path without its query. */
  readonly path: string;
}

/** Why a request failed. */
export type RequestErrorKind =
  /** 401: the credential was rejected. */
  | "unauthorized"
  /** 403: the credential may not do this. */
  | "forbidden"
  /** 403: the organisation or the server is at its quota. */
  | "quota"
  /** 404 */
  | "not-found"
  /** 409 */
  | "conflict"
  /** 429, to the last attempt. */
  | "rate-limited"
  /** A write that would have to wait: it must be decided again. */
  | "postponed"
  /** Any other rejection: 400, 412, … */
  | "rejected"
  /** 5xx, to the last attempt. */
  | "server-error"
  /** A redirect; none is followed. */
  | "redirected"
  /** Not JSON, such as a sign-in page or a rejection by a proxy. */
  | "not-json"
  /** JSON of an undocumented shape. */
  | "unexpected-shape"
  /** An answer beyond the size limit. */
  | "too-large"
  /** No complete answer within the time limit. */
  | "timeout"
  /** No connection: refused, reset, name not found. */
  | "unreachable"
  /** The certificate was not accepted. */
  | "certificate"
  /** A link that points to another origin, or back in a loop. */
  | "bad-link"
  /** Stopped by a shutdown. */
  | "interrupted";

/** The parts of a {@linkcode RequestError}. */
export interface RequestErrorParts extends Subject {
  readonly kind: RequestErrorKind;
  /** The HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** What the service or the network said. */
  readonly detail: string;
  /** What to do next. */
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

/** A request that did not succeed, with everything that an operator needs to act on it. */
export class RequestError extends Error {
  readonly kind: RequestErrorKind;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly status: number | undefined;
  readonly detail: string;
  readonly advice: string | undefined;

  constructor(parts: RequestErrorParts) {
    const { kind, service, method, path, status, detail, advice, cause } = parts;
    const answered = status === undefined ? "" : ` returned ${status}`;
    super(`${detail} (${service} ${method} ${path}${answered})${advice ? `: ${advice}` : ""}`, { cause });
    this.name = "RequestError";
    this.kind = kind;
    this.service = service;
    this.method = method;
    this.path = path;
    this.status = status;
    this.detail = detail;
    this.advice = advice;
  }
}

/** Whether `error` is a {@linkcode RequestError} of one of `kinds`. */
export function isRequestError(error: unknown, ...kinds: readonly RequestErrorKind[]): error is RequestError {
  return error instanceof RequestError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Failures of the connection or the credential: the next request to the same service would fail as well. */
export function isServiceWide(error: unknown): boolean {
  return isRequestError(
    error,
    "unauthorized",
    "forbidden",
    "quota",
    "unreachable",
    "certificate",
    "timeout",
    "postponed",
    "interrupted",
    "redirected",
    "not-json",
  );
}

/** Failures of the service rather than of one request: another request may fail the same way. */
export function isOutage(error: unknown): boolean {
  return isRequestError(
    error,
    "unauthorized",
    "unreachable",
    "certificate",
    "timeout",
    "server-error",
    "rate-limited",
    "postponed",
    "redirected",
    "not-json",
  );
}

/** What was thrown, as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What an error says, for a log line or a report. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
