/** A Grafana that hides users from the credential: `[users] hidden_users`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type CycleSettings, type CycleWorld, errorsOf, summary, withCycles } from "./cycle_world.ts";
import { emails } from "./fixtures.ts";

const MAPPINGS = [{ okta_group: "A", grafana_team: "T" }];
const HIDDEN = "hidden@example.com";

/** Three people in a group, and a fourth one in the organisation whom Grafana hides. */
function withHidden(
  test: (cycles: CycleWorld & { readonly id: number }) => Promise<void>,
  settings: Partial<CycleSettings> = {},
): Promise<void> {
  return withCycles({ mappings: MAPPINGS, ...settings }, async (cycles) => {
    const { okta, grafana: { state }, addPerson } = cycles.world;
    okta.addGroup("A", emails(1, 3).map(addPerson));
    const { id } = state.addUser({ login: HIDDEN, email: HIDDEN });
    state.hiddenUsers.add(HIDDEN);
    await test({ ...cycles, id });
  });
}

/** Puts the hidden user into the group. */
function join({ okta }: CycleWorld["world"]): void {
  okta.group("A").members.add(okta.addUser(HIDDEN));
}

Deno.test("a Grafana that hides users is synced, and how many it hides is said once", () =>
  withHidden(async ({ world, cycle, messages }) => {
    assertEquals(summary(await cycle()), ["A->T: +3 -0"]);
    world.okta.group("A").members.delete(world.okta.users[0] ?? world.okta.addUser("x"));
    assertEquals(summary(await cycle()), ["A->T: +0 -1"]);
    const said = messages().filter((line) => line.startsWith("WARNING"));
    assertEquals(said.length, 1);
    assertMatch(said[0] ?? "", /^WARNING Grafana hides 1 of its 5 users from this credential \(hidden_users/);
  }));

for (const smallPages of [2, 3]) {
  Deno.test(`whoever is not hidden is found, ${smallPages} to a page`, () =>
    withHidden(
      async ({ cycle }) => {
        assertEquals(summary(await cycle()), ["A->T: +3 -0"]);
      },
      {
        network: (world) => (url, init) =>
          world.fetch(url.replace("perpage=1000", `perpage=${smallPages}`), init),
      },
    ));
}

Deno.test("a hidden user who belongs into a team is pending, which is said once and is no error", () =>
  withHidden(async ({ world, restart, messages, writes, clock, shutdown }) => {
    join(world);
    const cycle = restart();
    assertEquals(summary(await cycle()), ["A->T: +3 -0, 1 pending"]);
    for (let i = 0; i < 6; i++) {
      await clock.sleep(300_000, shutdown.signal);
      const report = await cycle();
      assertEquals([summary(report), errorsOf(report)], [["A->T: +0 -0, 1 pending"], []]);
    }
    const said = messages();
    assertEquals(said.filter((line) => line.includes("reads everything instead")), []);
    const about = said.filter((line) => line.includes(HIDDEN));
    assertEquals(about.filter((line) => line.startsWith("WARNING")).length, 1);
    assertMatch(about.join("\n"), /is pending: they are in the organisation, but Grafana does not list them/);
    assertEquals(about.filter((line) => line.includes("already")).length, 1);
    assertEquals(writes().filter((line) => line.endsWith("/org/users")).length, 3, "at each full cycle");
  }));

Deno.test("a hidden user who is not hidden any more joins the team in the next cycle", () =>
  withHidden(async ({ world, cycle }) => {
    join(world);
    await cycle();
    world.grafana.state.hiddenUsers.clear();
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
  }));

Deno.test("a hidden user who comes into the organisation is audited", () =>
  withHidden(async ({ world, cycle, captured, id }) => {
    world.grafana.state.users.get(id)?.orgs.clear();
    join(world);
    const report = await cycle();
    assertEquals([summary(report), errorsOf(report)], [["A->T: +3 -0, 1 pending"], []]);
    const line = captured.lines().find((one) => one.outcome === "done" && one.user === HIDDEN);
    assertEquals([line?.action, line?.user_id], ["join_organisation", id]);
  }));

for (const stranger of [undefined, "mallory@example.com"]) {
  const after = stranger ? ", after a stranger was taken out of the organisation" : "";
  Deno.test(`a hidden member of a team stays in it while many others are added and removed${after}`, () =>
    withHidden(async ({ world, cycle, writes, id }) => {
      const { okta, grafana: { state } } = world;
      state.version = "11.1.0";
      state.addTeam("T").members.set(id, 4);
      for (const email of emails(4, 9)) okta.group("A").members.add(world.addPerson(email));
      if (stranger) {
        state.addUser({ login: "alice@example.com", email: stranger, orgId: null });
        okta.group("A").members.add(okta.addUser("alice@example.com"));
      }
      const report = await cycle();
      assertEquals(summary(report), [stranger ? "A->T: +9 -0, 1 pending, 1 errors" : "A->T: +9 -0"]);
      assertEquals(state.team("T")?.members.get(id), 4);
      assert(!writes().some((write) => write.startsWith("PUT")), "one by one");
    }));
}

Deno.test("a server administrator, from whom nobody is hidden, adds everybody, many at once", () =>
  withHidden(async ({ world, cycle, writes, messages }) => {
    world.grafana.state.version = "11.1.0";
    world.grafana.state.addTeam("T");
    join(world);
    assertEquals(summary(await cycle()), ["A->T: +4 -0"]);
    assert(writes().some((write) => write.startsWith("PUT")));
    assertEquals(messages().filter((line) => line.includes("hides")), []);
  }, { grafana: { username: "admin", password: "admin" } }));

Deno.test("where the list of users is cut short, nobody gets a second account for a new address", () =>
  withHidden(async ({ world, cycle, writes }) => {
    await cycle();
    Object.assign(world.okta.users[0] ?? {}, { email: "new@example.com", login: "new@example.com" });
    writes();
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (!new URL(request.url).pathname.endsWith("/org/users/search")) return answer;
      const body = await answer.json();
      return Response.json({ ...body, orgUsers: body.orgUsers.slice(0, 1) });
    };
    await cycle();
    assertEquals(writes().filter((write) => write.includes("admin/users")), []);
  }, { grafana: { username: "admin", password: "admin", missing_users: "create" } }));
