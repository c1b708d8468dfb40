/** Names from Okta and Grafana cannot forge a log line, a metric label, a terminal escape or HTML: in whole cycles. */
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { formatPlanTable } from "../../src/cli/plan_format.ts";
import { createApp } from "../../src/service/app.ts";
import { mappingReport, toldService } from "../service/fixtures.ts";
import { captureLog, mapping } from "../support.ts";
import { HOSTILE_NAMES, parseMetrics, UNSAFE } from "./names.ts";
import { type Hostile, type Outcome, withHostile } from "./service.ts";

/** An address that holds the name. */
const address = (who: string, name: string) => `${who}${name}x@example.com`;

/** A world in which everything is called so: a group, a team, who joins, leaves, waits, cannot be told apart, fails. */
function fill(name: string) {
  return ({ okta, grafana, addPerson }: Hostile) => {
    const failing = addPerson(address("failing", name));
    const twice = okta.addUser(address("Twice", name));
    grafana.state.addUser({ login: `1${name}`, email: address("twice", name) });
    grafana.state.addUser({ login: `2${name}`, email: address("TWICE", name) });
    okta.addGroup(name, [
      addPerson(address("joins", name)),
      okta.addUser(address("waits", name)),
      failing,
      twice,
    ]);
    const leaves = grafana.state.addUser({ login: address("leaves", name), email: address("leaves", name) });
    grafana.state.addTeam(name).members.set(leaves.id, 0);
    const other = okta.addGroup(`${name} (other)`);
    // The search is behind: it still has the other group under the name that it had before.
    okta.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (!new URL(request.url).searchParams.get("search")?.includes('"missing"')) return answer;
      return Response.json([...await answer.json(), { id: other.id, profile: { name: "missing" } }], answer);
    };
    const failingId = grafana.state.lookUp(failing.email ?? "")?.id;
    grafana.intercept = async (request, proceed) => {
      if (request.method !== "POST" || !request.url.endsWith("/members")) return await proceed();
      const { userId } = await request.clone().json();
      return userId === failingId
        ? Response.json({ message: `No: ${name}` }, { status: 400 })
        : await proceed();
    };
  };
}

/** Runs a cycle in which everything is called `name`. */
function withNames(name: string, format: "json" | "text", test: (outcome: Outcome) => void | Promise<void>) {
  const mappings = [mapping(name, name, { removal_limit: "off" }), mapping("missing", "Other")];
  return withHostile({ format, mappings, prepare: fill(name) }, test);
}

/** How many lines the log of such a cycle has when everything has a harmless name. */
async function harmlessLines(format: "json" | "text"): Promise<number> {
  let lines = 0;
  await withNames("Engineering", format, ({ log }) => void (lines = log.split("\n").length));
  return lines;
}

const expected = { json: await harmlessLines("json"), text: await harmlessLines("text") };
const FORMS = {
  json: /^\{"timestamp":"[\dT:.-]+Z","level":"(?:DEBUG|INFO|WARNING|ERROR)","message":"/,
  text: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (?:DEBUG|INFO|WARNING|ERROR) - /,
};

for (const [what, name] of Object.entries(HOSTILE_NAMES)) {
  for (const format of ["json", "text"] as const) {
    Deno.test(`a name with ${what} cannot forge a line of the ${format} log, nor a terminal escape in it`, () =>
      withNames(name, format, ({ log, report, grafana }) => {
        const lines = log.split("\n");
        assertEquals(lines.length, expected[format], log);
        for (const line of lines.slice(0, -1)) {
          assertFalse(UNSAFE.test(line), JSON.stringify(line));
          assert(FORMS[format].test(line), line);
        }
        const [first] = report.mappings;
        assertEquals([first?.added, first?.removed, first?.pending, first?.errors.length], [1, 1, 1, 2], log);
        assertEquals(grafana.state.membersOf(name), [address("joins", name)]);
        if (format === "text") return;
        const parsed = lines.slice(0, -1).map((line) => JSON.parse(line));
        const added = parsed.filter(({ action }) => action === "add_user" || action === "add");
        assert(
          added.some(({ user }) => user === address("joins", name)),
          "JSON gives the name back as it was",
        );
        assert(parsed.some(({ okta_group, grafana_team }) => okta_group === name && grafana_team === name));
      }));
  }

  Deno.test(`a name with ${what} cannot forge a metric, nor the label of one`, () =>
    withNames(name, "json", ({ pages }) => {
      const series = parseMetrics(pages.metrics);
      const foreign = series.filter((one) => !/^(?:gots|process)_/.test(one.name));
      assertEquals(foreign, []);
      const added = series.filter((one) => one.name === "gots_users_added_total");
      assertEquals(
        added.map(({ labels, value }) => [labels.get("okta_group"), labels.get("grafana_team"), value]),
        [
          [name.toWellFormed(), name.toWellFormed(), "1"],
          ["missing", "Other", "0"],
        ],
      );
      assertFalse(pages.metrics.includes("example.com"), "people are in no metric");
    }));

  Deno.test(`a name with ${what} is a key of /health as it is, and cannot forge another`, () =>
    withNames(name, "json", ({ pages }) => {
      const health = JSON.parse(pages.health);
      assertEquals(Object.keys(health.sync_status), [`${name}->${name}`, "missing->Other"]);
      assertEquals(health.sync_status[`${name}->${name}`].status, "failed");
      assertEquals(health.status, "degraded");
      assertFalse(pages.health.includes("example.com"), "people are on no page");
    }));

  Deno.test(`a name with ${what} puts no terminal escape into /health`, () =>
    withNames(
      name,
      "json",
      ({ pages }) => assertFalse(UNSAFE.test(pages.health), JSON.stringify(pages.health)),
    ));

  Deno.test(`a name with ${what} cannot forge a row of the plan's table, nor a terminal escape in it`, () =>
    withNames(name, "json", ({ report }) => {
      const lines = formatPlanTable(report, false).split("\n");
      // What goes on in another line begins with blanks there.
      assertEquals(
        lines.filter((line) => !line.startsWith("  ")).length,
        1 + 2 + 1 + 1 + 1,
        "head, two additions, one removal, one pending, one ambiguous",
      );
      for (const line of lines) assertFalse(UNSAFE.test(line), JSON.stringify(line));
      // deno-lint-ignore no-control-regex
      const colours = formatPlanTable(report, true).replaceAll(/^\x1b\[3[123]m(.*)\x1b\[0m$/gm, "$1");
      assertEquals(
        colours,
        lines.join("\n"),
        "the program's own colours stand at the ends of lines alone",
      );
    }));
}

Deno.test("a page that shows HTML from outside is never HTML: /health is JSON that no browser takes for a page", async () => {
  const html = HOSTILE_NAMES["HTML"] ?? "";
  const mappings = [mapping(html, html)];
  const service = toldService(mappings);
  for (const one of mappings) {
    service.tell({ kind: "mapping ended", report: mappingReport(one, { errors: [{ message: html }] }) });
  }
  const app = createApp({ ...service, log: captureLog().log });
  for (
    const [path, type] of [["/health", "application/json"], ["/metrics", "text/plain"], [
      `/${html}`,
      "text/plain",
    ]]
  ) {
    const { headers } = await app.request(path ?? "");
    assert(headers.get("content-type")?.startsWith(type ?? ""), `${path}: ${headers.get("content-type")}`);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertMatch(headers.get("content-security-policy") ?? "", /^default-src 'none'; /);
  }
});
