/** `okta_group_id`: a group that is found by its id, whatever its name. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { errorsOf, holdReason, summary, withCycles } from "./cycle_world.ts";

const ALICE = "alice@example.com";

Deno.test("a group is found by its id, and called by the name that its mapping gives", () =>
  withCycles(
    { mappings: [{ okta_group: "Anything", okta_group_id: "00g000001", grafana_team: "T" }] },
    async ({ world, cycle, messages }) => {
      world.okta.addGroup("Real name", [world.addPerson(ALICE)]);
      assertEquals(summary(await cycle()), ["Anything->T: +1 -0"]);
      assert(messages().includes("INFO Found 1 members in Okta group 'Anything'"));
      assertEquals(world.okta.received.filter(({ path }) => path.includes("search=")), []);
    },
  ));

Deno.test("without an okta_group the id is the group's name in the log", () =>
  withCycles({ mappings: [{ okta_group_id: "00g000001", grafana_team: "T" }] }, async ({ world, cycle }) => {
    world.okta.addGroup("Real name", [world.addPerson(ALICE)]);
    assertEquals(summary(await cycle()), ["00g000001->T: +1 -0"]);
  }));

Deno.test("a group that is found by its id may be renamed", () =>
  withCycles({ mappings: [{ okta_group_id: "00g000001", grafana_team: "T" }] }, async ({ world, cycle }) => {
    const group = world.okta.addGroup("Before", [world.addPerson(ALICE)]);
    await cycle();
    group.name = "After";
    assertEquals(summary(await cycle()), ["00g000001->T: +0 -0"]);
  }));

for (const beside of [false, true]) {
  const where = beside ? "one of a team's groups" : "a team's only group";
  Deno.test(`${where} whose id has vanished removes nobody, and the error says the id and what to do`, () =>
    withCycles({
      mappings: [
        { okta_group: "Gone", okta_group_id: "00g000001", grafana_team: "T" },
        ...beside ? [{ okta_group: "B", grafana_team: "T" }] : [],
      ],
      sync: { incremental: false },
    }, async ({ world, cycle, writes }) => {
      world.okta.addGroup("A", [world.addPerson(ALICE)]);
      world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
      await cycle();
      writes();
      world.okta.groups.shift();
      const report = await cycle({ allowRemovals: new Set(["T"]) });
      assertMatch(
        errorsOf(report)[0] ?? "",
        /^Gone: Group not found: 00g000001: it was deleted, or the credential cannot see it/,
      );
      const reasons = report.plans.map(holdReason);
      assertEquals([reasons, writes()], [beside ? ["incomplete-read"] : [], []]);
    }));
}

Deno.test("a group whose name has vanished removes nobody, although its mapping has allow_empty", () =>
  withCycles(
    {
      mappings: [
        { okta_group: "A", grafana_team: "T", allow_empty: true },
        { okta_group: "B", grafana_team: "T" },
      ],
      sync: { incremental: false },
    },
    async ({ world, cycle, writes }) => {
      const alice = world.addPerson(ALICE);
      world.okta.addGroup("A", [world.addPerson("bob@example.com")]);
      world.okta.addGroup("B", [alice]);
      await cycle();
      writes();
      world.okta.groups.shift();
      const { plans } = await cycle();
      assertEquals([plans.map(holdReason), writes()], [["incomplete-read"], []]);
    },
  ));

Deno.test("two Okta groups of one name: an error that shows their ids and asks for okta_group_id", () =>
  withCycles({ mappings: [{ okta_group: "A", grafana_team: "T" }] }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("A", [world.addPerson(ALICE)]);
    await cycle();
    writes();
    world.okta.addGroup("A", [world.addPerson("bob@example.com")]);
    const report = await cycle();
    assertEquals(errorsOf(report), [
      "A: 2 Okta groups are named 'A' (00g000001, 00g000002): set okta_group_id in the mapping " +
      "to the id of the right one",
    ]);
    assertEquals(writes(), []);
  }));

Deno.test("of two Okta groups of one name, the id takes the right one, and both can be mapped", () =>
  withCycles({
    mappings: [
      { okta_group: "A (sales)", okta_group_id: "00g000002", grafana_team: "T" },
      { okta_group: "A", okta_group_id: "00g000001", grafana_team: "U" },
    ],
  }, async ({ world, cycle }) => {
    world.okta.addGroup("A", [world.addPerson(ALICE)]);
    world.okta.addGroup("A", [world.addPerson("bob@example.com")]);
    assertEquals(summary(await cycle()), ["A (sales)->T: +1 -0", "A->U: +1 -0"]);
    assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com"]);
    assertEquals(world.grafana.state.membersOf("U"), [ALICE]);
  }));
