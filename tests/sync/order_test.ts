/** What a cycle does first, and what the next ones remember of it. */
import { assertEquals } from "@std/assert";
import { fits, summary, withCycles } from "./cycle_world.ts";
import { emails, mapping } from "./fixtures.ts";
import { INTERVAL, settled } from "./settled.ts";

const A = mapping("A", "T");
const B = mapping("B", "U");
const JOIN = "POST /api/org/users";

Deno.test("a removal for which the second reading of the group takes 45 s is carried out at once", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle, clock, shutdown, messages }) => {
    const people = emails(1, 6).map((email) => world.addPerson(email));
    const { members } = world.okta.addGroup("A", people);
    await cycle();
    for (const user of people.slice(0, 1)) members.delete(user);
    world.okta.pageSize = 2;
    let looks = 0;
    world.okta.intercept = async (request, proceed) => {
      if (!fits(request, "GET", /\/groups\/\w+\/users$/)) return await proceed();
      if (!new URL(request.url).searchParams.has("after")) looks++;
      if (looks === 2) await clock.sleep(15_000, shutdown.signal);
      return await proceed();
    };
    messages();
    assertEquals([summary(await cycle()), looks], [["A->T: +0 -1"], 2]);
    assertEquals(messages().filter((line) => line.includes("checking it again")), []);
  }));

Deno.test("a dry run reads a team once", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle }) => {
    world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
    world.grafana.state.addTeam("T");
    await cycle({ dryRun: true });
    const reads = world.grafana.received.filter(({ path }) => /^\/api\/teams\/\d+\/members/.test(path));
    assertEquals(reads.length, 1);
  }));

Deno.test("a mapping that keeps failing is not reported in the cycles that skip it, although its team is", () =>
  withCycles({ mappings: [A, mapping("B", "T")] }, async ({ world, cycle, clock, shutdown }) => {
    world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
    const { id } = world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
    world.okta.intercept = (request, proceed) =>
      request.url.includes(`${id}/users`) ? Response.json({}, { status: 403 }) : proceed();
    const reported: string[][] = [];
    for (let i = 0; i < 3; i++) {
      reported.push((await cycle()).mappings.map(({ mapping }) => mapping.okta_group));
      await clock.sleep(INTERVAL * 1_000, shutdown.signal);
    }
    assertEquals(reported, [["A", "B"], ["A", "B"], ["A"]]);
  }));

Deno.test("somebody who watches is told the end of mappings without a change as well", () =>
  settled({ A: ["ann"], B: ["bob"] }, { mappings: [A, B] }, async ({ cycle, clock, shutdown }) => {
    await clock.sleep(INTERVAL * 1_000, shutdown.signal);
    const ended: string[] = [];
    const { isFull } = await cycle({ onMapping: ({ mapping }) => ended.push(mapping.okta_group) });
    assertEquals([isFull, ended], [false, ["A", "B"]]);
  }));

Deno.test("somebody unknown is asked for again only a quarter of an hour later, however often that was done", () =>
  withCycles(
    { mappings: [A], sync: { incremental: false } },
    async ({ world, cycle, clock, shutdown, writes }) => {
      world.okta.addGroup("A", [world.okta.addUser("new@example.com")]);
      const asked: number[] = [];
      for (let i = 0; i < 7; i++) {
        await cycle();
        asked.push(writes().filter((write) => write === JOIN).length);
        await clock.sleep(INTERVAL * 1_000, shutdown.signal);
      }
      assertEquals(asked, [1, 0, 0, 1, 0, 0, 1]);
    },
  ));

Deno.test("a group that keeps failing is asked for less often, which is said each time it becomes rarer", () =>
  withCycles(
    { mappings: [A, B], sync: { incremental: false } },
    async ({ world, cycle, clock, shutdown, messages }) => {
      world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
      const { id } = world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
      let [asked, said] = [0, 0];
      world.okta.intercept = (request, proceed) => {
        if (!request.url.includes(`${id}/users`)) return proceed();
        asked++;
        return Response.json({}, { status: 403 });
      };
      const cycles: string[] = [];
      for (let i = 1; i <= 9; i++) {
        await cycle();
        said = messages().filter((line) => line.includes("Okta group 'B' has failed ")).length;
        cycles.push(`${asked}${said ? "!" : ""}`);
        await clock.sleep(INTERVAL * 1_000, shutdown.signal);
      }
      assertEquals(cycles, ["1", "2!", "2", "3!", "3", "3", "3", "4!", "4"]);
    },
  ));

