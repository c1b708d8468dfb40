/** Reads an answer: a success of the expected shape, or an error that says what to do. */
import { JSONParser } from "@streamparser/json";
import * as z from "zod";
import { RequestError, type RequestErrorKind } from "./error.ts";
import { nextTurn } from "./turn.ts";
import type { Answer, Request, Service, Subject } from "./types.ts";

const KINDS: Readonly<Record<number, RequestErrorKind>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  429: "rate-limited",
};

/** An answer is read up to this size, unpacked, in bytes: a team of 100,000 members takes about half of it. */
export const MOST_BYTES = 64 * 1_024 * 1_024;

/**
 * Reads a body to its end.
 *
 * @throws {RequestError} of the kind `too-large` as soon as it is longer than {@linkcode MOST_BYTES}; the rest is not read.
 */
export async function readText(response: Response, subject: Subject): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) {
      const detail = `the answer is larger than ${MOST_BYTES / 1_024 / 1_024} MiB`;
      const advice = "it was not read further; look what answers at this address";
      throw new RequestError({ ...subject, kind: "too-large", status: response.status, detail, advice });
    }
    chunks.push(chunk);
  }
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** A text that is longer, in characters, is read in slices, so that other things get their turn. */
const LONG = 4_000_000;
const SLICE = 250_000;

/** What a body says, by a schema: the value, or the first thing that is wrong with it; `undefined` if it is no JSON. */
type Reading<T> = { readonly value: T } | { readonly issue: Issue | undefined } | undefined;

/** What is wrong with a value, and where. */
type Issue = Pick<z.core.$ZodIssue, "path" | "message">;

/** Whether an answer says that it is JSON. */
function saysJson(headers: Headers): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get("content-type") ?? "");
}

/** The body as JSON, if it is. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** Reads a body at once. */
function readShort<T>(text: string, schema: z.ZodType<T>): Reading<T> {
  const json = parseJson(text);
  if (!json) return undefined;
  const parsed = schema.safeParse(json.value);
  return parsed.success ? { value: parsed.data } : { issue: parsed.error.issues[0] };
}

/** Reads a list item by item, and lets other things run in between. */
async function readLongList(text: string, item: z.core.$ZodType): Promise<Reading<unknown[]>> {
  const items: unknown[] = [];
  let issue: Issue | undefined;
  const parser = new JSONParser({ paths: ["$.*"], keepStack: false });
  parser.onValue = ({ value }) => {
    const parsed = z.safeParse(item, value);
    if (parsed.success) return void items.push(parsed.data);
    const [first] = parsed.error.issues;
    issue ??= { path: [items.length, ...first?.path ?? []], message: first?.message ?? "" };
  };
  try {
    for (let start = 0; start < text.length && !issue; start += SLICE) {
      parser.write(text.slice(start, start + SLICE));
      await nextTurn();
    }
  } catch {
    return undefined;
  }
  if (issue) return { issue };
  return parser.isEnded ? { value: items } : undefined;
}

async function readBody<T>(text: string, schema: z.ZodType<T>): Promise<Reading<T>> {
  const isLongList = text.length > LONG && schema instanceof z.ZodArray && /^\s*\[/.test(text);
  if (!isLongList) return readShort(text, schema);
  return await readLongList(text, schema.element) as Reading<T>;
}

function describeType(headers: Headers): string {
  const type = headers.get("content-type")?.split(";")[0] || "of no content type";
  return type.includes("json") ? "broken JSON" : `${type}, not JSON`;
}

/**
 * Reads the answer to `request`, whose whole body is `text`.
 *
 * @throws {RequestError} if it is no success, or no JSON of the expected shape.
 */
export async function readAnswer<T>(
  { schema }: Pick<Request<T>, "schema">,
  service: Pick<Service, "name" | "baseUrl" | "explain">,
  subject: Subject,
  response: Response,
  text: string,
): Promise<Answer<T>> {
  const { status, headers } = response;
  const fail = (kind: RequestErrorKind, detail: string, advice?: string) =>
    new RequestError({ ...subject, kind, status, detail, advice });

  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.get("location") ?? "", service.baseUrl)?.origin ?? "nowhere";
    const advice = "redirects are not followed; configure the final address, or look at the proxy in between";
    throw fail("redirected", `redirected to ${to}`, advice);
  }
  if (!response.ok) {
    const { detail, advice } = service.explain(
      status,
      saysJson(headers) ? parseJson(text)?.value : undefined,
    );
    throw fail(KINDS[status] ?? (status >= 500 ? "server-error" : "rejected"), detail, advice);
  }
  const reading = saysJson(headers) ? await readBody(text, schema) : undefined;
  if (!reading) {
    const advice =
      `something else may answer in ${service.name}'s place, such as a sign-in page; check the address`;
    throw fail("not-json", `the answer is ${describeType(headers)}`, advice);
  }
  if ("value" in reading) return { status, headers, body: reading.value };
  const { issue } = reading;
  const field = issue?.path.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`).join(
    "",
  );
  const detail = `the answer does not have the expected shape at ${field || "its top"}: ${issue?.message}`;
  throw fail("unexpected-shape", detail, `check that the address is ${service.name}'s, and its version`);
}

/** What the network said: the runtime wraps it. */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermostMessage(error.cause) : error.message;
}

/** Tells what kept an answer from arriving. The runtime's own message holds the address; only its end is kept. */
export function readConnectionFailure(
  error: unknown,
  attempt: AbortSignal,
  subject: Subject,
  timeoutMs: number,
): RequestError {
  const fail = (kind: RequestErrorKind, detail: string, advice?: string) =>
    new RequestError({ ...subject, kind, detail, advice, cause: error });

  if (attempt.aborted) {
    const timedOut = attempt.reason instanceof DOMException && attempt.reason.name === "TimeoutError";
    if (!timedOut) return fail("interrupted", "stopped");
    return fail("timeout", `no whole answer within ${timeoutMs / 1_000} s`, "it may be overloaded");
  }
  const said = innermostMessage(error).replace(/^error sending request.*?\): /, "");
  if (/certificate/i.test(said)) {
    const setting = `${subject.service.toLowerCase()}.ca_file, REQUESTS_CA_BUNDLE or SSL_CERT_FILE`;
    const advice = `if your company has a certificate authority of its own, name its PEM file in ${setting}`;
    return fail("certificate", `SSL Certificate verification failed: ${said}`, advice);
  }
  const advice = "check the address, name resolution, firewall and proxy, and whether the service runs";
  return fail("unreachable", `no connection: ${said}`, advice);
}
