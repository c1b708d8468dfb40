/** A team that something else writes is left alone. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import { errorsOf, summary, withCycles } from "./cycle_world.ts";

const MAPPINGS = [{ okta_group: "A", grafana_team: "T" }, { okta_group: "A", grafana_team: "U" }];

const FOREIGN: readonly (readonly [says: string, marks: Partial<SimulatedTeam>, by: string])[] = [
  ["provisioned", { isProvisioned: true }, "provisioned"],
  ["synced by LDAP", { syncedBy: "LDAP" }, "synced by LDAP"],
];

for (const [says, marks, by] of FOREIGN) {
  Deno.test(`a team that is ${says} is left alone, with a message, and the others go on`, () =>
    withCycles({ mappings: MAPPINGS }, async ({ world, cycle, writes }) => {
      const { state } = world.grafana;
      const bob = state.addUser({ login: "bob", email: "bob@example.com" });
      const team = Object.assign(state.addTeam("T"), marks);
      team.members.set(bob.id, 0);
      world.okta.addGroup("A", [world.addPerson("alice@example.com")]);

      const report = await cycle({ allowRemovals: new Set(["T"]) });
      assertEquals(summary(report), ["A->T: +0 -0, 1 errors", "A->U: +1 -0"]);
      assertStringIncludes(
        errorsOf(report)[0] ?? "",
        `Grafana team 'T' is ${by}: gots left it alone. Remove its mappings from the configuration, or end`,
      );
      assertEquals(writes().filter((line) => line.includes(`/teams/${team.id}`)), []);
      assertEquals(state.membersOf("T"), ["bob@example.com"]);
      assertEquals(state.membersOf("U"), ["alice@example.com"]);
    }));
}

Deno.test("a team that says it is not provisioned, and has members without labels, is synced", () =>
  withCycles({ mappings: MAPPINGS.slice(0, 1) }, async ({ world, cycle }) => {
    world.grafana.state.addTeam("T").isProvisioned = false;
    world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
  }));

Deno.test("a team that is not foreign any more is synced again", () =>
  withCycles({ mappings: MAPPINGS.slice(0, 1) }, async ({ world, cycle }) => {
    const team = Object.assign(world.grafana.state.addTeam("T"), { isProvisioned: true });
    world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
    await cycle();
    team.isProvisioned = false;
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
  }));