Deno.test("a group that is skipped because it keeps failing keeps its members in the team, although another group changed", () =>
  withCycles(
    { mappings: [A, mapping("B", "T")], sync: { incremental: false, removal_limit: "off" } },
    async ({ world, cycle, clock, shutdown }) => {
      const [ann, al] = emails(1, 2).map((email) => world.addPerson(email));
      if (!ann || !al) throw new TypeError("two people");
      world.okta.addGroup("A", [ann, al]);
      const { id } = world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
      await cycle();
      world.okta.intercept = (request, proceed) =>
        request.url.includes(`${id}/users`) ? Response.json({}, { status: 403 }) : proceed();
      for (let i = 0; i < 2; i++) {
        await clock.sleep(INTERVAL * 1_000, shutdown.signal);
        await cycle();
      }
      world.okta.group("A").members.delete(ann);
      world.okta.group("A").members.add(world.addPerson("eve@example.com"));
      assertEquals(summary(await cycle()), ["A->T: +1 -0, 2 on hold"], "only what is due is reported");
      assertEquals(world.grafana.state.membersOf("T").length, 4);
    },
  ));

Deno.test("a group that is skipped because it keeps failing is not asked for when its team is checked again", () =>
  withCycles(
    { mappings: ["A", "B", "C"].map((group) => mapping(group, "T")) },
    async ({ world, cycle, clock, shutdown }) => {
      const [ann, al] = emails(1, 2).map((email) => world.addPerson(email));
      if (!ann || !al) throw new TypeError("two people");
      world.okta.clock = () => clock.now() - 86_400_000;
      world.okta.addGroup("A", [ann, al]);
      const { id } = world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
      world.okta.addGroup("C", [world.addPerson("cy@example.com")]);
      world.okta.clock = clock.now;
      let asked = 0;
      world.okta.intercept = (request, proceed) => {
        if (!request.url.includes(`${id}/users`)) return proceed();
        asked++;
        return Response.json({}, { status: 403 });
      };
      for (let i = 0; i < 2; i++) {
        await cycle();
        await clock.sleep(INTERVAL * 1_000, shutdown.signal);
      }
      world.okta.group("A").members.delete(ann);
      const report = await cycle();
      assertEquals([report.isFull, asked, summary(report)], [
        false,
        2,
        ["A->T: +0 -0, 1 on hold", "C->T: +0 -0"],
      ]);
    },
  ));

Deno.test("a team that keeps failing is asked for less often, which is said each time it becomes rarer", () =>
  withCycles(
    { mappings: [A, B], sync: { incremental: false } },
    async ({ world, cycle, clock, shutdown, messages }) => {
      world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
      world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
      const { id } = world.grafana.state.addTeam("U");
      let asked = 0;
      world.grafana.intercept = (request, proceed) => {
        if (!request.url.includes(`/teams/${id}/members`)) return proceed();
        asked++;
        return Response.json({}, { status: 403 });
      };
      const cycles: string[] = [];
      for (let i = 1; i <= 9; i++) {
        await cycle();
        const said = messages().some((line) => line.includes("Grafana team 'U' has failed "));
        cycles.push(`${asked}${said ? "!" : ""}`);
        await clock.sleep(INTERVAL * 1_000, shutdown.signal);
      }
      assertEquals(cycles, ["1", "2!", "2", "3!", "3", "3", "3", "4!", "4"]);
    },
  ));

Deno.test("groups that were not asked for because the first ones failed come first in the next cycle", () => {
  const groups = Array.from({ length: 20 }, (_, i) => `G${i}`);
  const mappings = groups.map((group) => mapping(group, `T${group}`));
  const bad = new Set<string>();
  const network = () => (url: string, init?: RequestInit) =>
    [...bad].some((path) => url.includes(path))
      ? Promise.reject(new TypeError("connection reset"))
      : fetch(url, init);
  return withCycles({ mappings, network }, async ({ world, cycle, clock, shutdown }) => {
    const ann = world.addPerson("ann@example.com");
    for (const group of groups) world.okta.addGroup(group, [ann]);
    for (const group of groups.slice(0, 8)) bad.add(`/groups/${world.okta.group(group).id}/users`);
    await cycle();
    await clock.sleep(INTERVAL * 1_000, shutdown.signal);
    await cycle();
    assertEquals(groups.filter((group) => world.grafana.state.team(`T${group}`)), groups.slice(8));
  });
});

for (const service of ["okta", "grafana"] as const) {
  Deno.test(`what fails in every other cycle in ${service} has not failed in a row, and is asked for in each cycle`, () =>
    withCycles(
      { mappings: [A, B], sync: { incremental: false } },
      async ({ world, cycle, clock, shutdown, messages }) => {
        world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
        const group = world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
        const team = world.grafana.state.addTeam("U");
        const path = service === "okta" ? `${group.id}/users` : `teams/${team.id}/members`;
        const cycles: number[] = [];
        for (let i = 0; i < 8; i++) {
          world[service].intercept = (request, proceed) =>
            i % 2 === 0 && request.url.includes(path) ? Response.json({}, { status: 403 }) : proceed();
          cycles.push((await cycle()).mappings.length);
          await clock.sleep(INTERVAL * 1_000, shutdown.signal);
        }
        assertEquals(cycles, [2, 2, 2, 2, 2, 2, 2, 2]);
        assertEquals(messages().filter((line) => line.includes("has failed ")), []);
      },
    ));
}
