/** Reads the `Link` header of a page, strictly: a damaged one must not pass for the last page. */
import { RequestError } from "../http/error.ts";

/** `<address>; name="value"; name=value`, then a comma or the end. */
const LINK = /\s*<([^<>\s]+)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^\s"',;<>]+))*)\s*(?:,|$)/y;
const REL = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;]+))/i;

/** A next page that cannot be reached. */
export function badLink(path: string, detail: string): RequestError {
  const advice = "nobody is removed; if this persists, contact Okta support";
  return new RequestError({ kind: "bad-link", service: "Okta", method: "GET", path, detail, advice });
}

/** What the `Link` header of a page says. */
export interface PageLinks {
  /** Whether it names `self` or `next`, as Okta's always does; otherwise something on the way stripped them. */
  readonly isWhole: boolean;
  /** The address of the next page, `undefined` on the last one. */
  readonly next: string | undefined;
}

/**
 * Reads the links of a page (RFC 8288).
 *
 * @throws {RequestError} of the kind `bad-link` if any part of the header cannot be read.
 * @see https://developer.okta.com/docs/api/#pagination
 */
export function readLinks(headers: Headers, path: string): PageLinks {
  const header = headers.get("link") ?? "";
  let isWhole = false;
  let next: string | undefined;
  LINK.lastIndex = 0;
  while (LINK.lastIndex < header.length) {
    const [, address, parameters = ""] = LINK.exec(header) ?? [];
    const [, quoted, bare] = parameters.match(REL) ?? [];
    const relations = (quoted ?? bare)?.toLowerCase().split(/\s+/).filter(Boolean);
    if (address === undefined || !relations?.length) throw badLink(path, "the Link header cannot be read");
    isWhole ||= relations.includes("next") || relations.includes("self") && URL.canParse(address);
    if (!relations.includes("next")) continue;
    if (next !== undefined && next !== address) throw badLink(path, "the Link header names two next pages");
    next = address;
  }
  return { isWhole, next };
}
