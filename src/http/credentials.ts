/** Removes credentials from what others said: a proxy may echo them, and the runtime may quote a header. */
import { REDACTED } from "../config/secret.ts";
import { RequestError } from "./error.ts";

/** The headers that carry one. */
const CARRIERS = /^(?:authorization|proxy-authorization|dpop|cookie)$/i;

/** A shorter string is not a credential, and replacing it would hit unrelated text. */
const LEAST_LENGTH = 6;

/** The most causes to follow: an error that is its own cause would never end. */
const MOST_CAUSES = 5;

/** What a service says is cut after this many characters. */
const MOST_CHARACTERS = 500;

function shorten(text: string): string {
  const more = text.length - MOST_CHARACTERS;
  return more > 0 ? `${text.slice(0, MOST_CHARACTERS)}… (${more} more characters)` : text;
}

/** Decodes form encoding; `undefined` if the text is not form-encoded. @see RFC 6749 2.3.1 */
function decodeForm(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** User and password of HTTP's basic authentication, read byte for byte, as UTF-8, and form-decoded. @see RFC 7617 2 */
function decodeBasic(credential: string): string[] {
  let bytes: string;
  try {
    bytes = atob(credential);
  } catch {
    return [];
  }
  const utf8 = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  return [bytes, utf8].flatMap((pair) => {
    const password = pair.slice(pair.indexOf(":") + 1);
    return [pair, password, decodeForm(password) ?? ""];
  });
}

/** The credentials in a header's value. */
function credentialsIn(value: string): string[] {
  const [scheme = "", ...rest] = value.split(" ");
  const bare = rest.join(" ");
  const pair = scheme.toLowerCase() === "basic" ? decodeBasic(bare) : [];
  return [value, bare, ...pair].filter(({ length }) => length >= LEAST_LENGTH);
}

/** The part of a base64 string that encodes only these bytes, when `before` other bytes precede them. */
function base64Within(bytes: Uint8Array, before: number): string {
  const padded = new Uint8Array([...new Array(before).fill(0), ...bytes]);
  const encoded = btoa(String.fromCharCode(...padded)).replace(/=+$/, "");
  const begin = Math.ceil(before * 8 / 6);
  return encoded.slice(begin, Math.floor(padded.length * 8 / 6));
}

/** The forms in which a credential may come back: as it is, percent-encoded, in JSON, in base64 wherever it begins, in hex. */
function formsOf(credential: string): string[] {
  const bytes = new TextEncoder().encode(credential);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const encoded = encodeURIComponent(credential);
  const strictlyEncoded = encoded.replace(/[!'()*~._-]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const base64 = [0, 1, 2].map((before) => base64Within(bytes, before));
  const base64url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  const inJson = JSON.stringify(credential).slice(1, -1);
  const forms = [
    credential,
    inJson,
    encoded,
    strictlyEncoded,
    hex.join(""),
    hex.map((two) => `%${two}`).join(""),
  ];
  return [...forms, ...base64, ...base64url].filter(({ length }) => length >= LEAST_LENGTH);
}

/** Makes a function that removes the credentials of `headers` from a text, in any form and case. */
function cleaner(headers: Readonly<Record<string, string>>): (text: string) => string {
  const forms = Object.entries(headers).filter(([name]) => CARRIERS.test(name))
    .flatMap(([, value]) => credentialsIn(value))
    .flatMap(formsOf)
    .sort((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const any = new RegExp(
    [...new Set(forms)].map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"),
    "gi",
  );
  return (text) => text.replace(any, REDACTED);
}

/** The body of an answer, safe to quote: an error's body has the credentials of `headers` removed. */
export function quotable({ ok }: Response, text: string, headers: Readonly<Record<string, string>>): string {
  return ok ? text : cleaner(headers)(text);
}

/**
 * The same error without the credentials of `headers`, in its messages down to the innermost cause: nothing
 * that a service or a proxy said may carry them into a log.
 */
export function cleanError(error: unknown, headers: Readonly<Record<string, string>>): Error {
  const cleanText = cleaner(headers);
  const clean = (text: string) => shorten(cleanText(text));
  const copy = (one: unknown, depth = 0): Error => {
    if (!(one instanceof Error)) return new Error(clean(String(one)));
    const cause = one.cause === undefined || depth > MOST_CAUSES ? undefined : copy(one.cause, depth + 1);
    if (one instanceof RequestError) {
      return new RequestError({ ...one, detail: clean(one.detail), cause });
    }
    return Object.assign(new Error(clean(one.message), cause && { cause }), { name: one.name });
  };
  return copy(error);
}
