/** A group in which Okta shows people whose status does not belong is no empty group. */
import { assertEquals } from "@std/assert";
import type { OktaUserStatus } from "../../src/config/schema.ts";
import { holdReason, summary, withCycles } from "./cycle_world.ts";
import { emails } from "./fixtures.ts";

const SETTINGS = { mappings: [{ okta_group: "A", grafana_team: "T" }] };

/** A team of so many people, all of whom get this status; what the next cycle does. */
async function afterAll(status: OktaUserStatus, count: number) {
  const seen = { did: "", team: 0, why: [] as unknown[], reason: undefined as string | undefined };
  await withCycles(SETTINGS, async ({ world, cycle, captured }) => {
    const people = emails(1, count).map((email) => world.addPerson(email));
    world.okta.addGroup("A", people);
    await cycle();
    for (const person of people) person.status = status;
    const report = await cycle();
    seen.did = summary(report).join();
    seen.team = world.grafana.state.membersOf("T").length;
    seen.reason = report.plans.map(holdReason)[0];
    seen.why = captured.lines().filter(({ action, outcome }) => action === "remove" && outcome === "done")
      .map(({ why }) => why);
  });
  return seen;
}

for (const status of ["SUSPENDED", "DEPROVISIONED"] as const) {
  Deno.test(`everybody in a group is ${status}: they leave the team, and the audit says why`, async () => {
    const seen = await afterAll(status, 2);
    assertEquals([seen.did, seen.team], ["A->T: +0 -2", 0]);
    assertEquals(seen.why, [`${status} in Okta`, `${status} in Okta`]);
  });
}

Deno.test("everybody in a large group is SUSPENDED: the removal limit still holds them", async () => {
  const seen = await afterAll("SUSPENDED", 6);
  assertEquals([seen.did, seen.team, seen.reason], ["A->T: +0 -0, 6 on hold", 6, "removal-limit"]);
});
