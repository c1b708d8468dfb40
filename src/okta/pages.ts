/** Reads Okta's lists to their last page. */
import * as z from "zod";
import { requireDistinct } from "../http/distinct.ts";
import type { HttpClient } from "../http/types.ts";
import { readDate } from "../http/headers.ts";
import { badLink, readLinks } from "./link.ts";

/** The page size that Okta recommends. */
export const PAGE_SIZE = 200;

/** How many pages in a row may bring nothing new. */
const MOST_IDLE_PAGES = 10;

/** A list, and how to read it. */
export interface ListOptions<T> {
  readonly route: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly item: z.ZodType<T>;
  /** Called after each page with the number of items read so far. */
  readonly onPage?: ((count: number) => void) | undefined;
  /** A longer list is not read to its end. @default {Infinity} */
  readonly mostPages?: number;
  /** How many items to ask for at once. @default {PAGE_SIZE} */
  readonly pageSize?: number | undefined;
}

/** A list that was read to its last page. */
export interface Listed<T> {
  /** Each once. Of an item that moves to another page while the list is read, the last record. */
  readonly items: readonly T[];
  /** Okta's time when it answered first, in epoch milliseconds; `undefined` if it does not say. */
  readonly at: number | undefined;
  /** Whether a `Link` header said that there is no next page. A proxy may strip it: then the list may be cut short. */
  readonly isLinked: boolean;
  /** Whether the last page was full. Where Okta lost the next one, the list ends like this too. */
  readonly endsFull: boolean;
}

/** A list that is longer than it may be. */
export class TooLongError extends Error {
  override readonly name = "TooLongError";
}

/** Reads every page of a list. */
export type ListAll = <T extends { readonly id: string }>(list: ListOptions<T>) => Promise<Listed<T>>;

/** Makes a reader of lists. A cursor that repeats, or brings nothing new for long, would loop forever. */
export function createListAll(http: HttpClient): ListAll {
  /** The routes whose answers had links: a list of theirs without them has lost them on the way. */
  const linked = new Set<string>();

  return async (
    { route, params = {}, query = {}, item, onPage, mostPages = Infinity, pageSize = PAGE_SIZE },
  ) => {
    const schema = z.array(item);
    const items = new Map<string, z.output<typeof item>>();
    const seen = new Set<string>();
    let [pages, received, idlePages] = [0, 0, 0];
    let at: number | undefined;
    let link: string | undefined;
    const request = { method: "GET", route, params, query: { ...query, limit: pageSize }, schema } as const;
    for (;;) {
      if (++pages > mostPages) throw new TooLongError(`${route} has more than ${mostPages} pages`);
      const { headers, body } = await http.send(link === undefined ? request : { ...request, link });
      if (pages === 1) at = readDate(headers);
      requireDistinct(body.map(({ id }) => id), { service: "Okta", method: "GET", path: route });
      const before = items.size;
      for (const one of body) items.set(one.id, one);
      idlePages = items.size === before ? idlePages + 1 : 0;
      received += body.length;
      onPage?.(received);
      const { isWhole, next } = readLinks(headers, route);
      const endsFull = body.length >= pageSize;
      if (isWhole) linked.add(route);
      else if (linked.has(route) || link !== undefined || endsFull) {
        throw badLink(route, "the Link header is missing, but there may be another page");
      }
      link = next;
      if (link === undefined) return { items: [...items.values()], at, isLinked: isWhole, endsFull };
      if (seen.has(link) || idlePages > MOST_IDLE_PAGES) {
        throw badLink(route, "the links to the next page form a loop");
      }
      seen.add(link);
    }
  };
}
