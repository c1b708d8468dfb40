/** What is told of a team that several groups feed, or that is planned more than once in a cycle. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Intercept } from "../../src/simulation/server.ts";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { type CycleWorld, errorsOf, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { emails, mapping } from "./fixtures.ts";
import { settled } from "./settled.ts";

const A = mapping("A", "T");
const B = mapping("B", "T");
const MEMBERS = /^\/api\/teams\/\d+\/members$/;
const no = (status: number, headers: HeadersInit = {}) =>
  Response.json({ message: "no" }, { status, headers });

/** Makes the n-th addition to a team wait for 290 s, so that the team is planned anew. */
function waitAt(n: number): (...given: Parameters<Intercept>) => Response | Promise<Response> {
  let count = 0;
  return (request, proceed) =>
    fits(request, "POST", MEMBERS) && ++count === n ? no(429, { "retry-after": "290" }) : proceed();
}

/** Groups A and B with so many people each, who are all new in team T. */
function fill({ world }: CycleWorld, a: number, b: number): { readonly id: string } {
  world.okta.addGroup("A", emails(1, a).map((email) => world.addPerson(email)));
  return world.okta.addGroup("B", emails(a + 1, a + b).map((email) => world.addPerson(email)));
}

const auditOf = ({ captured }: CycleWorld, action: string, outcome: string) =>
  captured.lines().filter((line) => line.audit === 1 && line.action === action && line.outcome === outcome);

Deno.test("a team that is planned anew: each mapping counts its own changes, those of before the wait as well", () =>
  withCycles({ mappings: [A, B] }, async (cycles) => {
    fill(cycles, 3, 2);
    cycles.world.grafana.intercept = waitAt(5);
    const report = await cycles.cycle();
    assertEquals(summary(report), ["A->T: +3 -0", "B->T: +2 -0"]);
    assertEquals(report.mappings.map(({ teamMembers }) => teamMembers), [5, 5]);
    assertEquals(auditOf(cycles, "add", "done").length, 5);
    assertEquals(cycles.messages().filter((line) => line.includes("Starting sync: A")).length, 2);
  }));

Deno.test("a team that is planned anew is not read in the next cycle if nothing changed", () =>
  settled({ A: ["ann"] }, { mappings: [A], sync: { full_refresh_seconds: 86_400 } }, async (cycles) => {
    const { next, world, person, requests } = cycles;
    for (const name of ["bob", "cy", "dee"]) world.okta.group("A").members.add(person(name));
    world.grafana.intercept = waitAt(2);
    assertEquals(summary(await next()), ["A->T: +3 -0"]);
    requests();
    await next();
    assertEquals(requests().filter((one) => /^GET \/api\/teams\/\d+\/members$/.test(one)), []);
  }));

Deno.test("a team that is planned anew: a group that cannot be read is still an error, once", () =>
  withCycles({ mappings: [B, A] }, async (cycles) => {
    const { world, cycle, messages } = cycles;
    const { id } = fill(cycles, 2, 1);
    world.okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), 403);
    world.grafana.intercept = waitAt(2);
    const report = await cycle();
    assertEquals(summary(report), ["B->T: +0 -0, 1 errors", "A->T: +2 -0"]);
    const lines = messages();
    assertEquals(lines.filter((line) => line.startsWith("ERROR")).length, 1);
    assertMatch(lines.find((line) => line.startsWith("ERROR")) ?? "", /^ERROR Sync failed for B -> T: /);
    assertEquals(lines.filter((line) => line.startsWith("INFO Sync completed")).length, 1, "that of A");
  }));

Deno.test("a team that is planned anew: somebody who could not join the organisation is still an error", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    const { world, cycle } = cycles;
    world.grafana.state.addUser({ login: "out", email: "out@example.com", orgId: null });
    const people = emails(1, 2).map((email) => world.addPerson(email));
    world.okta.addGroup("A", [...people, world.okta.addUser("out@example.com")]);
    const wait = waitAt(2);
    world.grafana.intercept = (request, proceed) =>
      fits(request, "POST", /^\/api\/org\/users$/) ? no(400) : wait(request, proceed);
    assertEquals(summary(await cycle()), ["A->T: +2 -0, 1 pending, 1 errors"]);
  }));

Deno.test("a team that cannot be read when it is to be planned anew: nothing is said of its members", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    const { world, cycle } = cycles;
    world.okta.addGroup("A", [
      ...emails(1, 2).map((email) => world.addPerson(email)),
      world.okta.addUser("x@y.z"),
    ]);
    const wait = waitAt(2);
    let isDown = false;
    world.grafana.intercept = (request, proceed) => {
      if (isDown && fits(request, "GET", /^\/api\/teams/)) return no(403);
      isDown ||= world.grafana.state.membersOf("T").length === 1 && fits(request, "POST", MEMBERS);
      return wait(request, proceed);
    };
    const [one] = (await cycle()).mappings;
    assertEquals([one?.teamMembers, one?.pending, one?.added, one?.errors.length], [undefined, 0, 1, 1]);
  }));

Deno.test("the duration of a mapping includes reading its group, and the changes of before the team was planned anew", () =>
  withCycles({ mappings: [A, B] }, async (cycles) => {
    const { world, cycle, clock, shutdown } = cycles;
    const { id } = fill(cycles, 3, 1);
    world.okta.intercept = async (request, proceed) => {
      if (request.url.includes(`${id}/users`)) await clock.sleep(7_000, shutdown.signal);
      return await proceed();
    };
    const wait = waitAt(4);
    world.grafana.intercept = async (request, proceed) => {
      const answer = await wait(request, proceed);
      if (fits(request, "POST", MEMBERS)) await clock.sleep(5_000, shutdown.signal);
      return answer;
    };
    const [a, b] = (await cycle()).mappings.map(({ durationSeconds }) => durationSeconds);
    assert((a ?? 0) >= 15 && (b ?? 0) >= 12, `${a} s, ${b} s`);
  }));

