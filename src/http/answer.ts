/** Reads an answer: a success of the expected shape, or an error that says what to do. */
import { JSONParser } from "@streamparser/json";
import * as z from "zod";
import { shownAddress } from "./address.ts";
import { addressSetting } from "./certificate.ts";
import { RequestError, type RequestErrorKind, type Subject } from "./error.ts";
import type { Service } from "./service.ts";
import { firstMisfit, type Misfit } from "./shape.ts";
import { describeStranger, headlineOf, saysJson } from "./stranger.ts";
import { nextTurn } from "./turn.ts";
import type { Answer, Explanation, Request } from "./types.ts";

const KINDS: Readonly<Record<number, RequestErrorKind>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  429: "rate-limited",
};

/** The largest answer that is read, in bytes, unpacked: a team of 100,000 members takes about half of it. */
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
      const detail = `the response is larger than ${MOST_BYTES / 1_024 / 1_024} MiB`;
      const advice = "gots stopped reading; check what is running at this address";
      throw new RequestError({ ...subject, kind: "too-large", status: response.status, detail, advice });
    }
    chunks.push(chunk);
  }
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** A longer text, in characters, is read in slices, so that other work gets its turn. */
const LONG = 4_000_000;
const SLICE = 250_000;

/** A body read by a schema: the value, or the first thing wrong with it; `undefined` if it is not JSON. */
type Reading<T> = { readonly value: T } | { readonly misfit: Misfit } | undefined;

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
  return parsed.success ? { value: parsed.data } : { misfit: firstMisfit(json.value, parsed.error) };
}

/** Reads a list item by item, and lets other things run in between. */
async function readLongList(text: string, item: z.core.$ZodType): Promise<Reading<unknown[]>> {
  const items: unknown[] = [];
  let misfit: Misfit | undefined;
  const parser = new JSONParser({ paths: ["$.*"], keepStack: false });
  parser.onValue = ({ value }) => {
    const parsed = z.safeParse(item, value);
    if (parsed.success) return void items.push(parsed.data);
    const at = items.length;
    const issues = parsed.error.issues.map((issue) => ({ ...issue, path: [at, ...issue.path] }));
    misfit ??= firstMisfit({ [at]: value }, { ...parsed.error, issues });
  };
  try {
    for (let start = 0; start < text.length && !misfit; start += SLICE) {
      parser.write(text.slice(start, start + SLICE));
      await nextTurn();
    }
  } catch {
    return undefined;
  }
  if (misfit) return { misfit };
  return parser.isEnded ? { value: items } : undefined;
}

async function readBody<T>(text: string, schema: z.ZodType<T>): Promise<Reading<T>> {
  const isLongList = text.length > LONG && schema instanceof z.ZodArray && /^\s*\[/.test(text);
  if (!isLongList) return readShort(text, schema);
  return await readLongList(text, schema.element) as Reading<T>;
}

function describeType(headers: Headers): string {
  const type = headers.get("content-type")?.split(";")[0];
  if (!type) return "has no content type";
  return type.includes("json") ? "is not valid JSON" : `is ${type}, not JSON`;
}

/** Why the answer is a redirect, which gots does not follow, and what to do. */
function explainRedirect(headers: Headers, asked: URL, service: string): Explanation {
  const to = URL.parse(headers.get("location") ?? "", asked);
  const setting = addressSetting(service);
  const isSignIn = /\/(?:login|signin|sign-in|saml|oauth2?|authorize)\b/i.test(to?.pathname ?? "");
  const isSecure = to?.protocol === "https:" && asked.protocol === "http:" && to.hostname === asked.hostname;
  return {
    detail: `redirected to ${to ? shownAddress(to) : "nowhere"}`,
    advice: `gots requested ${shownAddress(asked)} and does not follow redirects; ` +
      (isSecure
        ? `use https:// in ${setting}`
        : isSignIn
        ? `this is a sign-in page: check ${setting}, and whether a proxy in front of ${service} requires a sign-in`
        : `set ${setting} to the final address, or check the proxy in between`),
  };
}

/** Why something in front of the service rejected the request, and what to do. */
function explainStranger(said: string, headline: string | undefined, status: number, service: string) {
  const detail = `a proxy or gateway responded instead of ${service}: ${said}`;
  if (/HTTP request.*HTTPS/i.test(headline ?? "")) {
    return { detail, advice: `use https:// in ${addressSetting(service)}` };
  }
  const advice = DENIED.has(status)
    ? `a proxy, gateway or firewall rejected the request, so ${service} never saw the credential: allow gots there, ` +
      `or point ${addressSetting(service)} directly at ${service}`
    : `check the proxy or gateway, whether ${service} is running, and ${addressSetting(service)}`;
  return { detail, advice };
}

/** The statuses with which a proxy rejects a request before the service sees it. */
const DENIED: ReadonlySet<number> = new Set([401, 403, 407]);

/** Reads an error response. */
function readRefusal(
  { name, explain }: Pick<Service, "name" | "explain">,
  subject: Subject,
  { status, headers }: Response,
  text: string,
): RequestError {
  const stranger = describeStranger({ headers }, text);
  const kind = KINDS[status] ?? (status >= 500 ? "server-error" : "rejected");
  if (stranger && status !== 429) {
    const explanation = explainStranger(stranger, headlineOf(headers, text), status, name);
    return new RequestError({
      ...subject,
      ...explanation,
      status,
      kind: DENIED.has(status) ? "not-json" : kind,
    });
  }
  const body = saysJson(headers) ? parseJson(text)?.value : undefined;
  return new RequestError({ ...subject, kind, ...explain(status, body), status });
}

/**
 * Reads the answer to `request`, whose whole body is `text`; an error's body comes without credentials.
 *
 * @throws {RequestError} if it is not a success, or not JSON of the expected shape.
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

  const asked = new URL(service.baseUrl + subject.path);
  if (status >= 300 && status < 400) {
    throw new RequestError({
      ...subject,
      ...explainRedirect(headers, asked, service.name),
      kind: "redirected",
      status,
    });
  }
  if (!response.ok) throw readRefusal(service, subject, response, text);
  const reading = saysJson(headers) ? await readBody(text, schema) : undefined;
  if (!reading) {
    const advice =
      `something else may be answering in place of ${service.name}, such as a sign-in page; check the address: ` +
      `gots requested ${shownAddress(asked)}`;
    throw fail("not-json", `the response ${describeType(headers)}`, advice);
  }
  if ("value" in reading) return { status, headers, body: reading.value };
  const { detail, id } = reading.misfit;
  const advice = id === undefined
    ? `check the address and the version of ${service.name}`
    : `check this record in ${service.name}; gots cannot use the list until it can read every record in it`;
  throw fail("unexpected-shape", detail, advice);
}
