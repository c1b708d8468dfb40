/** The forms that a simulated Grafana's answers share. */
import { createHash } from "node:crypto";
import type { Context } from "hono";

/** The body of most answers. */
export function message(text: string) {
  return { message: text };
}

/** The body of an answer that Grafana also traces. */
export function failure(text: string) {
  return { message: text, traceID: "" };
}

/** The path of a user's or a team's picture. */
export function avatar(email: string): string {
  return `/avatar/${createHash("md5").update(email.toLowerCase()).digest("hex")}`;
}

/** The page of `items` that `page` and `perpage` ask for. */
export function paged<T>(c: Context, items: readonly T[]) {
  const perPage = Number(c.req.query("perpage") ?? 1_000);
  const page = Number(c.req.query("page") ?? 1);
  return {
    totalCount: items.length,
    page,
    perPage,
    items: items.slice((page - 1) * perPage, page * perPage),
  };
}

/** The request's JSON; empty if it is not JSON. */
export async function bodyOf(c: Context): Promise<Record<string, unknown>> {
  return await c.req.json().catch(() => ({}));
}
