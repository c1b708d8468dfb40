/** The `jq` commands of `docs/AUDIT.md`, run on the log of a service. */
import { assertEquals } from "@std/assert";
import type { World } from "../../src/simulation/world.ts";
import { fencesOf, readDocument } from "../docs/fences.ts";
import { mapping } from "../service/fixtures.ts";
import { withService } from "../service/running.ts";
import { directoryWith } from "../support.ts";
import { call, lacks } from "./tool.ts";

const [removed, person, counted, onHold] = fencesOf(await readDocument("docs/AUDIT.md"), "sh");

function fill(world: World): void {
  const [alice, bob] = ["alice.moore", "bob.stone"].map((name) => world.addPerson(`${name}@example.com`));
  if (!alice || !bob) throw new TypeError("there are two");
  world.okta.addGroup("Engineering", [alice, bob]);
  world.okta.addGroup("Data", [bob]);
}

/** The log of a service in which Bob left one team, and is on hold in the other. */
async function logOfService(): Promise<string> {
  const mappings = [mapping("Engineering", "Engineers"), mapping("Data", "Scientists")];
  let text = "";
  await withService({ mappings, fill }, async ({ world, captured, cycleEnds, nextCycle }) => {
    await cycleEnds();
    const [, bob] = world.okta.group("Engineering").members;
    if (bob) world.okta.group("Engineering").members.delete(bob);
    world.okta.group("Data").members.clear();
    await nextCycle();
    text = captured.lines().map((line) => `${JSON.stringify(line)}\n`).join("");
  });
  return `what another program wrote\n${text}`;
}

Deno.test({
  name: "the jq commands of the audit's document say who, when and why",
  ignore: lacks("jq"),
  async fn(t) {
    const cwd = await directoryWith({ "gots.log": await logOfService() });
    const says = async (command = "") => {
      const { code, output } = await call("bash", ["-c", command], { cwd });
      assertEquals(code, 0, output);
      return output.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "T").replaceAll(/\b[\da-f]{8}\b/g, "RUN");
    };
    const why = "not in Okta group 'Engineering'";
    await t.step("who was removed", async () => {
      assertEquals(await says(removed), `T\tbob.stone@example.com\t${why}\tRUN\t2\n`);
    });
    await t.step("about one person", async () => {
      const lines = (await says(person)).trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(
        lines.map(({ action, outcome, grafana_team }) => [action, outcome, grafana_team].join(" ")),
        [
          "add done Engineers",
          "add done Scientists",
          "remove done Engineers",
          "remove on_hold Scientists",
        ],
      );
    });
    await t.step("how many changes each cycle made", async () => {
      assertEquals(JSON.parse(await says(counted)), [{ run: "RUN", cycle: 1, changes: 5 }, {
        run: "RUN",
        cycle: 2,
        changes: 1,
      }]);
    });
    await t.step("what is on hold", async () => {
      assertEquals(
        await says(onHold),
        `"T","Scientists","bob.stone@example.com","empty-group","not in Okta group 'Data'"\n`,
      );
    });
    await Deno.remove(cwd, { recursive: true });
  },
});
