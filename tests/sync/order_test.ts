/** What a cycle does first, and what the next ones remember of it. */
import { assert, assertEquals } from "@std/assert";
import { errorsOf, fits, summary, withCycles } from "./cycle_world.ts";
import { emails, mapping } from "./fixtures.ts";
import { INTERVAL, settled } from "./settled.ts";

const A = mapping("A", "T");
const B = mapping("B", "U");
const JOIN = "POST /api/org/users";

Deno.test("a removal whose second look at the group takes 45 s is carried out at once", () =>
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
    assertEquals(messages().filter((line) => line.includes("compared again")), []);
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
