/** The runbooks: one for each alert, all of one form, and about metrics that there are. */
import { assert, assertEquals } from "@std/assert";
import { readRules } from "../ci/alerts.ts";
import { toldService } from "../service/fixtures.ts";
import { fencesOf } from "./fences.ts";
import { headingsOf, linksOf, readMarkdown } from "./markdown.ts";

const SECTIONS = ["What it means", "What users notice", "Look", "Do", "It is over when"];

const rules = await readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const pages = (await readMarkdown("docs/runbooks/")).map(({ path, text }) => ({
  name: path.replace(/^.*\/|\.md$/g, ""),
  text,
}));
const runbooks = pages.filter(({ name }) => name !== "README");
const index = pages.find(({ name }) => name === "README")?.text ?? "";

Deno.test("each alert has a runbook, and each runbook an alert", () => {
  assert(alerts.length > 0, "the test reads the alerts");
  assertEquals(runbooks.map(({ name }) => name), alerts.map(({ alert = "" }) => alert).sort());
});

for (const severity of ["critical", "warning", "info"]) {
  Deno.test(`the index lists the alerts that are ${severity}, and no others beside them`, () => {
    const table = index.split(/^\n/m).find((part) => part.startsWith(`| ${severity}:`)) ?? "";
    const own = alerts.filter(({ labels }) => labels?.severity === severity);
    assertEquals(linksOf(table).sort(), own.map(({ alert }) => `${alert}.md`).sort());
  });
}

for (const { name, text } of runbooks) {
  Deno.test(`${name} has the title and the sections that all runbooks have`, () => {
    assertEquals([headingsOf(text, 1), headingsOf(text, 2)], [[name], SECTIONS]);
  });
}

Deno.test("the queries of the runbooks name metrics and recording rules that there are", () => {
  const { registry } = toldService([]).metrics;
  const known = new Set([
    ...registry.getMetricsAsArray().flatMap(({ name, type }) =>
      String(type) === "histogram" ? ["bucket", "sum", "count"].map((part) => `${name}_${part}`) : [name]
    ),
    ...rules.flatMap(({ record = [] }) => record),
  ]);
  const queries = runbooks.flatMap(({ text }) => fencesOf(text, "promql"));
  const named = queries.flatMap((query) => query.match(/\b(?:\w+:)?(?:gots|process)_[\w:]+/g) ?? []);
  assert(queries.length > 20 && named.length > 20, "the test reads the queries");
  assertEquals(named.filter((name) => !known.has(name)), []);
});
