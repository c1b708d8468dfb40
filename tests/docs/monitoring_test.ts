/** `docs/MONITORING.md` is held to what the program shows. */
import { assertEquals } from "@std/assert";
import { mapping, toldService } from "../service/fixtures.ts";
import { withService } from "../service/running.ts";
import { readDocument } from "./fences.ts";

const MONITORING = await readDocument("docs/MONITORING.md");

Deno.test("the table of metrics names each one with its type and labels", async () => {
  const { registry } = toldService([]).metrics;
  const shown = (await registry.getMetricsAsJSON()).map(({ name, type }) => {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    return [name, String(type), labelNames.join(", ")];
  });
  const rows = MONITORING.split("\n").filter((line) => /^\| `(?:gots|process)_/.test(line));
  const described = rows.map((row) =>
    row.replaceAll("`", "").split("|").slice(1, 4).map((cell) => cell.trim())
  );
  const sorted = (all: string[][]) => all.map((one) => one.join(" · ")).sort();
  assertEquals(sorted(described), sorted(shown));
});

Deno.test("every field of /api/status is described", async () => {
  await withService({
    mappings: [mapping("A", "T")],
    fill: (world) => void world.okta.addGroup("A", [world.addPerson("alice@example.com")]),
  }, async ({ url, cycleEnds }) => {
    await cycleEnds();
    const board = await (await fetch(`${url}/api/status`)).json();
    const [, section = ""] = MONITORING.split("### The JSON of `/api/status`");
    const described = new Set(
      [...section.split("\n## ")[0]?.matchAll(/[a-z_]+/g) ?? []].map(([word]) => word),
    );
    const names = [board, board.mappings[0], board.last_cycle, board.rate_limits[0], board.changes[0]]
      .flatMap(
        Object.keys,
      );
    assertEquals(names.filter((name) => !described.has(name)), []);
  });
});
