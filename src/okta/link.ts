/** Reads the `Link` header of a page, strictly: a damaged one must not pass for the last page. */
import { RequestError } from "../http/error.ts";

/** `<address>; name="value"; name=value`, then a comma or the end. */
const LINK = /\s*<([^<>\s]+)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^\s"',;<>]+))*)\s*(?:,|$)/y;
const REL = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;]+))/i;

/** A next page that cannot be reached. */
export function badLink(path: string, detail: string): RequestError {
  const advice = "nobody is removed on such a reading; if it stays, tell Okta's support";
  return new RequestError({ kind: "bad-link", service: "Okta", method: "GET", path, detail, advice });
}

/**
 * The address of the next page (RFC 8288), or `undefined` on the last one.
 *
 * @throws {RequestError} of the kind `bad-link` if any part of the header cannot be read.
 * @see https://developer.okta.com/docs/api/#pagination
 */
export function nextLink(headers: Headers, path: string): string | undefined {
  const header = headers.get("link");
  if (header === null) return undefined;
  let next: string | undefined;
  LINK.lastIndex = 0;
  while (LINK.lastIndex < header.length) {
    const [, address, parameters = ""] = LINK.exec(header) ?? [];
    const [, quoted, bare] = parameters.match(REL) ?? [];
    const relations = (quoted ?? bare)?.toLowerCase().split(/\s+/).filter(Boolean);
    if (address === undefined || !relations?.length) throw badLink(path, "the Link header cannot be read");
    if (relations.includes("next")) next ??= address;
  }
  return next;
}
