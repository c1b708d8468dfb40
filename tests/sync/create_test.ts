/** Who is created, as what, and who is not. */
import { assert, assertEquals } from "@std/assert";
import { outlookOf, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";
import { ANN, CREATING, ENGINEERS } from "./newcomers.ts";

Deno.test("a created user has email, login and name from Okta, the role, their team only, and a line for the audit", () =>
  withCycles(
    {
      mappings: [...ENGINEERS, mapping("Data", "Scientists")],
      grafana: { ...CREATING, new_user_role: "Editor" },
    },
    async (cycles) => {
      const { world, cycle, captured } = cycles;
      world.okta.addGroup("Data");
      world.okta.addGroup("Engineering", [
        world.okta.addUser(ANN, { login: "alee", firstName: "Ann", lastName: "Lee" }),
      ]);
      await cycle();
      const { state } = world.grafana;
      const ann = state.lookUp(ANN);
      assertEquals([ann?.login, ann?.name, [...ann?.orgs ?? []]], ["alee", "Ann Lee", [[1, "Editor"]]]);
      assertEquals([state.membersOf("Engineers"), state.membersOf("Scientists")], [[ANN], []]);
      const { timestamp: _, run: __, ...line } = captured.lines().find(({ action }) =>
        action === "create_user"
      ) ?? {};
      assertEquals(line, {
        level: "INFO",
        message: `Created user ${ANN}`,
        cycle: 1,
        okta_group: "Engineering",
        grafana_team: "Engineers",
        user: ANN,
        user_id: ann?.id,
        audit: 1,
        action: "create_user",
        outcome: "done",
        why: "in Okta group 'Engineering'",
      });
      cycles.writes();
      assertEquals(
        summary(await cycle()),
        ["Engineering->Engineers: +0 -0", "Data->Scientists: +0 -0"],
      );
      assertEquals(cycles.writes(), []);
    },
  ));

for (const role of ["Viewer", "Editor", "Admin", "None"] as const) {
  for (const org of [true, false]) {
    Deno.test(`new_user_role ${role} holds where Grafana ${org ? "assigns Editors to the organisation" : "gives each new user an own organisation"}`, () =>
      withCycles(
        { mappings: ENGINEERS, grafana: { ...CREATING, new_user_role: role } },
        async ({ world, cycle }) => {
          world.grafana.state.autoAssign = { org, role: "Editor" };
          world.okta.addGroup("Engineering", [world.okta.addUser(ANN)]);
          assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
          assertEquals(world.grafana.state.lookUp(ANN)?.orgs.get(1), role);
        },
      ));
  }
}

for (
  const [login, made] of [["alee", "alee"], ["ANN.LEE@example.com", "ANN.LEE@example.com"], [
    "ceo@example.com",
    ANN,
  ]] as const
) {
  Deno.test(`the Okta login ${login} becomes the login ${made}: nobody gets another person's address`, () =>
    withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle }) => {
      world.okta.addGroup("Engineering", [world.okta.addUser(ANN, { login })]);
      await cycle();
      assertEquals(world.grafana.state.users.get(2)?.login, made);
    }));
}

Deno.test("two Okta users with one email get one account, and both are in the team by it", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("Engineering", [
      world.okta.addUser(ANN, { login: "ann" }),
      world.okta.addUser(ANN, { login: "ann.admin", email: "Ann.Lee@example.com" }),
    ]);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
    assertEquals(writes().filter((write) => write.endsWith("admin/users")).length, 1);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0"]);
    assertEquals(writes(), []);
  }));

Deno.test("nobody is created without an email", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("Engineering", [
      world.okta.addUser("robot", { email: null }),
      world.okta.addUser("blank", { email: "  " }),
    ]);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 2 pending"]);
    assertEquals(writes().filter((write) => write.endsWith("users")), []);
  }));

Deno.test("whoever left the group is not created, and a created user who leaves it keeps the account", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle, writes }) => {
    const group = world.okta.addGroup("Engineering", [
      world.okta.addUser(ANN),
      world.addPerson("bob@example.com"),
    ]);
    await cycle();
    writes();
    group.members.delete([...group.members][0] ?? world.okta.addUser("x"));
    await cycle();
    assertEquals(world.grafana.state.membersOf("Engineers"), ["bob@example.com"]);
    assert(world.grafana.state.lookUp(ANN), "nothing is deleted");
    assertEquals(writes().filter((write) => write.startsWith("DELETE")), ["DELETE /api/teams/1/members/3"]);
  }));

for (const dry_run of [false, true]) {
  Deno.test(`whoever is renamed in Okta alone gets no second account${dry_run ? ", not in a dry run either" : ""}`, () =>
    withCycles({ mappings: ENGINEERS, grafana: CREATING, sync: { dry_run } }, async ({ world, cycle }) => {
      world.grafana.state.signIn({ email: ANN, login: ANN, name: "Ann", authId: "ann" });
      const ann = world.okta.addUser(ANN);
      world.okta.addGroup("Engineering", [ann]);
      await cycle();
      Object.assign(ann, { email: "ann.smith@example.com", login: "ann.smith@example.com" });
      const report = await cycle();
      assertEquals(summary(report), ["Engineering->Engineers: +0 -0, 1 pending"]);
      assertEquals([...outlookOf(report)], []);
      assertEquals(world.grafana.state.users.size, 2);
      if (dry_run) return;
      assertEquals(world.grafana.state.membersOf("Engineers"), [ANN]);
      world.grafana.state.signIn({ email: ann.email ?? "", login: ann.login, name: "Ann", authId: "ann" });
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0"]);
      assertEquals(world.grafana.state.membersOf("Engineers"), ["ann.smith@example.com"]);
    }));
}
