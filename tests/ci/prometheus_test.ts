/** The alerts in `deploy/prometheus`, by Prometheus's own program and beside the metrics that gots has. */
import { assertEquals, assertMatch } from "@std/assert";
import { cycleReport, exchange, mapping, toldService } from "../service/fixtures.ts";
import { FOLDER, readCases, readRules, TEST_FILES } from "./alerts.ts";
import { call, lacks } from "./tool.ts";

const RULES = `${FOLDER}prometheus-alerts.yaml`;
const rules = await readRules();
const alerts = rules.flatMap(({ alert, ...rule }) => alert ? [{ alert, ...rule }] : []);
const cases = await readCases();

/** The lines of `/metrics` of a gots that began at time 0, with every kind of series; two groups go into one team. */
async function readMetrics(): Promise<string[]> {
  const mappings = [["Engineering", "Engineers"], ["Ops", "Engineers"], ["Data", "Scientists"]]
    .map(([group = "", team = ""]) => mapping(group, team));
  const { metrics, tell } = toldService(mappings, {}, 0);
  for (const service of ["okta", "grafana"]) {
    tell(exchange(service, 0));
    tell({ kind: "rate limit", limit: { service, family: "groups", limit: 600, remaining: 500 } });
  }
  const nobody = { teamId: 1, size: 0, actions: [], holds: [], identities: new Map(), missing: undefined };
  const plans = [{ team: "Engineers", ...nobody }];
  tell({ kind: "cycle ended", report: { ...cycleReport(), startedAt: 0, endedAt: 0, plans } });
  return (await metrics.registry.metrics()).split("\n").filter((line) => /^\w/.test(line));
}

const lines = await readMetrics();

/** Runs `promtool`, which must be content. */
async function promtool(...args: string[]): Promise<void> {
  const { code, output } = await call("promtool", args);
  assertEquals(code, 0, output);
}

Deno.test("each alert has a severity, a duration, words for the operator and a runbook of its own", () => {
  for (const { alert, labels, annotations = {}, ...rule } of alerts) {
    assertMatch(labels?.severity ?? "", /^(critical|warning|info)$/, alert);
    assertMatch(rule.for ?? "", /^\d+[mh]$/, alert);
    assertEquals(Object.keys(annotations), ["summary", "description", "runbook_url"], alert);
    const { pathname } = new URL(annotations.runbook_url ?? "");
    assertEquals(pathname, `/cropalato/gots/blob/main/docs/runbooks/${alert}.md`);
  }
  assertEquals(alerts.length, 21);
});

for (const [what, fires] of [["fires", true], ["is quiet", false]] as const) {
  Deno.test(`each alert has a case in which it ${what}`, () => {
    const found = cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires);
    assertEquals(new Set(found.map(({ alertname }) => alertname)), new Set(alerts.map(({ alert }) => alert)));
  });
}

Deno.test("each metric that the rules name is one that gots has", () => {
  const known = new Set(lines.map((line) => line.split(/[{ ]/)[0]));
  const named = rules.flatMap(({ expr }) => expr.match(/(?<!:)\b(?:gots|process)_\w+\b(?!:)/g) ?? []);
  assertEquals(named.filter((name) => !known.has(name)), []);
});

Deno.test({
  name: "promtool accepts the rules and the scrape configuration",
  ignore: lacks("promtool"),
  async fn() {
    await promtool("check", "rules", "--lint=all", "--lint-fatal", RULES);
    await promtool("check", "config", `${FOLDER}prometheus.yaml`);
  },
});

for (const file of TEST_FILES) {
  Deno.test({
    name: `each alert fires and is quiet as ${file} says`,
    ignore: lacks("promtool"),
    fn: () => promtool("test", "rules", FOLDER + file),
  });
}

/** Lets the metrics stand still for some minutes, and asserts which alerts fire then. A rule that cannot be evaluated fails. */
async function assertFiring(minutes: number, expected: readonly string[]): Promise<void> {
  const input_series = lines.map((line) => {
    const [, name = "", labels, value] = line.match(/^(\w+)(?:\{(.*)\})? (\S+)$/) ?? [];
    const all = [labels, 'job="gots"', 'instance="gots:8000"'].filter((label) => label).join();
    return { series: `${name}{${all}}`, values: `${value}+0x${minutes}` };
  });
  const promql_expr_test = [{
    expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: `${minutes}m`,
    exp_samples: expected.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  }];
  const file = await Deno.makeTempFile({ prefix: "gots-alerts-", suffix: ".json" });
  try {
    const tests = [{ interval: "1m", input_series, promql_expr_test }];
    await Deno.writeTextFile(file, JSON.stringify({ rule_files: [RULES], tests }));
    await promtool("test", "rules", file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test({
  name: "a gots that has just begun alerts nobody",
  ignore: lacks("promtool"),
  fn: () => assertFiring(10, []),
});

Deno.test({
  name: "a gots that hangs in its first cycle says that it syncs nothing",
  ignore: lacks("promtool"),
  fn: () => assertFiring(20, ["GotsFreshnessBudgetBurnFast", "GotsNoSync"]),
});
