/** Odd data: a group of 100,000 and a team with 20,000. Without sockets, for they are not what is tried. */
import { assert, assertEquals } from "@std/assert";
import type { CycleSettings, CycleWorld } from "../sync/cycle_world.ts";
import { fits, summary, withCycles } from "../sync/cycle_world.ts";
import { partsOf } from "../../src/sync/plan/team.ts";
import { emails } from "../sync/fixtures.ts";

const SETTINGS: CycleSettings = {
  mappings: [{ okta_group: "G", grafana_team: "T" }],
  network: (world) => world.fetch,
};

/** `inGroup` people, of whom the first `inTeam` are in Grafana and in the team. */
function fill({ world }: CycleWorld, inGroup: number, inTeam: number): void {
  const { okta, grafana: { state } } = world;
  okta.limitRate({ limit: 1_000_000, remaining: 1_000_000, resetAt: Infinity });
  const everybody = emails(1, inGroup);
  const { members } = okta.addGroup("G");
  for (const email of everybody) members.add(okta.addUser(email));
  const team = state.addTeam("T");
  const users = everybody.slice(0, inTeam).map((email) => state.addUser({ login: email, email }));
  for (const { id } of users) team.members.set(id, 0);
  // The simulation would sort all users and draw all their pictures for each page.
  const orgUsers = users.map(({ id, login, email }) => ({ orgId: 1, userId: id, login, email }));
  world.grafana.intercept = (request, proceed) => {
    if (!fits(request, "GET", /^\/api\/org\/users\/search$/)) return proceed();
    const page = Number(new URL(request.url).searchParams.get("page"));
    const items = orgUsers.slice((page - 1) * 1_000, page * 1_000);
    return Response.json({ totalCount: orgUsers.length, page, perPage: 1_000, orgUsers: items });
  };
}

Deno.test("a group of 100,000 and a team with 20,000: the difference is exact, and nobody else is touched", () =>
  withCycles(SETTINGS, async (cycles) => {
    const { world, cycle } = cycles;
    fill(cycles, 100_000, 20_000);
    const { members } = world.okta.group("G");
    const people = [...members];
    for (const user of people.slice(0, 3)) members.delete(user);
    for (const id of [100, 200]) world.grafana.state.team("T")?.members.delete(id);
    // Those whom Grafana does not know would be asked for one by one.
    const report = await cycle({ dryRun: true });
    assertEquals(
      report.mappings.map(({ groupMembers, pending, errors }) => [groupMembers, pending, errors]),
      [
        [99_997, 80_000, []],
      ],
    );
    assertEquals(
      report.plans.map(partsOf).map(({ additions, removals }) => [additions.length, removals.length]),
      [[
        2,
        3,
      ]],
    );
    assert(world.okta.received.length > 1_000, "it was read page by page, twice");
  }));

Deno.test("a team with 20,000 is synced, and the next cycle writes nothing", () =>
  withCycles(SETTINGS, async (cycles) => {
    const { world, cycle, writes } = cycles;
    fill(cycles, 20_000, 20_000);
    const { members } = world.okta.group("G");
    for (const user of [...members].slice(0, 2)) members.delete(user);
    world.grafana.state.team("T")?.members.delete(20_000);
    assertEquals(summary(await cycle()), ["G->T: +1 -2"]);
    assertEquals(writes().length, 3);
    assertEquals(summary(await cycle()), ["G->T: +0 -0"]);
    assertEquals([writes(), world.grafana.state.team("T")?.members.size], [[], 19_998]);
  }));

Deno.test("half of a team with 20,000 and one more: all on hold", () =>
  withCycles(SETTINGS, async (cycles) => {
    const { world, cycle, writes } = cycles;
    fill(cycles, 20_000, 20_000);
    const { members } = world.okta.group("G");
    for (const user of [...members].slice(0, 10_001)) members.delete(user);
    assertEquals(summary(await cycle()), ["G->T: +0 -0, 10001 on hold"]);
    assertEquals(writes(), []);
  }));
