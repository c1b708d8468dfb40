/** Odd data: one person in several groups. */
import { assertEquals } from "@std/assert";
import type { OktaUserStatus } from "../../src/config/schema.ts";
import { fits, summary, withCycles } from "../sync/cycle_world.ts";

const SETTINGS = {
  mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "T" }],
};

/** The status with which each group shows Bob; Okta has one, and may show an old one for a moment. */
const STATUSES: readonly (readonly [says: string, a: OktaUserStatus, b: OktaUserStatus, stays: boolean])[] = [
  ["suspended in neither", "ACTIVE", "ACTIVE", true],
  ["suspended in one", "SUSPENDED", "ACTIVE", true],
  ["suspended in the other one", "ACTIVE", "SUSPENDED", true],
  ["suspended in both", "SUSPENDED", "SUSPENDED", false],
];

for (const [says, a, b, stays] of STATUSES) {
  Deno.test(`the same user in two groups of one team, ${says}: they ${stays ? "stay" : "leave"}, once`, () =>
    withCycles(SETTINGS, async ({ world, cycle, writes }) => {
      const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
      const ids = ["A", "B"].map((name) => world.okta.addGroup(name, [alice, bob]).id);
      assertEquals(summary(await cycle()), ["A->T: +2 -0", "B->T: +0 -0"]);
      world.okta.intercept = (request, proceed) => {
        const at = ids.findIndex((id) => fits(request, "GET", new RegExp(`/groups/${id}/users$`)));
        if (at >= 0) bob.status = at === 0 ? a : b;
        return proceed();
      };
      writes();
      assertEquals(summary(await cycle()), [`A->T: +0 -${stays ? 0 : 1}`, "B->T: +0 -0"]);
      assertEquals(writes().length, stays ? 0 : 1);
      const expected = ["alice@example.com", ...stays ? ["bob@example.com"] : []];
      assertEquals(world.grafana.state.membersOf("T"), expected);
    }));
}

Deno.test("a user who is suspended in one group and gone from the other leaves, and the reason is the status", () =>
  withCycles(SETTINGS, async ({ world, cycle, captured }) => {
    const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
    for (const name of ["A", "B"]) world.okta.addGroup(name, [alice, bob]);
    await cycle();
    world.okta.group("A").members.delete(bob);
    bob.status = "SUSPENDED";
    await cycle();
    const removal = captured.lines().find(({ action }) => action === "remove");
    assertEquals([removal?.user, removal?.why], ["bob@example.com", "SUSPENDED in Okta"]);
  }));

Deno.test("two people of Okta with one email are one user of Grafana, and the one who leaves does not take the other along", () =>
  withCycles(SETTINGS, async ({ world, cycle }) => {
    const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
    const again = world.okta.addUser("bob@example.com", { login: "bob.again@example.com" });
    world.okta.addGroup("A", [alice, bob]);
    world.okta.addGroup("B", [alice, again]);
    assertEquals(summary(await cycle()), ["A->T: +2 -0", "B->T: +0 -0"]);
    world.okta.group("A").members.delete(bob);
    assertEquals(summary(await cycle()), ["A->T: +0 -0", "B->T: +0 -0"]);
    world.okta.group("B").members.delete(again);
    assertEquals(summary(await cycle()), ["A->T: +0 -1", "B->T: +0 -0"]);
  }));
