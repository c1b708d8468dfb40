/** The queries of the runbooks, as Prometheus reads them. */
import { assertEquals } from "@std/assert";
import { stringify } from "@std/yaml";
import { fencesOf } from "../docs/fences.ts";
import { readMarkdown } from "../docs/markdown.ts";
import { directoryWith } from "../support.ts";
import { call, lacks } from "./tool.ts";

Deno.test({
  name: "Prometheus takes every query of the runbooks",
  ignore: lacks("promtool"),
  async fn() {
    const runbooks = await readMarkdown("docs/runbooks/");
    const queries = runbooks.flatMap(({ text }) => fencesOf(text, "promql"));
    const rules = queries.map((expr, i) => ({ record: `query:${i}`, expr }));
    const directory = await directoryWith({
      "rules.yaml": stringify({ groups: [{ name: "runbooks", rules }] }),
    });
    const { code, output } = await call("promtool", ["check", "rules", `${directory}/rules.yaml`]);
    assertEquals(code, 0, output);
    await Deno.remove(directory, { recursive: true });
  },
});
