/** Reads `.env` files as python-dotenv does, because the service that this one succeeds reads them so. */

/** The variables of a `.env` file, and the lines that could not be read. */
export interface Dotenv {
  /** Variables in the order of the file; one without `=` has no value and is left out. */
  readonly variables: Readonly<Record<string, string>>;
  /** Line numbers, from 1, of statements that were skipped because they are malformed. */
  readonly malformedLines: readonly number[];
  /** Line numbers, from 1, of statements without `=`. */
  readonly valuelessLines: readonly number[];
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** One statement: key, then perhaps a value that is quoted once, quoted twice or bare, then perhaps a comment. */
const STATEMENT = new RegExp(
  [
    /(?:export[^\S\n]+)?/,
    /(?:'(?<quotedKey>[^']+)'|(?!')(?<key>[^=#\s]+))/,
    /[^\S\n]*/,
    /(?:=(?:[^\S\n]+(?=#)|[^\S\n]*(?:'(?<single>(?:\\[^]|[^'\\])*)'|"(?<double>(?:\\[^]|[^"\\])*)"|(?<bare>(?!['"])[^\n]*)))(?<assigned>))?/,
    /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/,
  ].map((part) => part.source).join(""),
  "y",
);
const BLANK_OR_COMMENT = /\s+|#[^\n]*/y;
const REST_OF_LINE = /[^\n]*\n?/y;

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function statementValue(groups: Record<string, string | undefined>): string | undefined {
  const { single, double, bare, assigned } = groups;
  if (single !== undefined) return single.replace(/\\([\\'])/g, "$1");
  if (double !== undefined) return double.replace(/\\([\\'"abfnrtv])/g, (_, c: string) => ESCAPES[c] ?? c);
  if (bare !== undefined) return bare.replace(/\s+#.*/, "").trimEnd();
  return assigned === undefined ? undefined : "";
}

/** Replaces `${NAME}` and `${NAME:-default}`; a name that neither `lookup` nor a default gives becomes empty. */
function interpolate(value: string, lookup: (name: string) => string | undefined): string {
  return value.replace(
    /\$\{([^}:]*)(?::-([^}]*))?\}/g,
    (_, name: string, fallback: string | undefined) => lookup(name) ?? fallback ?? "",
  );
}

/**
 * Parses the text of a `.env` file. `#` begins a comment only after a blank, `${VAR}` is expanded from
 * `environment` and then from earlier lines, `export` is allowed, quoted values may span lines.
 *
 * @see https://saurabh-kumar.com/python-dotenv/reference/
 */
export function parseDotenv(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Dotenv {
  const source = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const variables = new Map<string, string>();
  const lookUp = (name: string) => Object.hasOwn(environment, name) ? environment[name] : variables.get(name);
  const malformedLines: number[] = [];
  const valuelessLines: number[] = [];
  const lineAt = (position: number) => source.slice(0, position).split("\n").length;
  for (let position = 0; position < source.length;) {
    const skipped = matchAt(BLANK_OR_COMMENT, source, position);
    if (skipped) {
      position += skipped[0].length;
      continue;
    }
    const statement = matchAt(STATEMENT, source, position);
    if (!statement?.groups) {
      malformedLines.push(lineAt(position));
      position += Math.max(1, matchAt(REST_OF_LINE, source, position)?.[0].length ?? 1);
      continue;
    }
    if (statement.groups.assigned === undefined) valuelessLines.push(lineAt(position));
    position += statement[0].length;
    const name = statement.groups.quotedKey ?? statement.groups.key ?? "";
    const value = statementValue(statement.groups);
    if (value === undefined) variables.delete(name);
    else variables.set(name, interpolate(value, lookUp));
  }
  return { variables: Object.fromEntries(variables), malformedLines, valuelessLines };
}
