/** Takes credentials out of what others said: a proxy may echo them, and the runtime may quote a header. */
import { REDACTED } from "../config/secret.ts";

/** The headers that carry one. */
const CARRIERS = /^(?:authorization|proxy-authorization|dpop|cookie)$/i;

/** The forms in which a credential may come back: as it is, percent-encoded, in base64. */
function formsOf(value: string): string[] {
  const [scheme, ...rest] = value.split(" ");
  const bare = rest.join(" ") || value;
  const plain = scheme?.toLowerCase() === "basic" ? decodeBasic(bare) : [];
  return [value, bare, ...plain].filter(({ length }) => length > 3).flatMap((one) => [
    one,
    encodeURIComponent(one),
    btoa(String.fromCharCode(...new TextEncoder().encode(one))).replace(/=+$/, ""),
  ]);
}

/** User and password of HTTP's basic authentication (RFC 7617). */
function decodeBasic(credential: string): string[] {
  try {
    const pair = atob(credential);
    return [pair, pair.slice(pair.indexOf(":") + 1)];
  } catch {
    return [];
  }
}

/** How to take the credentials of `headers` out of a text. */
function cleaner(headers: Readonly<Record<string, string>>): (text: string) => string {
  const forms = Object.entries(headers).filter(([name]) => CARRIERS.test(name))
    .flatMap(([, value]) => formsOf(value))
    .sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((shown, form) => shown.replaceAll(form, REDACTED), text);
}

/** Replaces the credentials of `headers` in a text. */
export function hideCredentials(text: string, headers: Readonly<Record<string, string>>): string {
  return cleaner(headers)(text);
}

/** An error with the same name and messages, down to its innermost cause, but without the credentials of `headers`. */
export function cleanError(error: unknown, headers: Readonly<Record<string, string>>): Error {
  const clean = cleaner(headers);
  const copy = (one: unknown): Error => {
    if (!(one instanceof Error)) return new Error(clean(String(one)));
    const cause = one.cause === undefined ? {} : { cause: copy(one.cause) };
    return Object.assign(new Error(clean(one.message), cause), { name: one.name });
  };
  return copy(error);
}
