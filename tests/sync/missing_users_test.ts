/** Whole cycles with people whom Grafana does not know: who waits, who is created, and who can sign in afterwards. */
import { assert, assertEquals } from "@std/assert";
import { outlookOf, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";
import {
  ANN,
  canSignIn,
  CREATING,
  ENGINEERS,
  fill,
  GRAFANAS,
  isOf,
  type Kind,
  PASSWORD,
  warnings,
} from "./newcomers.ts";

for (const missing_users of ["auto", "create", "wait"] as const) {
  for (const way of ["token", "password"] as const) {
    for (const kind of Object.keys(GRAFANAS) as Kind[]) {
      const lets = kind === "lets them sign in" || kind === "is older than the lock-out";
      const created = way === "password" && (missing_users === "create" || missing_users === "auto" && lets);
      const title = created ? "is created and in the team" : "is pending";
      Deno.test(`${missing_users} with a ${way}, and Grafana ${kind}: whom Grafana does not know ${title}`, () =>
        withCycles(
          { mappings: ENGINEERS, grafana: { missing_users, ...(way === "password" ? PASSWORD : {}) } },
          async (cycles) => {
            fill(cycles, kind);
            const { state } = cycles.world.grafana;
            const report = await cycles.cycle();
            const isRefused = missing_users === "create" && way === "token";
            const [added, pending] = [
              Number(created) + Number(missing_users !== "wait"),
              Number(!created) + Number(missing_users === "wait"),
            ];
            assertEquals(summary(report), [
              `Engineering->Engineers: +${added} -0` + (pending ? `, ${pending} pending` : "") +
              (isRefused ? ", 1 errors" : ""),
            ]);
            const team = [...created ? [ANN] : [], ...missing_users === "wait" ? [] : ["bob@example.com"]];
            assertEquals(state.membersOf("Engineers"), team);
            const said = warnings(cycles);
            assertEquals(
              isOf(said, "auth.oauth_allow_insecure_email_lookup"),
              missing_users === "create" && way === "password" && !lets,
            );
            assertEquals(isOf(said, "pending"), pending > 0);
            const written = cycles.writes();
            assertEquals(written.includes("POST /api/admin/users"), created);
            assertEquals(written.includes("POST /api/org/users"), missing_users !== "wait");

            await cycles.cycle();
            assertEquals(warnings(cycles), [], "told once");
            assertEquals(canSignIn(cycles), created ? lets : true, "Ann's first sign-in");
          },
        ));
    }
  }
}

Deno.test("somebody pending is told once and counted in each cycle, and is in their teams after the cycle that follows their first sign-in", () =>
  withCycles({ mappings: [...ENGINEERS, mapping("Data", "Scientists")] }, async (cycles) => {
    const { world, cycle } = cycles;
    const ann = world.okta.addUser(ANN);
    world.okta.addGroup("Engineering", [ann]);
    world.okta.addGroup("Data", [ann]);
    world.grafana.state.version = "12.0.0";
    const pending = ["Engineering->Engineers: +0 -0, 1 pending", "Data->Scientists: +0 -0, 1 pending"];
    assertEquals(summary(await cycle()), pending);
    assertEquals(warnings(cycles).length, 2);
    assertEquals(summary(await cycle()), pending);
    assertEquals(warnings(cycles), []);

    assert(canSignIn(cycles));
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0", "Data->Scientists: +1 -0"]);
    assertEquals(["Engineers", "Scientists"].map((team) => world.grafana.state.membersOf(team)), [[ANN], [
      ANN,
    ]]);
  }));

Deno.test("what decides is read once in a process, not in every cycle", () =>
  withCycles({ mappings: ENGINEERS, grafana: { ...PASSWORD, missing_users: "auto" } }, async (cycles) => {
    const { world, cycle, restart } = cycles;
    fill(cycles, "locks them out");
    const asked = () =>
      world.grafana.received.splice(0).filter(({ path }) => /permissions$|health|settings/.test(path)).map((
        { path },
      ) => path);
    const all = ["/api/access-control/user/permissions", "/api/health", "/api/admin/settings"];
    await cycle();
    assertEquals(asked(), all);
    await cycle();
    assertEquals(asked(), []);
    await restart()();
    assertEquals(asked(), all);
  }));

Deno.test("nothing is asked about creating while everybody is known", () =>
  withCycles(
    { mappings: ENGINEERS, grafana: { ...PASSWORD, missing_users: "auto" } },
    async ({ world, cycle }) => {
      world.okta.addGroup("Engineering", [world.addPerson(ANN)]);
      await cycle();
      assertEquals(
        world.grafana.received.filter(({ path }) => /permissions$|health|settings/.test(path)),
        [],
      );
    },
  ));

for (const missing_users of ["auto", "create"] as const) {
  Deno.test(`a dry run with ${missing_users} writes nothing, and says who would be created`, () =>
    withCycles(
      { mappings: ENGINEERS, sync: { dry_run: true }, grafana: { ...PASSWORD, missing_users } },
      async (cycles) => {
        fill(cycles);
        const report = await cycles.cycle();
        assertEquals(summary(report), ["Engineering->Engineers: +0 -0, 2 pending"]);
        assertEquals([...outlookOf(report).values()], [
          "would be created as Viewer",
          "would be added to it",
        ]);
        const lines = cycles.captured.lines().filter(({ action, outcome }) =>
          action === "create_user" && outcome === "planned"
        );
        assertEquals(lines.map(({ message, why }) => [message, why]), [
          [`Would create user ${ANN}`, "in Okta group 'Engineering'"],
        ]);
        assertEquals(cycles.writes(), []);
        cycles.messages();
        await cycles.cycle();
        assert(!isOf(cycles.messages(), "Would create user"), "told once");
      },
    ));
}

Deno.test("with a password and org_id 2, the teams and people of the other organisation are synced", () =>
  withCycles({ mappings: ENGINEERS, grafana: { ...CREATING, org_id: 2 } }, async (cycles) => {
    const { world, cycle } = cycles;
    const { state } = world.grafana;
    state.orgs.set(2, "Second");
    state.users.get(1)?.orgs.set(2, "Admin");
    fill(cycles);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +2 -0"]);
    assertEquals([state.membersOf("Engineers", 2), state.membersOf("Engineers", 1)], [[
      ANN,
      "bob@example.com",
    ], []]);
    assertEquals(state.usersOf(1).map(({ email }) => email), ["admin@localhost"]);
    assertEquals([...state.lookUp(ANN)?.orgs ?? []], [[2, "Viewer"]]);
  }));

Deno.test("a whole cycle runs with a password: a team is created, filled and emptied", () =>
  withCycles(
    { mappings: ENGINEERS, grafana: { ...PASSWORD, missing_users: "wait" } },
    async ({ world, cycle }) => {
      const group = world.okta.addGroup("Engineering", [
        world.addPerson("a@example.com"),
        world.addPerson("b@example.com"),
      ]);
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +2 -0"]);
      group.members.delete([...group.members][0] ?? world.okta.addUser("x"));
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -1"]);
      assertEquals(world.grafana.state.membersOf("Engineers"), ["b@example.com"]);
    },
  ));

Deno.test("who waits because of the setting is told so, and with what has to happen", () =>
  withCycles({ mappings: ENGINEERS, grafana: { missing_users: "wait" } }, async (cycles) => {
    fill(cycles);
    await cycles.cycle();
    assertEquals(warnings(cycles), [
      "WARNING Team Engineers: 2 users are pending, because they are not in this organisation: " +
      `${ANN}, bob@example.com. They join the team in the first cycle after they are in the organisation ` +
      "(grafana.missing_users is wait)",
    ]);
  }));
