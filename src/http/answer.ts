/** Reads an answer: a success of the expected shape, or a failure that says what to do. */
import { requestedWaitMs } from "./backoff.ts";
import { RequestError, type RequestErrorKind, type RequestErrorParts } from "./error.ts";
import type { Answer, Request, Service } from "./types.ts";

/** A failed attempt: whether another may succeed, and how long the service asks to wait. */
export interface Failure {
  readonly error: RequestError;
  readonly passing: boolean;
  readonly waitMs?: number | undefined;
}

/** How an attempt ended. */
export type Outcome<T> = { readonly answer: Answer<T> } | { readonly failure: Failure };

/** What an attempt is about, for its error. */
export type Subject = Pick<RequestErrorParts, "service" | "method" | "path">;

const KINDS: Readonly<Record<number, RequestErrorKind>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  429: "rate-limited",
};

/** The statuses after which the same request may succeed. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The body as JSON, if it says that it is JSON and is. */
function parseJson(headers: Headers, text: string): { readonly value: unknown } | undefined {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get("content-type") ?? "")) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function describeType(headers: Headers): string {
  const type = headers.get("content-type")?.split(";")[0] || "of no content type";
  return type.includes("json") ? "broken JSON" : `${type}, not JSON`;
}

/** Reads the answer to `request`, whose whole body is `text`. */
export function readAnswer<T>(
  request: Request<T>,
  service: Service,
  subject: Subject,
  response: Response,
  text: string,
  nowMs: number,
): Outcome<T> {
  const { status, headers } = response;
  const fail = (
    kind: RequestErrorKind,
    detail: string,
    advice?: string,
    passing = false,
    waitMs?: number,
  ) => ({
    failure: { error: new RequestError({ ...subject, kind, status, detail, advice }), passing, waitMs },
  });

  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.get("location") ?? "", service.baseUrl)?.origin ?? "nowhere";
    const advice = "redirects are not followed; configure the final address, or look at the proxy in between";
    return fail("redirected", `redirected to ${to}`, advice);
  }
  const json = parseJson(headers, text);
  if (!response.ok) {
    const { detail, advice } = service.explain(status, json?.value);
    const kind = KINDS[status] ?? (status >= 500 ? "server-error" : "rejected");
    const waitMs = status === 429 || status === 503 ? requestedWaitMs(headers, nowMs) : undefined;
    return fail(kind, detail, advice, PASSING.has(status), waitMs);
  }
  if (!json) {
    const advice =
      `something else may answer in ${service.name}'s place, such as a sign-in page; check the address`;
    return fail("not-json", `the answer is ${describeType(headers)}`, advice);
  }
  const parsed = request.schema.safeParse(json.value);
  if (parsed.success) return { answer: { status, headers, body: parsed.data } };
  const issue = parsed.error.issues[0];
  const field = issue?.path.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`).join(
    "",
  );
  const detail = `the answer does not have the expected shape at ${field || "its top"}: ${issue?.message}`;
  return fail("unexpected-shape", detail, `check that the address is ${service.name}'s, and its version`);
}

/** Tells what kept an answer from arriving. The runtime's own message holds the address; only its end is kept. */
export function readConnectionFailure(
  error: unknown,
  attempt: AbortSignal,
  subject: Subject,
  timeoutMs: number,
): Failure {
  const fail = (kind: RequestErrorKind, passing: boolean, detail: string, advice?: string) => ({
    error: new RequestError({ ...subject, kind, detail, advice, cause: error }),
    passing,
  });

  if (attempt.aborted) {
    const timedOut = attempt.reason instanceof DOMException && attempt.reason.name === "TimeoutError";
    if (!timedOut) return fail("interrupted", false, "stopped");
    return fail("timeout", true, `no whole answer within ${timeoutMs / 1_000} s`, "it may be overloaded");
  }
  const said = (error instanceof Error ? error.message : String(error)).replace(
    /^.*?\(https?:[^)]*\):\s*/,
    "",
  );
  if (/certificate|tls|ssl/i.test(said)) {
    const advice =
      "if your company has a certificate authority of its own, name its PEM file in REQUESTS_CA_BUNDLE";
    return fail("certificate", false, `SSL Certificate verification failed: ${said}`, advice);
  }
  const advice = "check the address, name resolution, firewall and proxy, and whether the service runs";
  return fail("unreachable", true, `no connection: ${said}`, advice);
}
