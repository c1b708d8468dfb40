/** Says where an answer does not have the expected shape, and in which of its records. */
import type * as z from "zod";

/** What a schema finds wrong with a value, and where. */
type Issue = Pick<z.core.$ZodIssue, "path" | "message">;

/** A record that does not have the expected shape. */
export interface Misfit {
  readonly detail: string;
  /** The id by which the service knows the record; `undefined` if it is not about a record, or the id is unknown. */
  readonly id: string | undefined;
}

/** What ids look like in Okta and Grafana. Nothing else is shown. */
const ID = /^[\w-]{1,64}$/;

/** The id of a record: `id`, or the `userId` of Grafana's lists of users. */
function idOf(record: unknown): string | undefined {
  const { id, userId } = Object(record);
  return [id, userId].filter((one) => typeof one === "string" || typeof one === "number").map(String)
    .find((one) => ID.test(one));
}

/** Describes an issue with `value`. The innermost record of a list on its way is named by its id, not by its place. */
function describeIssue(value: unknown, { path, message }: Issue): Misfit {
  let id: string | undefined;
  let inside = path;
  let one = value;
  for (const [depth, part] of path.entries()) {
    one = Object(one)[part];
    const own = typeof part === "number" ? idOf(one) : undefined;
    const isAboutId = ["id", "userId"].includes(String(path[depth + 1]));
    if (own === undefined || isAboutId) continue;
    id = own;
    inside = path.slice(depth + 1);
  }
  const field = inside.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`).join("");
  const what = id === undefined ? "the response" : `the record with the id ${id}`;
  return {
    detail: `${what} does not have the expected shape at ${field || "the top level"}: ${message}`,
    id,
  };
}

/** The first thing that is wrong with a value. */
export function firstMisfit(value: unknown, { issues: [first] }: z.core.$ZodError): Misfit {
  return describeIssue(value, first ?? { path: [], message: "cannot be read" });
}
