import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { type CycleWorld, errorsOf, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";

const ENGINEERS = [mapping("Engineering", "Engineers")];
const JOIN = /^\/api\/org\/users$/;

/** Somebody of the group whom Grafana knows outside the organisation: in none, or in another one. */
function outsider({ world }: CycleWorld, email: string, login = email, orgId: number | null = null) {
  world.grafana.state.addUser({ login, email, orgId });
  return world.okta.addUser(email);
}

/** Whether somebody is in the organisation. */
function isInside({ world }: CycleWorld, email: string): boolean {
  return world.grafana.state.usersOf(1).some((user) => user.email === email);
}

for (const orgId of [null, 2]) {
  const where = orgId === null ? "no organisation" : "another organisation";
  Deno.test(`somebody who is in ${where} is added to this one as Viewer, and to the team in the same cycle`, () =>
    withCycles({ mappings: ENGINEERS }, async (cycles) => {
      cycles.world.okta.addGroup("Engineering", [outsider(cycles, "alice@example.com", "alice", orgId)]);
      assertEquals(summary(await cycles.cycle()), ["Engineering->Engineers: +1 -0"]);
      assertEquals(cycles.world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
      const alice = cycles.world.grafana.state.lookUp("alice");
      assertEquals([...alice?.orgs ?? []], [...orgId === null ? [] : [[orgId, "Viewer"]], [1, "Viewer"]]);
      const joined = cycles.captured.lines().find(({ action }) => action === "join_organisation");
      assertEquals(joined?.message, "Added user alice@example.com to the organisation");
      assertEquals([joined?.user, joined?.why, joined?.cycle], [
        "alice@example.com",
        "in Okta group 'Engineering'",
        1,
      ]);
    }));
}

Deno.test("a stranger whose login is another person's address is taken out again, keeps their account, and is reported", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle, messages, writes } = cycles;
    world.grafana.state.addUser({ login: "alice@example.com", email: "mallory@example.com", orgId: null });
    world.okta.addGroup("Engineering", [
      world.okta.addUser("alice@example.com"),
      world.addPerson("bob@example.com"),
    ]);

    const report = await cycle();
    assertEquals(summary(report), ["Engineering->Engineers: +1 -0, 1 pending, 1 errors"]);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["bob@example.com"]);
    assert(!isInside(cycles, "mallory@example.com"));
    assert(world.grafana.state.lookUp("mallory@example.com"), "the account stays");
    assertEquals(errorsOf(report), [
      "Engineering: could not add alice@example.com to the organisation: this is the login of mallory@example.com " +
      "(id 2) in Grafana: change that login, then restart gots",
    ]);
    assert(messages().includes("INFO Removed user mallory@example.com from the organisation"));
    writes();

    assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 1 pending, 1 errors"]);
    assertEquals(messages().filter((line) => line.startsWith("ERROR")), [], "it stays a failure, told once");
    assertEquals(writes(), [], "it is not tried again at once");
  }));

Deno.test("somebody whose email differs in case only is the right person", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle } = cycles;
    world.grafana.state.addUser({ login: "alice@example.com", email: "Alice@Example.com", orgId: null });
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0"]);
    assert(isInside(cycles, "Alice@Example.com"));
  }));

Deno.test("somebody whom the server does not know is pending: told once with what to do, and no failure", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle, messages }) => {
    const warnings = () => messages().filter((line) => !line.startsWith("INFO"));
    world.okta.addGroup("Engineering", [world.okta.addUser("new@example.com")]);
    const report = await cycle();
    assertEquals(summary(report), ["Engineering->Engineers: +0 -0, 1 pending"]);
    assertEquals(report.mappings.map(isSuccess), [true]);
    const told =
      "WARNING Team Engineers: 1 user is pending, because Grafana does not know them: new@example.com. " +
      "They join the team in the first cycle after they have signed in to Grafana once";
    assertEquals(warnings(), [told]);

    await cycle();
    assertEquals(warnings(), [], "the same people are not told again");

    world.okta.group("Engineering").members.add(world.okta.addUser("newer@example.com"));
    await cycle();
    const [both] = warnings();
    assertStringIncludes(both ?? "", "2 users are pending");
    assertStringIncludes(both ?? "", "new@example.com, newer@example.com");

    for (const email of ["new@example.com", "newer@example.com"]) {
      world.grafana.state.addUser({ login: email, email });
    }
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +2 -0"]);
    assertEquals(warnings(), []);
  }));

