/** Expands `${VAR}` and `${VAR:-default}` in the values of a parsed document. */

/** The keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** Writes a path as an operator reads it: `sync.mappings[2].grafana_team`. */
export function formatPath(path: Path): string {
  return path.map((part, i) => typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`).join("");
}

/** A variable's name, safe to show: for a possible credential, only its length. */
export function describeVariable(name: string): string {
  return /^[A-Za-z_]\w{0,39}$/.test(name) ? name : `a variable whose name has ${name.length} characters`;
}

/** A document with its variables expanded, and what could not be expanded. */
export interface Expanded {
  /** The document; a setting whose variable is unset is `undefined`, and so is one that is `null`. */
  readonly value: unknown;
  /** The variables that were unset, by the path of the setting that names them. */
  readonly unset: ReadonlyMap<string, string>;
  /** The paths of settings that are `null`, as a template leaves them whose variable was empty. */
  readonly blank: readonly string[];
  /** Where a setting's value comes from if not from the document alone: the first of its variables, by path. */
  readonly sources: Map<string, string>;
  /** The files of credentials that are empty, which counts as unset: `X_FILE points to FILE`, by path. */
  readonly emptyFiles: Map<string, string>;
}

const VARIABLE = /\$\{([^}:]+)(?::-([^}]*))?\}/g;

/**
 * Expands the variables in every string of `document`, never in its keys. It works on parsed values, so
 * that a variable's content cannot change the document's structure. An empty variable counts as unset.
 */
export function expandVariables(
  document: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Expanded {
  const unset = new Map<string, string>();
  const blank: string[] = [];
  const sources = new Map<string, string>();

  function expandText(text: string, path: Path): string | undefined {
    let missing: string | undefined;
    const expanded = text.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
      const given = Object.hasOwn(environment, name) ? environment[name] : undefined;
      const value = given || fallback;
      if (value === undefined) missing ??= name;
      const written = formatPath(path);
      if (given && !sources.has(written)) sources.set(written, describeVariable(name));
      return value ?? "";
    });
    if (missing === undefined) return expanded;
    unset.set(formatPath(path), missing);
    return undefined;
  }

  function expand(value: unknown, path: Path): unknown {
    if (value === null) {
      blank.push(formatPath(path));
      return undefined;
    }
    if (typeof value === "string") return expandText(value, path);
    if (Array.isArray(value)) return value.map((item, i) => expand(item, [...path, i]));
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expand(item, [...path, key])] as const),
    );
  }

  return { value: expand(document, []), unset, blank, sources, emptyFiles: new Map() };
}

/** Whether a parsed value is a mapping of keys to values. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
