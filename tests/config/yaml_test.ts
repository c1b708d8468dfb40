/** YAML that would be read otherwise than it looks, or without end, is an error that says where. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { runMain } from "../cli/world.ts";
import { directoryWith } from "../support.ts";
import { documentWith, load, problemsOf } from "./world.ts";

const TABS: readonly (readonly [document: string, place: string])[] = [
  ["okta:\n\tdomain: o.okta.com\n\tapi_token: 00token\n", "line 2, column 1"],
  ["okta:\n  domain: o.okta.com\n\tapi_token: 00token\n", "line 3, column 1"],
  ["okta:\n  domain: o.okta.com\n  \tapi_token: 00token\n", "line 3, column 3"],
  ["okta:\r\n \t domain: o.okta.com\r\n", "line 2, column 2"],
  ["sync:\n  mappings:\n\t- okta_group: A\n\t  grafana_team: T\n", "line 3, column 1"],
  ["sync:\n  mappings:\n  -\tokta_group: A\n    grafana_team: T\n", "line 3, column 4"],
  ["okta:\n  api_token: |\n    00token\n\tdomain: o.okta.com\n", "line 4, column 1"],
];

for (const [document, place] of TABS) {
  Deno.test(`a tab is one error that says where: ${JSON.stringify(document)}`, async () => {
    assertEquals(await problemsOf(document), [`not valid YAML: a tab at ${place}; indent with spaces`]);
  });
}

Deno.test("tabs that indent nothing are left alone", async () => {
  const document = documentWith({
    sync:
      "\n  mappings:\n    - okta_group: |-\n        A\n        \tB\n      grafana_team:\tT\t# a team\n\t\n\t# a comment",
  });
  assertEquals((await load(document)).config.sync.mappings[0]?.okta_group, "A\n\tB");
});

const TWICE: readonly (readonly [what: string, document: string, said: string])[] = [
  ["a section", "okta: {}\ngrafana: {}\nokta: {}\n", "the key okta appears twice, on line 1 and on line 3"],
  [
    "a setting",
    "logging:\n  level: DEBUG\n  # more\n  format: text\n\n  level: ERROR\n",
    "the key level appears twice, on line 2 and on line 6",
  ],
  [
    "the list of mappings",
    "sync:\n  mappings:\n    - okta_group: A\n      grafana_team: T\n  dry_run: true\n  mappings:\n" +
    "    - okta_group: B\n      grafana_team: U\n\n# the end\nlogging: {}\n",
    "the key mappings appears twice, on line 2 and on line 6",
  ],
  [
    "a setting of a mapping",
    'sync:\n  mappings:\n    - okta_group: A\n      grafana_team: T\n      "okta_group": B\n',
    "the key okta_group appears twice, on line 3 and on line 5",
  ],
  [
    "a setting that another map has too",
    "okta:\n  ca_file: a\ngrafana:\n  url: b\n  ca_file: c\n  url: d\n",
    "the key url appears twice, on line 4 and on line 6",
  ],
  [
    "a section of a JSON file",
    '{\n  "logging": {\n    "level": "INFO"\n  },\n  "okta": {},\n  "logging": {\n    "level": "INFO"\n  }\n}\n',
    "the key logging appears twice, on line 2 and on line 6",
  ],
  [
    "a setting in one line",
    "okta: {}\nlogging: { level: INFO, format: json, level: DEBUG }\n",
    "a key appears twice in the map that line 2 belongs to",
  ],
];

for (const [what, document, said] of TWICE) {
  Deno.test(`${what} that is there twice is one error: ${said}`, async () => {
    assertEquals(await problemsOf(document), [`not valid YAML: ${said}; keep one of them`]);
  });
}

/** Nine lists of nine aliases each, one inside the other: 9 to the 9th values. */
const bomb = (item: string, each: (alias: string) => string) =>
  Array.from("bcdefghi").reduce(
    (lines, name, i) => [...lines, `x-${name}: &${name} ${each(`*${"abcdefgh"[i]}`)}`],
    [`x-a: &a ${item}`],
  ).join("\n");
const list = (alias: string) => `[${Array(9).fill(alias).join(", ")}]`;
const map = (alias: string) => `{ ${Array.from("abcdefghi", (key) => `${key}: ${alias}`).join(", ")} }`;

const ENDLESS: Readonly<Record<string, readonly [document: string, problem: string]>> = {
  "a list in itself": [documentWith({ logging: "&a [*a]" }), "nested more than 50 levels deep"],
  "a map in itself": [documentWith({ logging: "&a { level: *a }" }), "nested more than 50 levels deep"],
  "a bomb of lists": [`${bomb("[x]", list)}\n${documentWith()}`, "more than 250000 values"],
  "a bomb of maps": [`${bomb("{ x: x }", map)}\n${documentWith()}`, "more than 250000 values"],
  "a bomb of mappings": [
    `${bomb("{ okta_group: A, grafana_team: T }", list)}\nsync: { mappings: *i }\n`,
    "more than 250000 values",
  ],
  "20,000 brackets": [
    `okta: ${"[".repeat(20_000)}${"]".repeat(20_000)}\n`,
    "nested more than 50 levels deep",
  ],
  "20,000 open brackets": [`okta: ${"[".repeat(20_000)}`, "nested more than 50 levels deep"],
  "20,000 braces": [`${"{a: ".repeat(20_000)}${"}".repeat(20_000)}\n`, "nested more than 50 levels deep"],
  "20,000 dashes": ["- ".repeat(20_000), "nested more than 50 levels deep"],
  "100 brackets": [`okta: ${"[".repeat(100)}${"]".repeat(100)}\n`, "nested more than 50 levels deep"],
};

for (const [what, [document, problem]] of Object.entries(ENDLESS)) {
  Deno.test(`${what} is one error, told at once and without a stack`, async () => {
    const directory = await directoryWith({ "config.yaml": document });
    const { code, stderr } = await runMain(["validate", `${directory}/config.yaml`], {});
    await Deno.remove(directory, { recursive: true });
    assertEquals([code, stderr.trimEnd().split("\n").length], [78, 2]);
    assertStringIncludes(stderr, problem);
  });
}

Deno.test("ten thousand mappings that share their settings by an alias are read", async () => {
  const limit = "&limit { percent: 10, min_team_size: 3 }";
  const mappings = Array.from(
    { length: 10_000 },
    (_, i) => `    - { okta_group: G${i}, grafana_team: T${i}, removal_limit: *limit }\n`,
  );
  const document = `x-limit: ${limit}\n${documentWith({ sync: `\n  mappings:\n${mappings.join("")}` })}`;
  assertEquals((await load(document)).config.sync.mappings.length, 10_000);
});

Deno.test("a mistake in each of ten thousand mappings is told fifty times, then counted", async () => {
  const mappings = Array.from({ length: 10_000 }, (_, i) => `{ okta_group: G${i} }`).join(", ");
  const directory = await directoryWith({
    "config.yaml": documentWith({ sync: `{ mappings: [${mappings}] }` }),
  });
  const { stderr } = await runMain(["validate", `${directory}/config.yaml`], {});
  await Deno.remove(directory, { recursive: true });
  const lines = stderr.trimEnd().split("\n");
  assertEquals([lines.length, lines.at(-1)], [52, "  and 9950 more"]);
  assertStringIncludes(lines[0] ?? "", "10000 problems");
});
