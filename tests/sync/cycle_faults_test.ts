import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { errorsOf, holdReason, refuse, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";

const A_AND_B = [mapping("A", "T"), mapping("B", "U")];

const FIFTY = Array.from({ length: 50 }, (_, i) => mapping(`G${i}`, `T${i}`));

const REVOKED = [
  ["Okta's token is revoked", /Authentication failed - invalid API token/, "okta", /./],
  [
    "Okta's token is revoked while groups are read",
    /Authentication failed - invalid API token/,
    "okta",
    /users$/,
  ],
  ["Grafana's token is revoked", /Authentication failed - Grafana rejected the token/, "grafana", /./],
  ["Grafana's token is revoked while teams are read", /Grafana rejected the token/, "grafana", /members$/],
] as const;

for (const [what, says, service, path] of REVOKED) {
  Deno.test(`${what}: one error in the log for all 50 mappings, and each of them fails with it`, () =>
    withCycles({ mappings: FIFTY }, async ({ world, cycle, messages }) => {
      const alice = world.addPerson("alice@example.com");
      for (const { okta_group, grafana_team } of FIFTY) {
        world.okta.addGroup(okta_group, [alice]);
        world.grafana.state.addTeam(grafana_team);
      }
      world[service].intercept = refuse("GET", path, 401);
      const report = await cycle();
      assertEquals(errorsOf(report).length, 50);
      for (const error of errorsOf(report)) assertMatch(error, says);
      const [line = "", ...others] = messages().filter((message) => message.startsWith("ERROR"));
      assertEquals(others, []);
      assertMatch(line, /^ERROR Sync failed for 50 mappings \(G0 -> T0, G1 -> T1, G2 -> T2 and others\): /);
      assertMatch(line, says);
    }));
}

Deno.test("a completed sync never stands alone beside removals on hold: each full cycle says that they still are", () =>
  withCycles(
    { mappings: [mapping("A", "T")] },
    async ({ world, cycle, clock, shutdown, messages, captured }) => {
      const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
      world.okta.addGroup("A", [alice, bob]);
      await cycle();
      world.okta.group("A").members.clear();
      const said = [];
      for (let i = 0; i < 7; i++) {
        messages();
        await clock.sleep(300_000, shutdown.signal);
        await cycle();
        const lines = messages();
        const completed = lines.findIndex((line) =>
          line.startsWith("INFO Sync completed: +0 users, -0 users, 0 errors")
        );
        said.push(lines.slice(completed).find((line) => / on hold /.test(line))?.slice(0, 41));
        assertEquals(completed >= 0, said.at(-1) !== undefined, lines.join("\n"));
      }
      const still = "WARNING Team T: 2 removals still on hold ";
      assertEquals(said.filter(Boolean), ["ERROR Team T: 2 removals on hold (empty-g", still, still]);
      assertEquals(
        captured.lines().filter(({ outcome }) => outcome === "on_hold").length,
        2,
        "audited once",
      );
    },
  ));

for (const status of [403, 404, 500]) {
  Deno.test(`a group that answers ${status} removes nobody, is an error of its mapping only, and the others go on`, () =>
    withCycles({ mappings: A_AND_B }, async ({ world, cycle, writes, messages }) => {
      const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
      const { id } = world.okta.addGroup("A", [alice, bob]);
      world.okta.addGroup("B", [alice]);
      await cycle();
      world.okta.group("A").members.delete(bob);
      world.okta.group("B").members.add(bob);
      writes();
      messages();
      world.okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), status);

      const report = await cycle();
      assertEquals(summary(report), ["A->T: +0 -0, 1 errors", "B->U: +1 -0"]);
      assertEquals(report.mappings.map(isSuccess), [false, true]);
      assertEquals(report.mappings.map(({ groupMembers }) => groupMembers), [undefined, 2]);
      assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com", "bob@example.com"]);
      assertEquals(world.grafana.state.membersOf("U"), ["alice@example.com", "bob@example.com"]);
      assertEquals(writes().length, 1);
      const [line = ""] = messages().filter((message) => message.startsWith("ERROR"));
      assertMatch(line, new RegExp(`^ERROR Sync failed for A -> T: .*/users returned ${status}`));

      world.okta.intercept = undefined;
      assertEquals(summary(await cycle()), ["A->T: +0 -1", "B->U: +0 -0"]);
    }));
}

Deno.test("where one of a team's groups fails, the other adds, and removals of the team are on hold with the reason", () =>
  withCycles({ mappings: [mapping("A", "T"), mapping("B", "T")] }, async ({ world, cycle, messages }) => {
    const [alice, bob, carol] = ["alice", "bob", "carol"].map((name) =>
      world.addPerson(`${name}@example.com`)
    );
    if (!alice || !bob || !carol) throw new TypeError("three people");
    world.okta.addGroup("A", [alice]);
    const { id } = world.okta.addGroup("B", [bob]);
    await cycle();
    world.okta.group("A").members.add(carol).delete(alice);
    world.okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), 500);
    messages();

    const report = await cycle();
    assertEquals(summary(report), ["A->T: +1 -0, 2 on hold", "B->T: +0 -0, 1 errors"]);
    assertEquals(report.mappings.map(isSuccess), [false, false]);
    assertEquals(report.plans.map(holdReason), ["incomplete-read"]);
    assertEquals(
      world.grafana.state.membersOf("T"),
      ["alice@example.com", "bob@example.com", "carol@example.com"],
    );
    assertEquals(messages().filter((line) => line.includes("on hold")), [
      "ERROR Team T: 2 removals on hold (incomplete-read): Okta group 'B' could not be read to its end, so " +
      "nobody is known to have left (Okta returned 500 (Okta GET /api/v1/groups/00g000002/users returned 500): " +
      "check status.okta.com; gots tries again in the next cycle). Still in the team: alice@example.com, bob@example.com",
    ]);
  }));

