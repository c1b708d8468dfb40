/** Whose account is whose, in the organisation or outside of it; and what is said of a role, and of somebody who left. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type CycleWorld, errorsOf, outlookOf, refuse, summary, withCycles } from "./cycle_world.ts";
import { CREATING, ENGINEERS, warnings } from "./newcomers.ts";

const ALICE = "alice@example.com";
const DAY_MS = 24 * 60 * 60_000;

const later = ({ clock }: CycleWorld, ms: number) => clock.sleep(ms, new AbortController().signal);

/** The audit lines of these actions: action, outcome, whom, with which role. */
function audited({ captured }: CycleWorld, ...actions: string[]): string[] {
  return captured.lines().filter(({ audit, action }) => audit && actions.includes(String(action)))
    .map(({ action, outcome, user, role }) => [action, outcome, user, role].filter(Boolean).join(" "));
}

for (const orgId of [1, null, 2]) {
  const where = orgId === 1
    ? "in the organisation"
    : orgId
    ? "in another organisation"
    : "in no organisation";
  Deno.test(`an account ${where} without an email is hers whose Okta email is its login, and stays hers`, () =>
    withCycles({ mappings: ENGINEERS }, async (cycles) => {
      const { world, cycle, writes } = cycles;
      world.grafana.state.addUser({ login: ALICE, email: "", orgId });
      world.okta.addGroup("Engineering", [world.okta.addUser(ALICE)]);
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
      writes();
      await cycle();
      await later(cycles, DAY_MS);
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0"]);
      assertEquals(writes(), []);
    }));
}

Deno.test("a dry run says that an account without an email would be added to the organisation", () =>
  withCycles(
    { mappings: ENGINEERS, grafana: CREATING, sync: { dry_run: true } },
    async ({ world, cycle }) => {
      world.grafana.state.addUser({ login: ALICE, email: "", orgId: null });
      const alice = world.okta.addUser(ALICE);
      world.okta.addGroup("Engineering", [alice]);
      assertEquals([...outlookOf(await cycle())], [[alice.id, "would be added to it"]]);
    },
  ));

Deno.test("a stranger is let in once, not every day, and is tried again when the email in Okta is another one", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle, messages, writes } = cycles;
    const account = world.grafana.state.addUser({ login: ALICE, email: "mallory@example.com", orgId: null });
    const alice = world.okta.addUser(ALICE, { login: "mallory@example.com" });
    world.okta.addGroup("Engineering", [alice]);
    const [error = ""] = errorsOf(await cycle());
    for (const address of [ALICE, "mallory@example.com"]) assertEquals(error.split(address).length, 2, error);
    assertEquals(audited(cycles, "join_organisation", "leave_organisation"), [
      "join_organisation done alice@example.com Viewer",
      "leave_organisation done mallory@example.com",
    ]);
    messages();
    writes();
    for (let day = 0; day < 3; day++) {
      await later(cycles, DAY_MS);
      assertEquals(errorsOf(await cycle()), [error], "it stays a failure");
    }
    assertEquals([messages().filter((line) => line.startsWith("ERROR")), writes()], [[], []]);

    account.email = "mallory.lee@example.com";
    alice.email = "alice.lee@example.com";
    world.grafana.state.addUser({ login: "alee", email: "alice.lee@example.com", orgId: null });
    await later(cycles, DAY_MS);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
  }));

