/** Expands `${VAR}` and `${VAR:-default}` in the values of a parsed document. */

/** The keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** Writes a path as an operator reads it: `sync.mappings[2].grafana_team`. */
export function formatPath(path: Path): string {
  return path.map((part, i) => typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`).join("");
}

/** A document with its variables expanded, and what could not be expanded. */
export interface Expanded {
  /** The document; a setting whose variable is unset is `undefined`, and so is one that is `null`. */
  readonly value: unknown;
  /** The variables that were unset, by the path of the setting that names them. */
  readonly unset: ReadonlyMap<string, string>;
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

  function expandText(text: string, path: Path): string | undefined {
    let missing: string | undefined;
    const expanded = text.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
      const value = (Object.hasOwn(environment, name) && environment[name]) || fallback;
      if (value === undefined) missing ??= name;
      return value ?? "";
    });
    if (missing === undefined) return expanded;
    unset.set(formatPath(path), missing);
    return undefined;
  }

  function expand(value: unknown, path: Path): unknown {
    if (value === null) return undefined;
    if (typeof value === "string") return expandText(value, path);
    if (Array.isArray(value)) return value.map((item, i) => expand(item, [...path, i]));
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expand(item, [...path, key])] as const),
    );
  }

  return { value: expand(document, []), unset };
}

/** Whether a parsed value is a mapping of keys to values. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
