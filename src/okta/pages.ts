/** Reads Okta's lists to their last page. */
import * as z from "zod";
import type { HttpClient } from "../http/types.ts";
import { badLink, nextLink } from "./link.ts";

/** The page size that Okta recommends. */
export const PAGE_SIZE = 200;

/** So many pages in a row may bring nothing new. */
const MOST_IDLE_PAGES = 10;

/** A list, and how to read it. */
export interface ListOptions<T> {
  readonly route: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly item: z.ZodType<T>;
  /** Told after each page how many were read so far. */
  readonly onPage?: ((count: number) => void) | undefined;
  /** A longer list is not read to its end. @default {Infinity} */
  readonly mostPages?: number;
}

/** A list that was read to its last page. */
export interface Listed<T> {
  /** Each once: of one who moves to another page meanwhile, the last record. */
  readonly items: readonly T[];
  /** Okta's time when it answered first, in epoch milliseconds; `undefined` if it does not say. */
  readonly at: number | undefined;
}

/** A list that is longer than it may be. */
export class TooLongError extends Error {
  override readonly name = "TooLongError";
}

/** Reads every page of a list. */
export type ListAll = <T extends { readonly id: string }>(list: ListOptions<T>) => Promise<Listed<T>>;

/** The time of an answer (RFC 9110 6.6.1), in epoch milliseconds. */
function timeOf(headers: Headers): number | undefined {
  const date = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : date;
}

/** Makes a reader of lists. A cursor that comes back, or that brings nothing new for long, would lead in a circle for ever. */
export function createListAll(http: HttpClient): ListAll {
  /** The routes whose answers name at least `self`: a list of theirs without it has lost its header on the way. */
  const linked = new Set<string>();

  return async ({ route, params = {}, query = {}, item, onPage, mostPages = Infinity }) => {
    const schema = z.array(item);
    const items = new Map<string, z.output<typeof item>>();
    const seen = new Set<string>();
    let [pages, received, idlePages] = [0, 0, 0];
    let at: number | undefined;
    let link: string | undefined;
    for (;;) {
      if (++pages > mostPages) throw new TooLongError(`${route} has more than ${mostPages} pages`);
      const request = {
        method: "GET",
        route,
        params,
        query: { ...query, limit: PAGE_SIZE },
        schema,
      } as const;
      const { headers, body } = await http.send(link === undefined ? request : { ...request, link });
      if (pages === 1) at = timeOf(headers);
      const before = items.size;
      for (const one of body) items.set(one.id, one);
      idlePages = items.size === before ? idlePages + 1 : 0;
      received += body.length;
      onPage?.(received);
      const hasLink = headers.has("link");
      const isLost = !hasLink && (linked.has(route) || link !== undefined || body.length >= PAGE_SIZE);
      if (hasLink) linked.add(route);
      if (isLost) {
        throw badLink(route, "the Link header is missing although there may be another page");
      }
      link = nextLink(headers, route);
      if (link === undefined) return { items: [...items.values()], at };
      if (seen.has(link) || idlePages > MOST_IDLE_PAGES) {
        throw badLink(route, "the link to the next page leads in a circle");
      }
      seen.add(link);
    }
  };
}
