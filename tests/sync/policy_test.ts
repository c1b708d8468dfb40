/** Who stays although no group says so: `policy`, `protected_users`, `keep_team_admins`. */
import { assertEquals } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { type CycleSettings, holdReason, keptIn, refuse, summary, withCycles } from "./cycle_world.ts";

const A = { okta_group: "A", grafana_team: "T" };
const B = { okta_group: "B", grafana_team: "T" };

interface Leaver {
  readonly email: string;
  readonly login?: string;
  readonly permission?: number;
}

/** Alice belongs; the leaver is in the team and in no group. Gives what the next cycle kept, removed and said. */
async function cycleWith(leaver: Leaver, settings: CycleSettings) {
  let outcome: { kept: string[]; success: boolean; inTeam: boolean; said: string[] } | undefined;
  await withCycles(settings, async ({ world, cycle, messages, writes }) => {
    const alice = world.addPerson("alice@example.com");
    for (const { okta_group = "" } of settings.mappings) world.okta.addGroup(okta_group, [alice]);
    const { email, login = email, permission = 0 } = leaver;
    const { id } = world.grafana.state.addUser({ email, login });
    const { members } = world.grafana.state.addTeam("T");
    members.set(id, permission);
    const { plans, mappings } = await cycle();
    outcome = {
      kept: plans.flatMap(keptIn).map((one) => one.join(": ")),
      success: mappings.every(isSuccess),
      inTeam: members.has(id),
      said: messages().filter((line) => line.includes("kept although")),
    };
    writes();
    await cycle();
    assertEquals(writes(), [], "the next cycle writes nothing");
    assertEquals(messages().filter((line) => line.includes("kept although")), [], "and tells it no more");
    assertEquals(members.get(id), members.has(id) ? permission : undefined, "an admin stays an admin");
  });
  return outcome;
}

const BOB = "bob@example.com";
const ADMIN = { email: BOB, permission: 4 };
const KEPT: readonly (readonly [says: string, Leaver, CycleSettings, reason: string | undefined])[] = [
  ["nothing", { email: BOB }, { mappings: [A] }, undefined],
  ["protected_users by email", { email: BOB, login: "bob" }, {
    mappings: [A],
    sync: { protected_users: [BOB] },
  }, "protected"],
  ["protected_users by login", { email: BOB, login: "bob" }, {
    mappings: [A],
    sync: { protected_users: ["bob"] },
  }, "protected"],
  ["protected_users in another case and with blanks", { email: BOB, login: "bob" }, {
    mappings: [A],
    sync: { protected_users: ["  BOB@Example.COM "] },
  }, "protected"],
  ["protected_users in another Unicode form", { email: "zo\u00eb@example.com" }, {
    mappings: [A],
    sync: { protected_users: ["zoe\u0308@example.com"] },
  }, "protected"],
  ["protected_users by login, without an email", { email: "", login: "Robot" }, {
    mappings: [A],
    sync: { protected_users: ["robot"] },
  }, "protected"],
  ["a plus-tag of a protected user", { email: "bob+x@example.com" }, {
    mappings: [A],
    sync: { protected_users: [BOB] },
  }, undefined],
  ["a blank protected user, who has no email", { email: "", login: "robot" }, {
    mappings: [A],
    sync: { protected_users: [" "] },
  }, undefined],
  ["an admin of the team, without the setting", ADMIN, { mappings: [A] }, undefined],
  ["keep_team_admins", ADMIN, { mappings: [A], sync: { keep_team_admins: true } }, "team-admin"],
  ["keep_team_admins and a mere member", { email: BOB }, {
    mappings: [A],
    sync: { keep_team_admins: true },
  }, undefined],
  ["sync.policy add-only", { email: BOB }, { mappings: [A], sync: { policy: "add-only" } }, "add-only"],
  ["the mapping's policy add-only", { email: BOB }, { mappings: [{ ...A, policy: "add-only" }] }, "add-only"],
  ["the mapping's policy sync under sync.policy add-only", { email: BOB }, {
    mappings: [{ ...A, policy: "sync" }],
    sync: { policy: "add-only" },
  }, undefined],
  ["two mappings, the second one add-only", { email: BOB }, {
    mappings: [A, { ...B, policy: "add-only" }],
  }, "add-only"],
];

for (const [says, leaver, settings, reason] of KEPT) {
  Deno.test(`${says}: who left the groups is ${reason ? `kept (${reason}), which is no failure` : "removed"}`, async () => {
    const address = leaver.email || leaver.login;
    assertEquals(await cycleWith(leaver, settings), {
      kept: reason ? [`${address}: ${reason}`] : [],
      success: true,
      inTeam: reason !== undefined,
      said: reason ? [`INFO Team T: kept although they are in no mapped group: ${address} (${reason})`] : [],
    });
  });
}

Deno.test("add-only adds", () =>
  withCycles({ mappings: [{ ...A, policy: "add-only" }] }, async ({ world, cycle }) => {
    world.okta.addGroup("A", [world.addPerson(BOB)]);
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
  }));

Deno.test("an add-only team whose group is empty, or mostly left, has nothing on hold", () =>
  withCycles({ mappings: [A], sync: { policy: "add-only" } }, async ({ world, cycle, messages }) => {
    const people = Array.from({ length: 6 }, (_, i) => world.addPerson(`p${i}@example.com`));
    const { members } = world.okta.addGroup("A", people);
    await cycle();
    messages();
    members.clear();
    const report = await cycle();
    assertEquals([summary(report), report.mappings.map(isSuccess)], [["A->T: +0 -0"], [true]]);
    assertEquals(report.plans.map((plan) => [keptIn(plan).length, holdReason(plan)]), [[6, undefined]]);
    assertEquals(messages().filter((line) => !line.startsWith("INFO")), []);
  }));

Deno.test("add-only in one team does not keep anybody in another", () =>
  withCycles(
    { mappings: [{ ...A, policy: "add-only" }, { okta_group: "A", grafana_team: "U" }] },
    async ({ world, cycle }) => {
      const bob = world.addPerson(BOB);
      const { members } = world.okta.addGroup("A", [world.addPerson("alice@example.com"), bob]);
      await cycle();
      members.delete(bob);
      assertEquals(summary(await cycle()), ["A->T: +0 -0", "A->U: +0 -1"]);
    },
  ));

Deno.test("whoever is kept does not count towards the limit", () =>
  withCycles({ mappings: [A], sync: { protected_users: ["p0@example.com"] } }, async ({ world, cycle }) => {
    const people = Array.from({ length: 6 }, (_, i) => world.addPerson(`p${i}@example.com`));
    const { members } = world.okta.addGroup("A", people);
    await cycle();
    for (const user of people.slice(0, 4)) members.delete(user);
    assertEquals(summary(await cycle()), ["A->T: +0 -3"]);
  }));

Deno.test("protected users stay when the group cannot be read, and are not on hold", () =>
  withCycles(
    { mappings: [A, B], sync: { protected_users: [BOB] } },
    async ({ world, cycle }) => {
      const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson(BOB)];
      world.okta.addGroup("A", [alice]);
      const { id, members } = world.okta.addGroup("B", [alice, bob]);
      await cycle();
      members.delete(bob);
      world.okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), 500);
      const { plans } = await cycle();
      assertEquals(plans.map((plan) => [keptIn(plan).length, holdReason(plan)]), [[1, undefined]]);
    },
  ));
