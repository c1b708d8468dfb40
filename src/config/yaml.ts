/** Reads the YAML of a configuration and rejects whatever YAML would read differently from how it looks. */
import { parse } from "@std/yaml";
import { ConfigError } from "./error.ts";
import { isMap } from "./expand.ts";

/** The most values that a document may have with its aliases written out: some 40,000 mappings. */
const MOST_VALUES = 250_000;
/** How deep they may be nested; settings are five levels deep. */
const MOST_LEVELS = 50;

const TOO_DEEP =
  `nested more than ${MOST_LEVELS} levels deep; check for unclosed brackets, or an anchor that ` +
  "contains itself";

/** What opens a block scalar at the end of a line: the lines below, further in, are text. */
const OPENS_TEXT = /(?:^|[\s:-])[|>][-+\d]*\s*(?:\s#.*)?$/;

/** The first tab that indents something. The parser would count it as no indentation at all; PyYAML refuses it. */
function findTab(lines: readonly string[]): { readonly line: number; readonly column: number } | undefined {
  let textBelow = Infinity;
  for (const [i, line] of lines.entries()) {
    const indent = line.search(/[^ ]|$/);
    if (line.trim() === "" || indent > textBelow) continue;
    const [lead = ""] = /^[ \t]*(?:-[ \t]+)*/.exec(line) ?? [];
    const column = lead.indexOf("\t");
    if (column >= 0 && !/^\s*#/.test(line)) return { line: i + 1, column: column + 1 };
    textBelow = OPENS_TEXT.test(line) ? indent : Infinity;
  }
  return undefined;
}

/** The key that a line begins with, and its column. */
function keyOf(line: string): { readonly name: string; readonly column: number } | undefined {
  const { before, name } = /^(?<before>[\s{,]*(?:- +)*)(?<name>'[^']+'|"[^"]+"|[^\s"'#][^:#]*?)\s*:(?:\s|$)/
    .exec(line)?.groups ?? {};
  if (before === undefined || name === undefined) return undefined;
  return { name: name.replace(/^(["'])(.*)\1$/, "$2"), column: before.length };
}

/** Where a key is twice in one map, from the line (from 1) that the parser names: that of its last value. */
function describeTwice(lines: readonly string[], last: number): string {
  const innermost = (lines[last - 1] ?? "").search(/\S/);
  let second = last - 1;
  let key = keyOf(lines[second] ?? "");
  while (second > 0 && !(key && key.column <= Math.max(innermost, 0))) {
    key = keyOf(lines[--second] ?? "") ?? key;
  }
  for (let first = second - 1; key && first >= 0; first--) {
    const line = lines[first] ?? "";
    const other = keyOf(line);
    if (other?.name === key.name && other.column === key.column) {
      const shown = key.name.length <= 30 ? `the key ${key.name}` : `a key of ${key.name.length} characters`;
      return `${shown} appears twice, on line ${first + 1} and on line ${second + 1}; keep one of them`;
    }
  }
  return `a key appears twice in the map that line ${last} belongs to; keep one of them`;
}

/** The parser's own words show the line, which may hold a credential: keep the reason and the place. */
function describeSyntaxError(error: Error, lines: readonly string[]): string {
  const [place = "", line] = error.message.match(/ at line (\d+), column -?\d+/) ?? [];
  if (error.message.includes("duplicated key") && line) return describeTwice(lines, Number(line));
  const [reason = ""] = error.message.split(/ at line|["!<]/);
  return `${reason.trimEnd()}${place} (a value with special characters needs quotes)`;
}

function parseText(text: string, file: string): unknown {
  const lines = text.split(/\r\n|\r|\n/);
  const tab = findTab(lines);
  if (tab) {
    const problem = `not valid YAML: a tab at line ${tab.line}, column ${tab.column}; indent with spaces`;
    throw new ConfigError(file, [problem]);
  }
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError(file, [TOO_DEEP]);
    if (!(error instanceof Error) || error.name !== "YamlSyntaxError") throw error;
    throw new ConfigError(file, [`not valid YAML: ${describeSyntaxError(error, lines)}`]);
  }
}

/** Refuses a document whose aliases, written out, make it endless or far too large. */
function checkSize(document: unknown, file: string): void {
  let values = 0;
  const visit = (value: unknown, level: number): void => {
    if (level > MOST_LEVELS) throw new ConfigError(file, [TOO_DEEP]);
    if (++values > MOST_VALUES) {
      throw new ConfigError(file, [`more than ${MOST_VALUES} values after expanding aliases`]);
    }
    if (!Array.isArray(value) && !isMap(value)) return;
    for (const item of Object.values(value)) visit(item, level + 1);
  };
  visit(document, 0);
}

/**
 * Parses the text of `file` into its settings. Sections that begin with `x-` are left out: they hold anchors.
 *
 * @throws {ConfigError} if it is no YAML, holds no settings, is indented with tabs, has a key twice, is nested too
 * deep, or is too large.
 */
export function parseYaml(text: string, file: string): Record<string, unknown> {
  const document = parseText(text, file);
  if (document === null || document === undefined) {
    throw new ConfigError(file, ["this file is empty; copy config.example.yaml"]);
  }
  if (!isMap(document)) {
    const kind = Array.isArray(document) ? "a list" : "a single value";
    throw new ConfigError(file, [`expected settings at the top (okta:, grafana:, sync:), found ${kind}`]);
  }
  checkSize(document, file);
  return Object.fromEntries(Object.entries(document).filter(([key]) => !key.startsWith("x-")));
}