Deno.test("somebody unknown is not asked for in every cycle, and is after a quarter of an hour or a restart", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle, restart, clock, writes }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser("new@example.com")]);
    await cycle();
    assertEquals(writes(), ["POST /api/org/users", "POST /api/teams"]);
    await cycle();
    assertEquals(writes(), []);
    await clock.sleep(15 * 60_000, new AbortController().signal);
    await cycle();
    assertEquals(writes(), ["POST /api/org/users"]);
    await restart()();
    assertEquals(writes(), ["POST /api/org/users"]);
  }));

Deno.test("where nobody may be added to the organisation, that is reported once and the rest goes on", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle, writes } = cycles;
    const outside = ["one", "two", "three"].map((name) => outsider(cycles, `${name}@example.com`));
    world.okta.addGroup("Engineering", [...outside, world.addPerson("alice@example.com")]);
    const message =
      "You'll need additional permissions to perform this action. Permissions needed: org.users:add";
    world.grafana.intercept = refuse("POST", JOIN, 403, { message });

    const report = await cycle();
    assertEquals(summary(report), ["Engineering->Engineers: +1 -0, 3 pending, 1 errors"]);
    const [error = ""] = errorsOf(report);
    assertStringIncludes(error, "could not add one@example.com to the organisation");
    assertStringIncludes(error, "Permissions needed: org.users:add");
    assertStringIncludes(error, "give the service account the Admin role");
    assertEquals(writes().filter((write) => write === "POST /api/org/users").length, 1);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
    cycles.messages();
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 3 pending, 1 errors"]);
    assertEquals(
      cycles.messages().filter((line) => line.startsWith("ERROR")),
      [],
      "it stays, but is told once",
    );
  }));

Deno.test("one person who cannot be added to the organisation keeps nobody else out", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle } = cycles;
    const outside = ["one", "two"].map((name) => outsider(cycles, `${name}@example.com`));
    world.okta.addGroup("Engineering", outside);
    let tries = 0;
    world.grafana.intercept = (request, proceed) =>
      fits(request, "POST", JOIN) && ++tries <= 5 ? Response.json({}, { status: 500 }) : proceed();
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -0, 1 pending, 1 errors"]);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["two@example.com"]);
  }));

Deno.test("the error of a person is counted on the mapping whose group holds them", () =>
  withCycles({ mappings: [mapping("A", "T"), mapping("B", "U")] }, async (cycles) => {
    cycles.world.okta.addGroup("A", [cycles.world.addPerson("alice@example.com")]);
    cycles.world.okta.addGroup("B", [outsider(cycles, "bob@example.com")]);
    cycles.world.grafana.intercept = refuse("POST", JOIN, 403);
    assertEquals(summary(await cycles.cycle()), ["A->T: +1 -0", "B->U: +0 -0, 1 pending, 1 errors"]);
  }));

Deno.test("somebody who joined by a request whose answer was lost is in the team in the same cycle", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    cycles.world.okta.addGroup("Engineering", [outsider(cycles, "alice@example.com")]);
    cycles.world.grafana.intercept = loseFirstAnswer();
    assertEquals(summary(await cycles.cycle()), ["Engineering->Engineers: +1 -0"]);
  }));

/** Carries out the first request to join, and answers 502 in its place. */
function loseFirstAnswer() {
  let lost = false;
  return async (request: Request, proceed: () => Promise<Response>) => {
    const answer = await proceed();
    if (lost || !fits(request, "POST", JOIN)) return answer;
    lost = true;
    await answer.body?.cancel();
    return Response.json({}, { status: 502 });
  };
}

