/** Tells the service's own answer from one of a proxy, gateway or sign-in page in front of it. */

/** A headline is cut after this many characters. */
const MOST_CHARACTERS = 100;

/** Whether an answer says that it is JSON. */
export function saysJson(headers: Headers): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get("content-type") ?? "");
}

/**
 * The title of a page, or the first line of a plain text. None that holds `&`: behind an entity a credential is not
 * seen.
 */
export function headlineOf(headers: Headers, text: string): string | undefined {
  const line = /html/i.test(headers.get("content-type") ?? "")
    ? text.match(/<title[^>]*>([^<]*)/i)?.[1]
    : text.trim().split("\n", 1)[0];
  if (!line || line.includes("&")) return undefined;
  return line.trim().replace(/\s+/g, " ").slice(0, MOST_CHARACTERS) || undefined;
}

/** A challenge for a token is the service's own, whatever its body is. @see RFC 6750 3, RFC 9449 7.1 */
function challengesToken(headers: Headers): boolean {
  return /^(?:bearer|dpop)\b/i.test(headers.get("www-authenticate") ?? "");
}

/**
 * What answered a request in the service's place, such as `text/html from nginx, "403 Forbidden"`; `undefined` if it may
 * be the service: both say no in JSON.
 */
export function describeStranger({ headers }: Pick<Response, "headers">, text: string): string | undefined {
  if (saysJson(headers) || challengesToken(headers)) return undefined;
  const type = headers.get("content-type")?.split(";")[0];
  const server = headers.get("server") ?? headers.get("via");
  const headline = headlineOf(headers, text);
  if (!type && !server && !headline) return undefined;
  const whose = server ? ` from ${server}` : "";
  return `${type ?? "an empty response"}${whose}${headline ? `, "${headline}"` : ""}`;
}
