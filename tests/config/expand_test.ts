/** `${VAR}` in the values of a document. */
import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { expandVariables, formatPath } from "../../src/config/expand.ts";

const ENVIRONMENT = { NAME: "value", EMPTY: "", LINES: "a: b\n- c", OTHER: "${NAME}" };

const texts: readonly (readonly [text: string, expanded: string])[] = [
  ["plain", "plain"],
  ["${NAME}", "value"],
  ["a-${NAME}-${NAME}", "a-value-value"],
  ["${NAME:-default}", "value"],
  ["${UNSET:-default}", "default"],
  ["${EMPTY:-default}", "default"],
  ["${UNSET:-}", ""],
  ["${UNSET:-https://a.example.com:80/}", "https://a.example.com:80/"],
  ["$NAME", "$NAME"],
  ["${NAME", "${NAME"],
  ["${}", "${}"],
  ["${OTHER}", "${NAME}"],
  ["${LINES}", "a: b\n- c"],
];

for (const [text, expanded] of texts) {
  Deno.test(`the value ${text} becomes ${JSON.stringify(expanded)}`, () => {
    const { value, unset } = expandVariables({ setting: text }, ENVIRONMENT);
    assertEquals(value, { setting: expanded });
    assertEquals(unset.size, 0);
  });
}

Deno.test("a setting whose variable is unset or empty has no value, and the variable is known by its path", () => {
  const document = { a: { b: "x${UNSET}${NAME}" }, list: [{ c: "${EMPTY}", d: 1 }] };
  const { value, unset } = expandVariables(document, ENVIRONMENT);
  assertEquals(value, { a: { b: undefined }, list: [{ c: undefined, d: 1 }] });
  assertEquals([...unset], [["a.b", "UNSET"], ["list[0].c", "EMPTY"]]);
});

Deno.test("a setting that is null has no value", () => {
  assertEquals(expandVariables({ a: null, b: { c: null } }, {}).value, { a: undefined, b: { c: undefined } });
});

Deno.test("keys are left as they are", () => {
  assertEquals(expandVariables({ "${NAME}": "${NAME}" }, ENVIRONMENT).value, { "${NAME}": "value" });
});

Deno.test("numbers, booleans and dates are left as they are", () => {
  const document = { n: 1, b: false, d: new Date(0) };
  assertEquals(expandVariables(document, ENVIRONMENT).value, document);
});

Deno.test("a name that JavaScript's objects have of their own is no variable", () => {
  const { value, unset } = expandVariables({ a: "${constructor}", b: "${toString:-default}" }, ENVIRONMENT);
  assertEquals(value, { a: undefined, b: "default" });
  assertEquals([...unset], [["a", "constructor"]]);
});

Deno.test("a text without ${ is never changed, whatever the environment holds", () => {
  fc.assert(fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (text, environment) => {
    fc.pre(!text.includes("${"));
    assertEquals(expandVariables({ text }, environment).value, { text });
  }));
});

Deno.test("a path is written as an operator reads it", () => {
  assertEquals(formatPath(["sync", "mappings", 2, "grafana_team"]), "sync.mappings[2].grafana_team");
});