Deno.test("a role is in the audit when it is given, not when it was refused", () =>
  withCycles({ mappings: ENGINEERS, grafana: { ...CREATING, new_user_role: "Admin" } }, async (cycles) => {
    const { world, cycle } = cycles;
    world.okta.addGroup("Engineering", [world.okta.addUser(ALICE)]);
    const rest = ["create_user", "set_role", "join_organisation"];
    world.grafana.intercept = refuse("PATCH", /^\/api\/org\/users\//, 403, { message: "no" });
    assertStringIncludes(errorsOf(await cycle())[0] ?? "", "does not have the role Admin yet");
    assertEquals(audited(cycles, ...rest), [
      "create_user done alice@example.com",
      "set_role failed alice@example.com Admin",
    ]);
    world.grafana.intercept = undefined;
    assertEquals(errorsOf(await cycle()), []);
    await cycle();
    assertEquals(world.grafana.state.lookUp(ALICE)?.orgs.get(1), "Admin");
    assertEquals(audited(cycles, ...rest), [
      "create_user done alice@example.com",
      "set_role failed alice@example.com Admin",
      "set_role done alice@example.com Admin",
    ]);
  }));

for (
  const [what, org, line] of [
    ["gives new users", true, "set_role found alice@example.com Viewer"],
    ["leaves to gots", false, "join_organisation done alice@example.com Viewer"],
  ] as const
) {
  Deno.test(`a role that Grafana ${what} is in the audit too`, () =>
    withCycles({ mappings: ENGINEERS, grafana: CREATING }, async (cycles) => {
      const { world, cycle } = cycles;
      world.grafana.state.autoAssign = { org, role: "Viewer" };
      world.okta.addGroup("Engineering", [world.okta.addUser(ALICE)]);
      await cycle();
      await cycle();
      assertEquals(audited(cycles, "set_role", "join_organisation"), [line]);
    }));
}

Deno.test("somebody who joins by themselves while they are created gets their role in the next cycle", () =>
  withCycles({ mappings: ENGINEERS, grafana: { ...CREATING, new_user_role: "Admin" } }, async (cycles) => {
    const { world, cycle } = cycles;
    world.grafana.state.autoAssign = { org: false, role: "Viewer" };
    world.okta.addGroup("Engineering", [world.okta.addUser(ALICE)]);
    world.grafana.intercept = (request, proceed) => {
      const alice = world.grafana.state.lookUp(ALICE);
      if (alice && request.method === "POST" && request.url.endsWith("/api/org/users")) {
        alice.orgs.set(1, "Viewer");
      }
      return proceed();
    };
    await cycle();
    await later(cycles, DAY_MS);
    world.grafana.state.team("Engineers")?.members.clear();
    await cycle();
    assertEquals(world.grafana.state.lookUp(ALICE)?.orgs.get(1), "Admin");
  }));

/** Alice is in organisation 2 only, the one that Grafana assigns at sign-in. */
function assignElsewhere({ world }: CycleWorld) {
  const { state } = world.grafana;
  state.autoAssignOrgId = 2;
  state.signIn({ login: ALICE, email: ALICE, name: "Alice" });
  world.okta.addGroup("Engineering", [world.okta.addUser(ALICE)]);
  return () => state.signIn({ login: ALICE, email: ALICE, name: "Alice" });
}

for (const incremental of [true, false]) {
  Deno.test(`somebody whom the sign-in takes out of the organisation is noticed, told once with what helps, and not added in every cycle${incremental ? "" : ", if each is full"}`, () =>
    withCycles({ mappings: ENGINEERS, sync: { incremental } }, async (cycles) => {
      const { world, cycle, writes } = cycles;
      const signIn = assignElsewhere(cycles);
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
      warnings(cycles);
      writes();

      signIn();
      for (let again = 0; again < 3; again++) {
        assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 1 pending"]);
      }
      const [warning = "", ...others] = warnings(cycles);
      for (const text of [ALICE, "skip_org_role_sync = true", "org_mapping", "docs/GRAFANA_SETUP.md"]) {
        assertStringIncludes(warning, text);
      }
      assertEquals([others, writes()], [[], []]);

      await later(cycles, 15 * 60_000);
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
      signIn();
      await cycle();
      await cycle();
      assertEquals(warnings(cycles), [], "it is not told again");
      assertEquals(world.grafana.state.membersOf("Engineers"), []);
    }));
}

Deno.test("somebody who was created and whom the sign-in takes out of the organisation is noticed too", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async (cycles) => {
    const { world, cycle } = cycles;
    world.grafana.state.autoAssign = { org: false, role: "Viewer" };
    world.okta.addGroup("Engineering", [world.okta.addUser(ALICE)]);
    await cycle();
    warnings(cycles);
    world.grafana.state.autoAssignOrgId = 2;
    world.grafana.state.signIn({ login: ALICE, email: ALICE, name: "Alice" });
    await cycle();
    const [warning = ""] = warnings(cycles);
    assertStringIncludes(warning, `Left the organisation after gots added them: ${ALICE}.`);
  }));

Deno.test("with skip_org_role_sync nobody leaves and nothing is said", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const signIn = assignElsewhere(cycles);
    cycles.world.grafana.state.skipOrgRoleSync = true;
    await cycles.cycle();
    warnings(cycles);
    signIn();
    assertEquals(summary(await cycles.cycle()), ["Engineering->Engineers: +0 -0"]);
    assertEquals(warnings(cycles), []);
    assertEquals(cycles.world.grafana.state.membersOf("Engineers"), [ALICE]);
  }));

Deno.test("somebody who left and comes back by themselves is pending no more, and later as anybody is", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle } = cycles;
    const signIn = assignElsewhere(cycles);
    await cycle();
    signIn();
    await cycle();
    world.grafana.state.autoAssignOrgId = 1;
    signIn();
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
    assertEquals([...outlookOf(await cycle())], []);
  }));
