/** With a password, Grafana puts the account that creates a team into it, as its admin. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { errorsOf, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { ENGINEERS, PASSWORD } from "./newcomers.ts";

const ALICE = "alice@example.com";
const ADMIN = "admin@localhost";

for (const version of ["9.5.0", "12.0.0"]) {
  for (const isEmpty of [false, true]) {
    const what = isEmpty ? "for an empty group" : "with members";
    Deno.test(`a team created with a password ${what} does not keep its creator, and the next cycle writes nothing (Grafana ${version})`, () =>
      withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle, captured, writes }) => {
        world.grafana.state.version = version;
        world.okta.addGroup("Engineering", isEmpty ? [] : [world.addPerson(ALICE)]);
        assertEquals(summary(await cycle()), [`Engineering->Engineers: +${isEmpty ? 0 : 1} -0`]);
        assertEquals(world.grafana.state.membersOf("Engineers"), isEmpty ? [] : [ALICE]);
        const removed = captured.lines().filter(({ audit, action }) => audit && action === "remove");
        assertEquals(
          removed.map(({ user, user_id, team_id, outcome, why }) => ({
            user,
            user_id,
            team_id,
            outcome,
            why,
          })),
          [{
            user: ADMIN,
            user_id: 1,
            team_id: 1,
            outcome: "done",
            why: "Grafana puts the account that creates a team into it, and gots signs in with this one",
          }],
        );
        writes();
        assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0"]);
        assertEquals(writes(), []);
      }));
  }
}

Deno.test("a team created with a token is nobody's, and nobody is taken out of it", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("Engineering", [world.addPerson(ALICE)]);
    await cycle();
    assertEquals(writes(), ["POST /api/teams", "POST /api/teams/1/members"]);
  }));

Deno.test("gots's own account is in the team it created if a group says so, as a member", () =>
  withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser(ADMIN, { login: "admin" })]);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
    assertEquals([...world.grafana.state.team("Engineers")?.members ?? []], [[1, 0]]);
    writes();
    await cycle();
    assertEquals(writes(), []);
  }));

Deno.test("the creator is taken out although Grafana took 40 s to create the team", () =>
  withCycles(
    { mappings: ENGINEERS, grafana: PASSWORD, sync: { protected_users: [ADMIN] } },
    async ({ world, cycle, clock, shutdown }) => {
      world.okta.addGroup("Engineering", [world.addPerson(ALICE)]);
      world.grafana.intercept = async (request, proceed) => {
        if (fits(request, "POST", /^\/api\/teams$/)) await clock.sleep(40_000, shutdown.signal);
        return await proceed();
      };
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
      assertEquals(world.grafana.state.membersOf("Engineers"), [ALICE]);
    },
  ));

Deno.test("a creator whose removal Grafana asks to do later is told", () =>
  withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.addPerson(ALICE)]);
    world.grafana.intercept = (request, proceed) =>
      request.method === "DELETE"
        ? Response.json({}, { status: 429, headers: { "Retry-After": "60" } })
        : proceed();
    assertStringIncludes(
      errorsOf(await cycle()).join(),
      `could not take ${ADMIN}, who created it, out of the new team; remove them by hand`,
    );
  }));

Deno.test("a creator who cannot be taken out is an error that names the team's mapping", () =>
  withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.addPerson(ALICE)]);
    world.grafana.intercept = refuse("DELETE", /members/, 403, { message: "no" });
    assertStringIncludes(
      errorsOf(await cycle())[0] ?? "",
      "could not take admin@localhost, who created it, out of the new team",
    );
    world.grafana.intercept = undefined;
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -1"]);
    assertEquals(world.grafana.state.membersOf("Engineers"), [ALICE]);
  }));

Deno.test("without knowing its own account gots creates no team", () =>
  withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("Engineering", [world.addPerson(ALICE)]);
    world.grafana.intercept = refuse("GET", /^\/api\/user$/, 403, { message: "no" });
    await cycle();
    assertEquals(writes(), []);
  }));
