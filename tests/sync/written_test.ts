/** What is written when a write goes wrong, or comes late, and what is read afterwards. */
import { assertEquals, assertMatch } from "@std/assert";
import { type CycleSettings, errorsOf, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { emails, mapping } from "./fixtures.ts";
import { ENGINEERS, PASSWORD } from "./newcomers.ts";
import { settled } from "./settled.ts";

const A = mapping("A", "T");
const MEMBERS = /^\/api\/teams\/\d+\/members$/;
const ADMIN = "admin@localhost";
const BULK: CycleSettings = { mappings: [A], network: (world) => world.fetch };
const writesTo = (writes: readonly string[]) => writes.filter((one) => one.includes("/members"));

Deno.test("where somebody else creates a team with gots's account as a plain member, gots does not take it out at once", () =>
  withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle }) => {
    const { state } = world.grafana;
    world.okta.addGroup("Engineering", [world.addPerson("ann@example.com")]);
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "POST", /^\/api\/teams$/)) {
        state.addTeam("Engineers").members.set(state.lookUp(ADMIN)?.id ?? 0, 0);
      }
      return proceed();
    };
    await cycle();
    assertEquals(state.membersOf("Engineers"), [ADMIN, "ann@example.com"].sort());
  }));

Deno.test("a Grafana that is down when gots leaves the team that it created is told as such", () =>
  withCycles({ mappings: ENGINEERS, grafana: PASSWORD }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.addPerson("ann@example.com")]);
    world.grafana.intercept = refuse("DELETE", /members/, 500, { message: "no" });
    const [error = "", ...others] = errorsOf(await cycle());
    assertEquals(others, []);
    assertMatch(error, /^Engineering: no \(Grafana DELETE/);
    world.grafana.intercept = undefined;
    await cycle();
    assertEquals(world.grafana.state.membersOf("Engineers"), ["ann@example.com"]);
  }));

Deno.test("of a bulk write that failed, and whose team cannot be read back, nothing is told as done", () =>
  withCycles(BULK, async ({ world, cycle, captured }) => {
    world.grafana.state.version = "11.1.0";
    world.grafana.state.addTeam("T");
    world.okta.addGroup("A", emails(1, 8).map((email) => world.addPerson(email)));
    let isSent = false;
    world.grafana.intercept = (request, proceed) => {
      isSent ||= fits(request, "PUT", MEMBERS);
      return isSent ? Response.json({ message: "no" }, { status: 500 }) : proceed();
    };
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 errors"]);
    assertEquals(captured.lines().filter(({ outcome }) => outcome === "done"), []);
  }));

Deno.test("where a bulk write is forbidden, nothing else of the team is written", () =>
  withCycles(BULK, async ({ world, cycle, writes }) => {
    world.grafana.state.version = "11.1.0";
    world.grafana.state.addTeam("T");
    world.okta.addGroup("A", emails(1, 8).map((email) => world.addPerson(email)));
    world.grafana.intercept = refuse("PUT", MEMBERS, 403, { message: "no" });
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 errors"]);
    assertEquals(writesTo(writes()), ["PUT /api/teams/1/members"]);
  }));

Deno.test("no bulk write while the limit holds removals", () =>
  withCycles(BULK, async ({ world, cycle, writes }) => {
    world.grafana.state.version = "11.1.0";
    const people = emails(1, 12).map((email) => world.addPerson(email));
    const { members } = world.okta.addGroup("A", people);
    await cycle();
    for (const user of people.slice(0, 9)) members.delete(user);
    for (const email of emails(13, 17)) members.add(world.addPerson(email));
    writes();
    await cycle();
    assertEquals(writesTo(writes()).filter((one) => one.startsWith("PUT")), []);
    assertEquals(new Set(world.grafana.state.membersOf("T")), new Set(emails(1, 17)));
  }));

Deno.test("where reading the team right before a bulk write takes 40 s, who left the group meanwhile is not added", () =>
  withCycles(BULK, async ({ world, cycle, clock, shutdown }) => {
    world.grafana.state.version = "11.1.0";
    world.grafana.state.addTeam("T");
    const people = emails(1, 8).map((email) => world.addPerson(email));
    const { members } = world.okta.addGroup("A", people);
    let isFirst = true;
    world.grafana.intercept = async (request, proceed) => {
      if (!isFirst || !new URL(request.url).searchParams.get("name")) return await proceed();
      isFirst = false;
      await clock.sleep(40_000, shutdown.signal);
      for (const user of people.slice(0, 1)) members.delete(user);
      return await proceed();
    };
    assertEquals(summary(await cycle()), ["A->T: +7 -0"]);
    assertEquals(world.grafana.state.membersOf("T"), emails(2, 8));
  }));

Deno.test("a team that takes minutes to write is written in one cycle, compared anew every 30 s", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle, clock, shutdown }) => {
    world.okta.addGroup("A", emails(1, 60).map((email) => world.addPerson(email)));
    world.grafana.intercept = async (request, proceed) => {
      if (fits(request, "POST", MEMBERS)) await clock.sleep(5_000, shutdown.signal);
      return await proceed();
    };
    assertEquals(summary(await cycle()), ["A->T: +60 -0"]);
  }));

for (const service of ["okta", "grafana"] as const) {
  Deno.test(`a mapping that failed once in ${service} and went well since is left alone while nothing changes`, () =>
    settled(
      { A: ["ann"] },
      { mappings: [A], sync: { full_refresh_seconds: 86_400 } },
      async ({ next, world, person, requests }) => {
        world.okta.group("A").members.add(person("bob"));
        world[service].intercept = service === "okta"
          ? refuse("GET", /\/groups\/\w+\/users$/, 403)
          : refuse("GET", MEMBERS, 403);
        assertEquals(errorsOf(await next()).length, 1);
        world[service].intercept = undefined;
        assertEquals(summary(await next()), ["A->T: +1 -0"]);
        requests();
        await next();
        assertEquals(requests().filter((one) => /\/members$|\/groups\/\w+\/users$/.test(one)), []);
      },
    ));
}

Deno.test("somebody without an email who gets another login is compared in the next cycle", () =>
  settled(
    { A: ["ann", "bob"] },
    { mappings: [A], sync: { removal_limit: "off" } },
    async ({ next, world, person }) => {
      world.grafana.state.addUser({ login: "cy@example.com", email: "cy@example.com" });
      person("bob").email = "";
      await next();
      person("bob").login = "cy@example.com";
      const report = await next();
      assertEquals([report.isFull, world.grafana.state.membersOf("T").includes("cy@example.com")], [
        false,
        true,
      ]);
    },
  ));
