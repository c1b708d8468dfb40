/** Describes what is wrong with a configuration: the setting, what was found, what is expected. */
import { closestString, levenshteinDistance } from "@std/text";
import type * as z from "zod";
import { type Environment, overrideOf } from "./environment.ts";
import { describeVariable, type Expanded, formatPath, isMap, type Path } from "./expand.ts";
import { PROTECTING, SETTINGS } from "./schema.ts";
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
  ["grafana_role", "gots does not manage organisation roles"],
  ["admin_groups", "gots does not manage server administrators"],
  [
    "token_endpoint_auth_method",
    "gots uses the private key if there is one, otherwise the client secret",
  ],
  ["jwt_key_id", "use key_id"],
]);

function describeUnknown(path: Path, key: string): string {
  const section = formatPath(path);
  const near = suggestName(key, SETTINGS[withoutIndexes(section)] ?? []);
  const advice = FOREIGN_SETTINGS.get(key) ?? (near ? `did you mean ${near}?` : undefined);
  const shown = key.length <= 30
    ? formatPath([...path, key])
    : `${section || "the top level"}: a key of ${key.length} characters`;
  return `${shown}: unknown setting${advice ? ` (${advice})` : ""}`;
}

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) => Array.isArray(value) ? value[Number(part)] : isMap(value) ? value[part] : undefined,
    document,
  );
}

/** A longer string, or one with such characters, could be a credential in the wrong place. */
const PRESENTABLE = /^[^@?#\p{Cc}]{1,20}$/u;

/** Describes what the file has; shows the value itself only if it cannot be a credential. */
function describeFound(value: unknown, secret: boolean): string {
  if (typeof value === "string") {
    if (value === "") return "an empty string";
    if (secret) return REDACTED;
    return PRESENTABLE.test(value) ? JSON.stringify(value) : `a string of ${value.length} characters`;
  }
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date (put it in quotes)";
  if (typeof value === "number") return "a number (put it in quotes: YAML reads 0123 as 83)";
  return typeof value === "boolean" ? `${value} without quotes` : "a map of settings";
}

/** What `map` holds for a path, or for the nearest setting around it. */
function nearest(map: ReadonlyMap<string, string>, path: string): string | undefined {
  for (
    let end = path.length;
    end > 0;
    end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))
  ) {
    const found = map.get(path.slice(0, end));
    if (found !== undefined) return found;
  }
  return undefined;
}

function describeState(variable: string, environment: Environment): string {
  const state = environment[variable] === "" ? "empty" : "not set";
  return `the environment variable ${describeVariable(variable)} is ${state}`;
}

function describeMissing(
  path: string,
  expected: string,
  expanded: Expanded,
  environment: Environment,
): string {
  const override = overrideOf(path);
  const empty = override &&
    [override.variable, `${override.variable}_FILE`].find((name) => environment[name] === "");
  const sources = override
    ? ` (or ${override.variable}${
      override.secret ? `, or ${override.variable}_FILE` : ""
    } in the environment)`
    : "";
  const variable = nearest(expanded.unset, path) ?? empty;
  const file = expanded.emptyFiles.get(path);
  const reason = file
    ? `${file}: this file is empty`
    : variable
    ? describeState(variable, environment)
    : "missing";
  return `${path}: ${reason}; expected ${expected}${sources}`;
}

/** The path with `[]` for every index, as the schema names it. */
function withoutIndexes(path: string): string {
  return path.replace(/\[\d+\]/g, "[]");
}

/** Whether the environment gives a setting, itself or by a file that is not empty. */
function isSupplied(path: string, environment: Environment, emptyFiles: Expanded["emptyFiles"]): boolean {
  const variable = overrideOf(path)?.variable;
  if (variable === undefined || emptyFiles.has(path)) return false;
  return Boolean(environment[variable] || environment[`${variable}_FILE`]);
}

/** Whether a setting fails closed, or is part of one that does, or a whole section with one in it. */
function isProtecting(path: string): boolean {
  const written = withoutIndexes(path);
  return [...PROTECTING.keys()].some((one) =>
    one === written || one.startsWith(`${written}.`) || written.startsWith(`${one}.`) ||
    written.startsWith(`${one}[`)
  );
}

/** How to allow for a variable that may be unset: with a default, or without the setting. */
function describeRemedy(path: string, variable: string): string {
  const usual = PROTECTING.get(withoutIndexes(path));
  const isWord = typeof usual === "string" || typeof usual === "boolean";
  const shown = describeVariable(variable);
  return `set ${shown}, or ${
    isWord ? `write \${${shown}:-${usual}}` : "remove this line"
  } if that is what you mean`;
}

/**
 * Problems and warnings about settings whose variable is unset and that nothing else supplies: a problem where the setting
 * protects, a warning under `sync`. A setting that protects and has no value at all is a warning: GOTS takes that.
 */
export function describeUnset(
  { unset, blank, emptyFiles }: Expanded,
  environment: Environment,
): { readonly problems: string[]; readonly warnings: string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [path, variable] of unset) {
    if (isSupplied(path, environment, emptyFiles)) continue;
    const state = describeState(variable, environment);
    if (isProtecting(path)) {
      problems.push(
        `${path}: ${state}, and gots assumes no default for this setting; ${describeRemedy(path, variable)}`,
      );
    } else if (path.startsWith("sync.")) {
      warnings.push(`${path}: ${state}, so gots ignores the setting`);
    }
  }
  for (const path of blank.filter((path) => PROTECTING.has(withoutIndexes(path)))) {
    if (!isSupplied(path, environment, emptyFiles)) {
      warnings.push(`${path} is empty, so gots ignores the setting`);
    }
  }
  return { problems, warnings };
}

/** One sentence for each issue. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  expanded: Expanded,
  environment: Environment,
): string[] {
  const problems = issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => describeUnknown(path, key));
    const found = valueAt(expanded.value, path);
    const source = nearest(expanded.sources, formatPath(path));
    const origin = source ? ` in ${source}` : "";
    const inside = issue.code === "invalid_union" && isMap(found) ? issue.errors.at(-1) : undefined;
    if (inside) {
      const issuesInside = inside.map((one) => ({ ...one, path: [...path, ...one.path] }));
      return describeIssues(issuesInside, expanded, environment);
    }
    const written = formatPath(path);
    if (issue.code === "custom" && issue.params?.isSentence) return [`${written}${origin}: ${issue.message}`];
    if (found === undefined && expanded.unset.has(written) && isProtecting(written)) return []; // describeUnset
    if (found === undefined) return [describeMissing(written, issue.message, expanded, environment)];
    const secret = overrideOf(written)?.secret ?? false;
    const numeric = typeof found === "number" && !issue.message.includes("quotes");
    const shown = numeric ? String(found) : describeFound(found, secret);
    return [`${written}: expected ${issue.message}, found ${shown}${origin}`];
  });
  return [...new Set(problems)];
}

/** Whether a problem may be that variables are missing. */
export function isAboutVariables(problem: string): boolean {
  return /the environment variable \S+ is (?:not set|empty)|in the environment\)$/.test(problem);
}
