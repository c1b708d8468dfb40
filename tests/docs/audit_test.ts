/** `docs/AUDIT.md` is held to what the log says. */
import { parser } from "@grafana/lezer-logql";
import { assert, assertEquals } from "@std/assert";
import { AUDIT_ACTIONS, AUDIT_OUTCOMES, AUDIT_VERSION } from "../../src/observability/audit.ts";
import type { World } from "../../src/simulation/world.ts";
import { mapping } from "../service/fixtures.ts";
import { withService } from "../service/running.ts";
import { fencesOf, readDocument } from "./fences.ts";

const AUDIT = await readDocument("docs/AUDIT.md");

/** The first cells of a table's rows, and the second ones, without code marks. */
function table(head: string): Map<string, string> {
  const [, body = ""] = AUDIT.split(new RegExp(`^\\| ${head} .*\\n\\|[-| ]*\\n`, "m"));
  const rows = body.split("\n\n")[0]?.split("\n").filter((line) => line.startsWith("|")) ?? [];
  return new Map(rows.map((row) => {
    const [, first = "", second = ""] = row.split("|").map((cell) => cell.trim());
    return [first.replaceAll("`", ""), second];
  }));
}

/** Someone is added, someone removed, someone on hold. */
function fill(world: World): void {
  world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
  const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
  world.grafana.state.addTeam("Engineers").members.set(carol.id, 0);
  world.okta.addGroup("Data", [world.addPerson("bob@example.com")]);
}

Deno.test("the tables of actions and outcomes name all there are", () => {
  assertEquals([...table("`action`").keys()], [...AUDIT_ACTIONS]);
  assertEquals([...table("`outcome`").keys()], [...AUDIT_OUTCOMES]);
});

Deno.test("the sample is what the log writes for a removal, and every field of an audit line is described", async () => {
  const [sample = ""] = fencesOf(AUDIT, "json");
  const fields = table("field");
  await withService({
    mappings: [mapping("Engineering", "Engineers"), mapping("Data", "Scientists")],
    fill,
  }, async ({ world, captured, cycleEnds, nextCycle }) => {
    await cycleEnds();
    world.okta.group("Data").members.clear();
    world.okta.group("Engineering").members.add(world.addPerson("dave@example.com"));
    world.grafana.intercept = (request, proceed) =>
      request.method === "POST" ? Response.json({ message: "no" }, { status: 422 }) : proceed();
    await nextCycle();
    const lines = captured.lines().filter(({ audit }) => audit !== undefined);
    assertEquals(
      [...new Set(lines.map(({ action, outcome }) => `${action} ${outcome}`))].sort(),
      ["add done", "add failed", "create_team done", "remove done", "remove on_hold"],
    );
    for (const line of lines) {
      assertEquals(line.audit, AUDIT_VERSION);
      for (const field of Object.keys(line)) assert(fields.has(field), `${field} is not described`);
      for (const [field, when] of fields) {
        if (when.startsWith("yes")) assert(field in line, `${field} is missing in ${JSON.stringify(line)}`);
      }
    }
    const removal = lines.find(({ action, outcome }) => action === "remove" && outcome === "done");
    assertEquals(Object.keys(JSON.parse(sample)), Object.keys(removal ?? {}));
  });
});

Deno.test("the queries for Loki are LogQL", async (t) => {
  const queries = fencesOf(AUDIT, "logql");
  assertEquals(queries.length, 3);
  for (const query of queries) {
    await t.step(query.trim(), () => {
      let errors = 0;
      parser.parse(query).iterate({
        enter: ({ type }) => {
          if (type.isError) errors++;
        },
      });
      assertEquals(errors, 0);
    });
  }
});
