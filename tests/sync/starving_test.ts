/** What fails always holds nobody else up: no group, no team, no person; and a service that is down is not asked on. */
import { assertEquals } from "@std/assert";
import type { Fetch } from "../../src/http/types.ts";
import type { World } from "../../src/simulation/world.ts";
import { errorsOf, fits, holdReason, summary, withCycles } from "./cycle_world.ts";
import { emails } from "./fixtures.ts";

const mappingsOf = (groups: readonly string[]) =>
  groups.map((group) => ({ okta_group: group, grafana_team: `T${group}` }));
const ADD = /^\/api\/teams\/\d+\/members$/;

/** Whether a request reads one of these groups, or looks for its team. */
function concerns(world: World, service: "okta" | "grafana", bad: readonly string[], url: string): boolean {
  return bad.some((name) =>
    service === "okta"
      ? url.includes(`/groups/${world.okta.group(name).id}/users`)
      : url.includes(`/teams/search?name=T${name}&`)
  );
}

const ORDERS = {
  first: ["X1", "X2", "X3", "B", "C", "D"],
  "in the middle": ["B", "X1", "X2", "X3", "C", "D"],
  last: ["B", "C", "D", "X1", "X2", "X3"],
  scattered: ["X1", "B", "X2", "C", "X3", "D"],
};
const error500 = () => Promise.resolve(Response.json({}, { status: 500 }));
const reset = () => Promise.reject(new TypeError("connection reset"));

/** What fails, and within how many cycles the others are synced nevertheless. */
const FAILURES: readonly (readonly [
  how: string,
  bad: readonly string[],
  fail: () => Promise<Response>,
  cycles: number,
])[] = [
  ["three answer 500", ["X1", "X2", "X3"], error500, 2],
  ["one is unreachable", ["X1"], reset, 2],
  ["two are unreachable", ["X1", "X2"], reset, 4],
  ["three are unreachable", ["X1", "X2", "X3"], reset, 6],
];

for (const service of ["okta", "grafana"] as const) {
  for (const [where, groups] of Object.entries(ORDERS)) {
    for (const [how, bad, fail, cycles] of FAILURES) {
      const name = `${service}: within ${cycles} cycles all others are synced although ${how}, ${where}`;
      Deno.test(name, () => othersAreSynced(service, groups, bad, fail, cycles));
    }
  }
}

/** Four times somebody new comes into each group; so many cycles later they are in every team that can be synced. */
function othersAreSynced(
  service: "okta" | "grafana",
  groups: readonly string[],
  bad: readonly string[],
  fail: () => Promise<Response>,
  cycles: number,
): Promise<void> {
  const network = (world: World): Fetch => (url, init) =>
    concerns(world, service, bad, url) ? fail() : fetch(url, init);
  return withCycles({ mappings: mappingsOf(groups), network }, async ({ world, cycle, clock }) => {
    for (const group of groups) world.okta.addGroup(group, [world.addPerson(`first-${group}@example.com`)]);
    for (const round of ["a", "b", "c", "d"]) {
      const next = world.addPerson(`${round}@example.com`);
      for (const group of groups) world.okta.group(group).members.add(next);
      for (let i = 0; i < cycles; i++) {
        await clock.sleep(300_000, new AbortController().signal);
        await cycle();
      }
      const missing = groups.filter((group) =>
        !bad.includes(group) && !world.grafana.state.membersOf(`T${group}`).includes(`${round}@example.com`)
      );
      assertEquals(missing, [], `round ${round}`);
    }
  });
}

/** What is refused to the credential is not tried further; several are under way when the server fails. */
const REFUSALS = [[403, 1, "+0", "+1"], [500, 5, "+1", "+0"]] as const;

for (const [status, count, first, second] of REFUSALS) {
  Deno.test(`${count} additions that are answered ${status} hold up neither removals nor the other additions`, () =>
    withCycles({ mappings: mappingsOf(["A"]) }, async ({ world, cycle }) => {
      const old = emails(1, 6).map((email) => world.addPerson(email));
      const { members } = world.okta.addGroup("A", old);
      await cycle();
      for (const user of old.slice(0, 2)) members.delete(user);
      const bad = new Set<unknown>();
      for (let i = 0; i < count; i++) {
        members.add(world.addPerson(`bad${i}@example.com`));
        bad.add(world.grafana.state.lookUp(`bad${i}@example.com`)?.id);
      }
      members.add(world.addPerson("good@example.com"));
      world.grafana.intercept = async (request, proceed) => {
        if (!fits(request, "POST", ADD)) return await proceed();
        const { userId } = await request.clone().json();
        return bad.has(userId) ? Response.json({ message: "no" }, { status }) : await proceed();
      };
      assertEquals(summary(await cycle()), [`A->TA: ${first} -2, ${count} errors`]);
      assertEquals(summary(await cycle()), [`A->TA: ${second} -0, ${count} errors`]);
      assertEquals(world.grafana.state.membersOf("TA"), [...emails(3, 6), "good@example.com"].sort());
    }));
}

/** Sixty teams. */
const SIXTY = Array.from({ length: 60 }, (_, i) => `G${i}`);

Deno.test("Okta failing from the second reading on is not asked again for each team", () =>
  withCycles({ mappings: mappingsOf(SIXTY) }, async ({ world, cycle }) => {
    const people = emails(1, 4).map((email) => world.addPerson(email));
    for (const group of SIXTY) world.okta.addGroup(group, people);
    await cycle();
    for (const group of SIXTY) {
      for (const leaver of people.slice(0, 1)) world.okta.group(group).members.delete(leaver);
    }
    let asked = 0;
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "GET", /teams\/\d+\/members/)) {
        world.okta.intercept = () => {
          asked++;
          return Response.json({}, { status: 500 });
        };
      }
      return proceed();
    };
    const report = await cycle();
    assertEquals(asked, 3 * 5, "three groups, five attempts each");
    assertEquals(report.plans.map(holdReason), SIXTY.map(() => "incomplete-read"));
  }));

Deno.test("a Grafana that fails all writes is given up after three teams in a cycle", () =>
  withCycles({ mappings: mappingsOf(SIXTY) }, async ({ world, cycle }) => {
    const people = emails(1, 6).map((email) => world.addPerson(email));
    for (const group of SIXTY) {
      world.okta.addGroup(group, people);
      world.grafana.state.addTeam(`T${group}`);
    }
    const teams = new Set<string>();
    world.grafana.intercept = (request, proceed) => {
      if (request.method === "GET") return proceed();
      teams.add(new URL(request.url).pathname);
      return Response.json({ message: "read-only" }, { status: 500 });
    };
    const report = await cycle();
    assertEquals(teams.size, 3);
    assertEquals(new Set(errorsOf(report).map((line) => line.split(":")[0])).size, 60, "all are told");
  }));
