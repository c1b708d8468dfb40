/** Words for what is wrong with a configuration: the setting, what was found, what is expected. */
import { closestString, levenshteinDistance } from "@std/text";
import type * as z from "zod";
import { overrideOf } from "./environment.ts";
import { type Expanded, formatPath, isMap, type Path } from "./expand.ts";
import { SETTINGS } from "./schema.ts";
import { REDACTED } from "./secret.ts";

/** The nearest of `names`, if it is near enough to be what was meant. */
export function suggestName(word: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const nearest = closestString(word, names as string[]);
  return levenshteinDistance(word.toLowerCase(), nearest) <= Math.max(2, word.length / 3)
    ? nearest
    : undefined;
}

/** Settings of the predecessor's later releases that `gots` does not have, and why. */
const FOREIGN_SETTINGS: ReadonlyMap<string, string> = new Map([
  ["grafana_role", "gots leaves organisation roles alone"],
  ["admin_groups", "gots leaves server administrators alone"],
  [
    "token_endpoint_auth_method",
    "gots signs with the private key if there is one, else it sends the client secret",
  ],
  ["jwt_key_id", "it is called key_id here"],
]);

function describeUnknown(path: Path, key: string): string {
  const section = formatPath(path);
  const near = suggestName(key, SETTINGS[section.replace(/\[\d+\]/g, "[]")] ?? []);
  const advice = FOREIGN_SETTINGS.get(key) ?? (near ? `did you mean ${near}?` : undefined);
  const shown = key.length <= 30
    ? formatPath([...path, key])
    : `${section || "the top"}: a key of ${key.length} characters`;
  return `${shown}: unknown setting${advice ? ` (${advice})` : ""}`;
}

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) => Array.isArray(value) ? value[Number(part)] : isMap(value) ? value[part] : undefined,
    document,
  );
}

/** A longer text could be a credential that stands in the wrong place, and so could one with such characters. */
const PRESENTABLE = /^[^@?#\p{Cc}]{1,20}$/u;

/** What stands in the file, in words; the text itself only where it cannot be a credential. */
function describeFound(value: unknown, secret: boolean): string {
  if (typeof value === "string") {
    if (value === "") return "an empty text";
    if (secret) return REDACTED;
    return PRESENTABLE.test(value) ? JSON.stringify(value) : `a text of ${value.length} characters`;
  }
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date (put it in quotes)";
  if (typeof value === "number") return "a number (put it in quotes: YAML reads 0123 as 83)";
  return typeof value === "boolean" ? `${value} without quotes` : "a map of settings";
}

function describeMissing(path: string, expected: string, expanded: Expanded): string {
  const override = overrideOf(path);
  const sources = override
    ? ` (or ${override.variable}${
      override.secret ? `, or ${override.variable}_FILE` : ""
    } in the environment)`
    : "";
  const variable = [...expanded.unset].find(([unset]) => path === unset || path.startsWith(`${unset}.`))?.[1];
  const reason = variable ? `the environment variable ${variable} is not set` : "missing";
  return `${path}: ${reason}; expected ${expected}${sources}`;
}

/** One sentence for each issue. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  expanded: Expanded,
): string[] {
  const problems = issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => describeUnknown(path, key));
    const found = valueAt(expanded.value, path);
    const inside = issue.code === "invalid_union" && isMap(found) ? issue.errors.at(-1) : undefined;
    if (inside) {
      return describeIssues(inside.map((one) => ({ ...one, path: [...path, ...one.path] })), expanded);
    }
    const written = formatPath(path);
    if (issue.code === "custom" && issue.params?.isSentence) return [`${written}: ${issue.message}`];
    if (found === undefined) return [describeMissing(written, issue.message, expanded)];
    const secret = overrideOf(written)?.secret ?? false;
    const numeric = typeof found === "number" && !issue.message.includes("quotes");
    const shown = numeric ? String(found) : describeFound(found, secret);
    return [`${written}: expected ${issue.message}, found ${shown}`];
  });
  return [...new Set(problems)];
}