Deno.test("of two mappings of a team each one knows how many members the team has", () =>
  withCycles({ mappings: [A, B] }, async (cycles) => {
    fill(cycles, 2, 1);
    const report = await cycles.cycle();
    assertEquals(report.mappings.map(({ teamMembers, added }) => [teamMembers, added]), [[3, 2], [3, 1]]);
  }));

Deno.test("somebody who is pending, or cannot be told apart, counts on the first mapping whose group holds them", () =>
  withCycles({ mappings: [A, B] }, async (cycles) => {
    const { world, cycle } = cycles;
    fill(cycles, 1, 1);
    world.okta.group("A").members.add(world.okta.addUser("new@example.com"));
    world.grafana.state.addUser({ login: "a1", email: "Alice@example.com" });
    world.grafana.state.addUser({ login: "a2", email: "ALICE@example.com" });
    world.okta.group("B").members.add(world.okta.addUser("alice@example.com"));
    assertEquals(summary(await cycle()), ["A->T: +1 -0, 1 pending", "B->T: +1 -0, 1 errors"]);
  }));

Deno.test("a mapping gave up where every request is refused, and where the rest was not tried", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    const { world, cycle } = cycles;
    fill(cycles, 1, 0);
    const gaveUp = async () => (await cycle()).mappings.map((one) => [one.gaveUp, isSuccess(one)]);
    world.grafana.intercept = refuse("POST", MEMBERS, 403, { message: "no" });
    assertEquals(await gaveUp(), [[true, false]], "refused");
    for (const email of emails(2, 20)) world.okta.group("A").members.add(world.addPerson(email));
    world.grafana.intercept = refuse("POST", MEMBERS, 500, { message: "no" });
    assertEquals(await gaveUp(), [[true, false]], "given up");
    world.grafana.intercept = undefined;
    assertEquals(await gaveUp(), [[false, true]]);
  }));

Deno.test("several writes that were under way when Grafana began to refuse them are one error", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    const { world, cycle } = cycles;
    fill(cycles, 12, 0);
    let count = 0;
    world.grafana.intercept = (request, proceed) =>
      fits(request, "POST", MEMBERS) && ++count > 1 ? no(403) : proceed();
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +1 -0, 1 errors"]);
    assertMatch(errorsOf(report).join(), /more were not tried/);
  }));

Deno.test("a team is created and filled: the audit names its id with every change", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    fill(cycles, 2, 0);
    await cycles.cycle();
    assertEquals(auditOf(cycles, "add", "done").map(({ team_id }) => team_id), [1, 1]);
  }));

Deno.test("a team whose creation was answered only the second time is said to exist already", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    const { world, cycle, messages } = cycles;
    fill(cycles, 1, 0);
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (!fits(request, "POST", /^\/api\/teams$/) || answer.status !== 200) return answer;
      return no(502);
    };
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
    assertEquals(messages().filter((line) => /Created team|exists already/.test(line)), [
      "INFO Team T exists already: an earlier answer was lost, or someone else created it",
    ]);
  }));

Deno.test("additions that wait for the removal limit are audited as on hold, like the removals", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    const { world, cycle } = cycles;
    const people = emails(1, 6).map((email) => world.addPerson(email));
    const { members } = world.okta.addGroup("A", people);
    await cycle();
    for (const user of people.slice(0, 4)) members.delete(user);
    for (const email of emails(7, 26)) members.add(world.addPerson(email));
    const report = await cycle();
    const waiting = report.plans.flatMap(({ holds }) =>
      holds.flatMap((hold) => hold.kind === "on_hold" ? hold.additions : [])
    );
    assert(waiting.length > 0);
    assertEquals(auditOf(cycles, "add", "on_hold").length, waiting.length);
    assertEquals(auditOf(cycles, "remove", "on_hold").length, 4);
  }));

Deno.test("of a team that is written with one request, a mapping is begun before its changes are told", () =>
  withCycles({ mappings: [A] }, async (cycles) => {
    cycles.world.grafana.state.version = "11.1.0";
    fill(cycles, 8, 0);
    await cycles.cycle();
    const lines = cycles.messages().filter((line) => /Starting sync|Added user/.test(line));
    assertEquals([lines.length, lines[0]], [9, "INFO Starting sync: A -> T"]);
  }));

Deno.test("a group and a person that Okta deleted unseen are told as they are found when their teams are checked", () =>
  settled({ A: ["ann"], B: ["bob", "cy"] }, { mappings: [A, mapping("B", "U")] }, async (cycles) => {
    const { next, world: { okta, grafana: { state } } } = cycles;
    okta.groups.splice(0, 1);
    const { members } = okta.group("B");
    okta.users.splice(okta.users.indexOf(cycles.person("cy")), 1);
    // Past `delete`, which would move the group's time.
    Set.prototype.delete.call(members, cycles.person("cy"));
    for (const team of ["T", "U"]) state.team(team)?.members.clear();
    const report = await next();
    assertEquals(report.mappings.map(({ groupMembers }) => groupMembers), [undefined, 1]);
    assertMatch(errorsOf(report).join(), /^A: Group not found: A/);
  }));