Deno.test("a group whose second page fails removes nobody", () =>
  withCycles({ mappings: [mapping("A", "T")] }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("A", ["alice", "bob", "carol"].map((name) => world.addPerson(`${name}@example.com`)));
    await cycle();
    writes();
    world.okta.pageSize = 1;
    world.okta.intercept = (request, proceed) =>
      new URL(request.url).searchParams.has("after") ? Response.json({}, { status: 500 }) : proceed();
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 errors"]);
    assertEquals(writes(), []);
  }));

Deno.test("a group that is not there is an error that names it and says what to do", () =>
  withCycles({ mappings: A_AND_B }, async ({ world, cycle }) => {
    world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +0 -0, 1 errors", "B->U: +1 -0"]);
    assertMatch(errorsOf(report)[0] ?? "", /^A: Group not found: A: check the exact name, including case/);
    assertEquals(world.grafana.state.team("T"), undefined, "no team is created for it");
  }));

Deno.test("Okta's refusal of the token is met once, not once a group, and fails every mapping", () =>
  withCycles({ mappings: A_AND_B }, async ({ world, cycle, writes }) => {
    world.okta.intercept = refuse("GET", /./, 401, { errorCode: "E0000011", errorSummary: "Invalid token" });
    const report = await cycle();
    assertEquals(world.okta.received.length, 1);
    assertEquals(summary(report), ["A->T: +0 -0, 1 errors", "B->U: +0 -0, 1 errors"]);
    for (const error of errorsOf(report)) {
      assertStringIncludes(error, "Authentication failed - invalid API token");
    }
    assertEquals(writes(), []);
  }));

Deno.test("where the users of Grafana cannot be read, every mapping fails, nothing is written, nothing thrown", () =>
  withCycles({ mappings: A_AND_B }, async ({ world, cycle, writes }) => {
    const alice = world.addPerson("alice@example.com");
    world.okta.addGroup("A", [alice]);
    world.okta.addGroup("B", [alice]);
    world.grafana.intercept = refuse("GET", /\/api\/org\/users\/search$/, 500);
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +0 -0, 1 errors", "B->U: +0 -0, 1 errors"]);
    assertEquals(errorsOf(report).map((error) => error.slice(0, 46)), [
      "A: the users of Grafana could not be read: Gra",
      "B: the users of Grafana could not be read: Gra",
    ]);
    assertEquals(writes(), []);
  }));

Deno.test("a team that cannot be read fails all its mappings and no other", () =>
  withCycles({ mappings: [...A_AND_B, mapping("B", "T")] }, async ({ world, cycle }) => {
    const alice = world.addPerson("alice@example.com");
    world.okta.addGroup("A", [alice]);
    world.okta.addGroup("B", [alice]);
    await cycle();
    const id = world.grafana.state.team("T")?.id;
    world.grafana.intercept = refuse("GET", new RegExp(`^/api/teams/${id}/members$`), 403, { message: "no" });
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 errors", "B->T: +0 -0, 1 errors", "B->U: +0 -0"]);
  }));

Deno.test("a team that cannot be created fails its mapping, and the others go on", () =>
  withCycles({ mappings: A_AND_B }, async ({ world, cycle }) => {
    const alice = world.addPerson("alice@example.com");
    world.okta.addGroup("A", [alice]);
    world.okta.addGroup("B", [alice]);
    world.grafana.state.addTeam("U");
    const message = "You'll need additional permissions. Permissions needed: teams:create";
    world.grafana.intercept = refuse("POST", /^\/api\/teams$/, 403, { message });
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +0 -0, 1 errors", "B->U: +1 -0"]);
    assertStringIncludes(errorsOf(report)[0] ?? "", "Permissions needed: teams:create");
  }));

Deno.test("users who cannot be told apart are an error with both names, and are neither added nor removed", () =>
  withCycles({ mappings: [mapping("A", "T")] }, async ({ world, cycle, writes }) => {
    const { state } = world.grafana;
    const one = state.addUser({ login: "a1", email: "Alice@example.com" });
    state.addUser({ login: "a2", email: "ALICE@example.com" });
    world.okta.addGroup("A", [world.okta.addUser("alice@example.com"), world.addPerson("bob@example.com")]);
    state.addTeam("T").members.set(one.id, 0);
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +1 -0, 1 errors"]);
    assertMatch(
      errorsOf(report)[0] ?? "",
      /^A: 2 Grafana users could be alice@example\.com: Alice@example\.com \(id \d+\), ALICE@example\.com \(id \d+\); none was touched, keep one of them$/,
    );
    assertEquals(writes().length, 1);
    assertEquals(state.membersOf("T"), ["Alice@example.com", "bob@example.com"]);
  }));

Deno.test("a Grafana that refuses the token in the middle of a cycle is not asked for each team again", () =>
  withCycles({ mappings: A_AND_B }, async ({ world, cycle }) => {
    for (const name of ["A", "B"]) world.okta.addGroup(name, [world.addPerson(`${name}@example.com`)]);
    world.grafana.intercept = refuse("GET", /teams\/search/, 401);
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 errors", "B->U: +0 -0, 1 errors"]);
    assertEquals(world.grafana.received.filter(({ path }) => path.includes("/teams/search")).length, 1);
  }));
