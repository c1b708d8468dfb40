/** Reads Grafana's lists to their last page. */
import type * as z from "zod";
import { requireDistinct } from "../http/distinct.ts";
import { RequestError } from "../http/error.ts";
import { sideBySide } from "../http/side_by_side.ts";
import type { HttpClient } from "../http/types.ts";

/** The largest page that Grafana gives. */
const PAGE_SIZE = 1_000;

/** How many pages are read at once. */
const MOST_AT_ONCE = 8;

/** A list, and how to read it. */
export interface ListOptions<P, T> {
  readonly route: string;
  readonly query: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<P>;
  readonly itemsOf: (page: P) => readonly T[];
  readonly idOf: (item: T) => number;
  /**
   * Whether Grafana may count items that it does not list, as it does with `[users] hidden_users`. Then a page without
   * anybody ends the list. @default {false}
   */
  readonly mayHide?: boolean;
}

/** A list that was read to its last page. */
export interface Listed<T> {
  /** Each once. */
  readonly items: readonly T[];
  /** How many more Grafana counts than it lists. */
  readonly hidden: number;
}

/** Reads every page of a list. */
export type ListAll = <P extends { totalCount: number }, T>(
  list: ListOptions<P, T>,
  onPage?: (page: readonly T[]) => void,
) => Promise<Listed<T>>;

/** Makes a reader of lists: the first page says how many there are, and the others are read side by side. */
export function createListAll(http: HttpClient): ListAll {
  return async ({ route, query, schema, itemsOf, idOf, mayHide = false }, onPage) => {
    const items = new Map<number, ReturnType<typeof itemsOf>[number]>();
    let [received, totalCount] = [0, 0];

    async function read(page: number): Promise<void> {
      const pageQuery = { ...query, perpage: PAGE_SIZE, page };
      const { body } = await http.send({ method: "GET", route, query: pageQuery, schema });
      const listed = itemsOf(body);
      requireDistinct(listed.map(idOf), { service: "Grafana", method: "GET", path: route });
      for (const one of listed) items.set(idOf(one), one);
      received += listed.length;
      totalCount = Math.max(totalCount, body.totalCount);
      onPage?.(listed);
    }

    await read(1);
    for (let page = 2; received < totalCount;) {
      const [before, receivedBefore] = [items.size, received];
      const count = Math.min(MOST_AT_ONCE, Math.ceil((totalCount - received) / PAGE_SIZE));
      await sideBySide(Array.from({ length: count }, (_, i) => page + i), count, read);
      page += count;
      // Someone who moves to another page while the list is read appears twice; the total counts what is received.
      if (received >= totalCount || items.size > before) continue;
      if (mayHide && received === receivedBefore) break;
      throw new RequestError({
        kind: "unexpected-shape",
        service: "Grafana",
        method: "GET",
        path: route,
        detail: `Grafana listed only ${items.size} of ${totalCount}`,
        advice: "gots tries again in the next cycle; if this persists, check Grafana's own log",
      });
    }
    return { items: [...items.values()], hidden: Math.max(0, totalCount - received) };
  };
}
