/** The expressions by which a simulated Okta's lists can be narrowed. @see https://developer.okta.com/docs/api/#filter */

const COMPARISONS: Readonly<Record<string, (own: string, wanted: string) => boolean>> = {
  eq: (own, wanted) => own === wanted,
  sw: (own, wanted) => own.startsWith(wanted),
  co: (own, wanted) => own.includes(wanted),
};

/** Reads a group search, which compares names without regard to case; `undefined` if it is none. */
export function parseSearch(expression: string): ((name: string) => boolean) | undefined {
  const term = /^\s*profile\.name\s+(eq|sw|co)\s+"((?:[^"\\]|\\.)*)"\s*(?:or\s+|$)/i;
  const tests: ((name: string) => boolean)[] = [];
  for (let rest = expression; rest.length > 0;) {
    const [whole, operator = "", quoted = ""] = rest.match(term) ?? [];
    if (whole === undefined) return undefined;
    const compare = COMPARISONS[operator.toLowerCase()];
    const wanted = quoted.replace(/\\(.)/g, "$1").toLowerCase();
    if (compare) tests.push((name) => compare(name.toLowerCase(), wanted));
    rest = rest.slice(whole.length);
  }
  return (name) => tests.some((test) => test(name));
}

/** Whether a list's item passes. Its properties are strings, or times in epoch milliseconds. */
type Test = (item: object) => boolean;

/** Reads `property eq "text"` or `property gt "time"`, of these properties only. */
function parseTerm(text: string, properties: readonly string[]): Test | undefined {
  const [, property = "", operator, value = ""] = text.match(/^(\w+) (eq|gt) "([^"]*)"$/) ?? [];
  if (!properties.includes(property)) return undefined;
  const time = Date.parse(value);
  if (operator === "gt") {
    return Number.isNaN(time) ? undefined : (item) => Number(Reflect.get(item, property)) > time;
  }
  return (item) => Reflect.get(item, property) === value;
}

/** Reads a filter of terms that are joined by `and`, and those by `or`; `undefined` if it is none. */
export function parseFilter(
  expression: string,
  properties: readonly string[],
): Test | undefined {
  const alternatives = expression.split(" or ").map((one) =>
    one.split(" and ").map((term) => parseTerm(term.trim(), properties))
  );
  const isTerms = (terms: readonly unknown[]): terms is Test[] => terms.every((term) => term !== undefined);
  if (!alternatives.every(isTerms)) return undefined;
  return (item) => alternatives.some((terms) => isTerms(terms) && terms.every((holds) => holds(item)));
}
