/** Reads Grafana's lists to their last page. */
import type { z } from "zod";
import { RequestError } from "../http/error.ts";
import type { HttpClient } from "../http/types.ts";

/** The largest page that Grafana gives. */
const PAGE_SIZE = 1_000;

/** A list, and how to read it. */
export interface ListOptions<P, T> {
  readonly route: string;
  readonly query: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<P>;
  readonly itemsOf: (page: P) => readonly T[];
  readonly idOf: (item: T) => number;
}

/** Reads every page of a list; each item once. */
export type ListAll = <P extends { totalCount: number }, T>(
  list: ListOptions<P, T>,
  onPage?: (page: readonly T[]) => void,
) => Promise<T[]>;

/**
 * Makes a reader of lists. `totalCount` may change meanwhile; a page that brings nothing new before the end
 * would lead nowhere.
 */
export function createListAll(http: HttpClient): ListAll {
  return async ({ route, query, schema, itemsOf, idOf }, onPage) => {
    const items = new Map<number, ReturnType<typeof itemsOf>[number]>();
    let received = 0;
    for (let page = 1;; page++) {
      const pageQuery = { ...query, perpage: PAGE_SIZE, page };
      const { body } = await http.send({ method: "GET", route, query: pageQuery, schema });
      const before = items.size;
      for (const one of itemsOf(body)) items.set(idOf(one), one);
      received += itemsOf(body).length;
      onPage?.(itemsOf(body));
      // Somebody who moves to another page meanwhile is there twice; the total is about what is received.
      if (received >= body.totalCount) return [...items.values()];
      if (items.size > before) continue;
      throw new RequestError({
        kind: "unexpected-shape",
        service: "Grafana",
        method: "GET",
        path: route,
        detail: `the pages end after ${items.size} of ${body.totalCount}`,
        advice: "gots tries again in the next cycle; if it stays, look at Grafana's own log",
      });
    }
  };
}