Deno.test("a stranger who joined by a request whose answer was lost is not put into the team", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle }) => {
    world.grafana.state.addUser({ login: "alice@example.com", email: "mallory@example.com", orgId: null });
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    world.grafana.intercept = loseFirstAnswer();
    await cycle();
    assertEquals(world.grafana.state.membersOf("Engineers"), []);
  }));

Deno.test("a 404 that does not say that the user is unknown is a failure, not somebody who waits", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    world.grafana.intercept = refuse("POST", JOIN, 404, { message: "Not found" });
    assertStringIncludes(
      errorsOf(await cycle()).join(),
      "could not add alice@example.com to the organisation: Not found",
    );
  }));

Deno.test("somebody who could not be added, and then turns out to be unknown, is pending and no failure any more", () =>
  withCycles({ mappings: ENGINEERS, sync: { incremental: false } }, async ({ world, cycle, clock }) => {
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    world.grafana.intercept = refuse("POST", JOIN, 400, { message: "no" });
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 1 pending, 1 errors"]);
    world.grafana.intercept = undefined;
    await clock.sleep(15 * 60_000, new AbortController().signal);
    for (let i = 0; i < 2; i++) {
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +0 -0, 1 pending"]);
    }
  }));

Deno.test("a stranger who could not be taken out again is not put into the team, now or later", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle }) => {
    world.grafana.state.addUser({ login: "alice@example.com", email: "mallory@example.com", orgId: null });
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    world.grafana.intercept = refuse("DELETE", /^\/api\/orgs\//, 403, { message: "no" });
    const [error = ""] = errorsOf(await cycle());
    assertStringIncludes(error, "they joined the organisation as Viewer and could not be taken out again");
    assertEquals(world.grafana.state.membersOf("Engineers"), []);
    await cycle();
    assertEquals(world.grafana.state.membersOf("Engineers"), []);
  }));

Deno.test("a stranger who joined before the organisation could not be read again is not put into the team later", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle } = cycles;
    world.grafana.state.addUser({ login: "alice@example.com", email: "mallory@example.com", orgId: null });
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    world.grafana.intercept = (request, proceed) => {
      const isAfterJoin = world.grafana.received.some(({ method }) => method === "POST");
      return isAfterJoin && fits(request, "GET", /\/org\/users\/search$/)
        ? Response.json({}, { status: 500 })
        : proceed();
    };
    assertStringIncludes(errorsOf(await cycle())[0] ?? "", "the users of Grafana could not be read");
    world.grafana.intercept = undefined;
    await cycle();
    assertEquals(world.grafana.state.membersOf("Engineers"), []);
    assert(!isInside(cycles, "mallory@example.com"));
  }));

Deno.test("a stranger whose joining was answered 502 to the end is not put into the team, nor after a restart", () =>
  withCycles({ mappings: ENGINEERS }, async ({ world, cycle, restart }) => {
    world.grafana.state.addUser({ login: "alice@example.com", email: "mallory@example.com", orgId: null });
    world.okta.addGroup("Engineering", [world.okta.addUser("alice@example.com")]);
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (!fits(request, "POST", JOIN)) return answer;
      await answer.body?.cancel();
      return Response.json({}, { status: 502 });
    };
    await cycle();
    await restart()();
    assertEquals(world.grafana.state.membersOf("Engineers"), []);
  }));

Deno.test("somebody who joined by themselves meanwhile is never taken out, whatever their email", () =>
  withCycles({ mappings: ENGINEERS }, async (cycles) => {
    const { world, cycle, writes } = cycles;
    const alice = outsider(cycles, "alice@example.com");
    world.okta.addGroup("Engineering", [alice]);
    const account = world.grafana.state.lookUp("alice@example.com");
    if (!account) throw new TypeError("alice has an account");
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "POST", JOIN)) {
        account.orgs.set(1, "Admin");
        account.email = "alice.smith@example.com";
      }
      return proceed();
    };
    await cycle();
    assertEquals(writes().filter((write) => write.startsWith("DELETE")), []);
    assertEquals(account.orgs.get(1), "Admin");
  }));
