/** What goes wrong when accounts are made is told to whom it concerns, and nobody else waits for it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { errorsOf, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";
import { ANN, CREATE, CREATING, ENGINEERS, isOf, PASSWORD } from "./newcomers.ts";

for (const missing_users of ["auto", "create"] as const) {
  Deno.test(`where ${missing_users} could not ask whether it may create, nobody is created, and the next cycle asks again`, () =>
    withCycles({ mappings: ENGINEERS, grafana: { ...PASSWORD, missing_users } }, async (cycles) => {
      const { world, cycle, messages } = cycles;
      world.okta.addGroup("Engineering", [world.okta.addUser(ANN)]);
      world.grafana.intercept = refuse("GET", /permissions$/, 500, { message: "out of order" });
      const report = await cycle();
      assertEquals(report.mappings[0]?.pending, 1);
      assertEquals(errorsOf(report).length, missing_users === "create" ? 1 : 0);
      assert(isOf(messages(), "could not be read, so nobody was created: out of order"));
      world.grafana.intercept = undefined;
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
    }));
}

Deno.test("create with a service account is an error of each mapping in each cycle, logged once for all, that says what is missing", () =>
  withCycles({
    mappings: [...ENGINEERS, mapping("Data", "Scientists")],
    grafana: { missing_users: "create" },
  }, async (cycles) => {
    const { world, cycle, messages } = cycles;
    const ann = world.okta.addUser(ANN);
    world.okta.addGroup("Engineering", [ann, world.okta.addUser("new@example.com")]);
    world.okta.addGroup("Data", [ann]);
    for (const times of [1, 0]) {
      const errors = errorsOf(await cycle());
      assertEquals(errors.length, 2);
      assertMatch(
        errors[0] ?? "",
        /^Engineering: .*it lacks users:create and users:read, which a service account cannot/,
      );
      assertMatch(
        errors[1] ?? "",
        /^Data: .*server administrator \(grafana\.username, grafana\.password\)/,
      );
      assertEquals(messages().filter((line) => line.startsWith("ERROR")).length, times);
    }
    assertEquals(world.grafana.state.lookUp(ANN), undefined);
  }));

Deno.test("create with a service account is no error while the server knows everybody", () =>
  withCycles({ mappings: ENGINEERS, grafana: { missing_users: "create" } }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.addPerson(ANN)]);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
  }));

Deno.test("a service account that got the right meanwhile needs no restart", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser(ANN)]);
    world.grafana.intercept = (request, proceed) =>
      fits(request, "GET", /permissions$/) ? Response.json({ "users:read": [] }) : proceed();
    assertMatch(errorsOf(await cycle())[0] ?? "", /it lacks users:create, which a service/);
    world.grafana.intercept = undefined;
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
  }));

Deno.test("an account in other case gets no second one beside it: it is reported for that person, and others go on", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async (cycles) => {
    const { world, cycle, messages } = cycles;
    const twin = world.grafana.state.addUser({ login: "ann", email: "Ann.Lee@Example.com", orgId: null });
    world.okta.addGroup("Engineering", [world.okta.addUser(ANN), world.okta.addUser("new@example.com")]);
    const report = await cycle();
    assertEquals(summary(report), ["Engineering->Engineers: +1 -0, 1 pending, 1 errors"]);
    assertEquals(errorsOf(report), [
      `Engineering: could not create ${ANN}: Grafana has the user Ann.Lee@Example.com (id ${twin.id}), spelled ` +
      "differently; no second account was created: correct theirs, or add them to the organisation",
    ]);
    assertEquals(report.mappings[0]?.errors[0]?.user, ANN);
    assertEquals([...twin.orgs], [], "nobody is touched");
    messages();
    cycles.writes();
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 1 pending, 1 errors"]);
    assertEquals(messages().filter((line) => line.startsWith("ERROR")), [], "it stays a failure, told once");
    assertEquals(cycles.writes(), []);
  }));

Deno.test("a 412 is reported for that person, touches nobody, and is tried again after a quarter of an hour", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async (cycles) => {
    const { world, cycle, clock } = cycles;
    world.okta.addGroup("Engineering", [
      world.okta.addUser(ANN, { login: "taken" }),
      world.okta.addUser("new@example.com"),
    ]);
    world.grafana.state.addUser({ login: "taken", email: "tak@example.com", orgId: null });
    const report = await cycle();
    assertEquals(summary(report), ["Engineering->Engineers: +1 -0, 1 pending, 1 errors"]);
    assertStringIncludes(errorsOf(report)[0] ?? "", "the email or the login taken exists already");
    assertEquals(world.grafana.state.users.size, 3);
    cycles.writes();
    await cycle();
    assertEquals(cycles.writes(), []);
    await clock.sleep(15 * 60_000, new AbortController().signal);
    await cycle();
    assertEquals(cycles.writes(), ["POST /api/org/users", "POST /api/admin/users"]);
  }));

Deno.test("a creation whose answer was lost is found again: one account, one audit line, in the team", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle, captured }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser(ANN)]);
    let lost = false;
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (lost || !fits(request, "POST", CREATE)) return answer;
      lost = true;
      await answer.body?.cancel();
      return Response.json({}, { status: 502 });
    };
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
    assertEquals(world.grafana.state.users.size, 2);
    assertEquals(captured.lines().filter(({ action }) => action === "create_user").length, 1);
  }));

Deno.test("a failure of one creation is counted on that person, and the others are created", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle }) => {
    world.okta.addGroup(
      "Engineering",
      ["a@example.com", "b@example.com", "c@example.com"].map((email) => world.okta.addUser(email)),
    );
    world.grafana.intercept = async (request, proceed) =>
      fits(request, "POST", CREATE) && (await request.clone().json()).email === "b@example.com"
        ? Response.json({ message: "failed to create user" }, { status: 500 })
        : await proceed();
    const report = await cycle();
    assertEquals(summary(report), ["Engineering->Engineers: +2 -0, 1 pending, 1 errors"]);
    assertStringIncludes(errorsOf(report)[0] ?? "", "could not create b@example.com: failed to create user");
  }));

Deno.test("whose role could not be given is in the team all the same, and gets it in the next cycle", () =>
  withCycles(
    { mappings: ENGINEERS, grafana: { ...CREATING, new_user_role: "Editor" } },
    async ({ world, cycle }) => {
      world.okta.addGroup("Engineering", [world.okta.addUser(ANN)]);
      world.grafana.intercept = refuse("PATCH", /./, 400, { message: "no" });
      const report = await cycle();
      assertEquals(summary(report), ["Engineering->Engineers: +1 -0, 1 errors"]);
      assertStringIncludes(
        errorsOf(report)[0] ?? "",
        `${ANN} was created, but does not have the role Editor yet: no`,
      );
      world.grafana.intercept = undefined;
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0"]);
      assertEquals(world.grafana.state.lookUp(ANN)?.orgs.get(1), "Editor");
      world.grafana.state.lookUp(ANN)?.orgs.set(1, "Admin");
      await cycle();
      assertEquals(
        world.grafana.state.lookUp(ANN)?.orgs.get(1),
        "Admin",
        "a role that was changed later stays",
      );
    },
  ));

Deno.test("after a 403 the rights are asked for again, and what is missing is told", () =>
  withCycles({ mappings: ENGINEERS, grafana: CREATING }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser(ANN), world.okta.addUser("new@example.com")]);
    world.grafana.intercept = refuse("POST", CREATE, 403, { message: "Permissions needed: users:create" });
    const [refused = "", ...others] = errorsOf(await cycle());
    assertStringIncludes(refused, `could not create ${ANN}: Permissions needed: users:create`);
    assertEquals(others, [], "the next one would meet the same");
    world.grafana.intercept = (request, proceed) =>
      fits(request, "GET", /permissions$/) ? Response.json({ "users:read": [] }) : proceed();
    assertStringIncludes(errorsOf(await cycle()).join("\n"), "it lacks users:create,");
    assertEquals(world.grafana.state.users.size, 1);
  }));
