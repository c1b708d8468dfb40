/** Reads Grafana's lists to their last page. */
import type { z } from "zod";
import { RequestError } from "../http/error.ts";
import type { HttpClient } from "../http/types.ts";

/** The largest page that Grafana gives. */
const PAGE_SIZE = 1_000;

/** Reads every page of a list. */
export type ListAll = <P extends { totalCount: number }, T>(
  route: string,
  query: Record<string, string>,
  schema: z.ZodType<P>,
  itemsOf: (page: P) => readonly T[],
  onPage?: (count: number) => void,
) => Promise<T[]>;

/** Makes a reader of lists: until one page brings nothing more. `totalCount` may change meanwhile, so a short page decides too. */
export function createListAll(http: HttpClient): ListAll {
  return async (route, query, schema, itemsOf, onPage) => {
    const items: ReturnType<typeof itemsOf>[number][] = [];
    for (let page = 1;; page++) {
      const { body } = await http.send({
        method: "GET",
        route,
        query: { ...query, perpage: PAGE_SIZE, page },
        schema,
      });
      const found = itemsOf(body);
      for (const one of found) items.push(one);
      onPage?.(items.length);
      if (items.length >= body.totalCount) return items;
      if (found.length > 0) continue;
      throw new RequestError({
        kind: "unexpected-shape",
        service: "Grafana",
        method: "GET",
        path: route,
        detail: `the pages end after ${items.length} of ${body.totalCount}`,
        advice: "gots tries again in the next cycle; if it stays, look at Grafana's own log",
      });
    }
  };
}
