/** Odd data: people who are renamed, or move, while lists are read page by page. */
import { assertEquals } from "@std/assert";
import type { Fetch } from "../../src/http/types.ts";
import type { World } from "../../src/simulation/world.ts";
import { type CycleSettings, type CycleWorld, fits, summary, withCycles } from "../sync/cycle_world.ts";

const MAPPINGS = [{ okta_group: "G", grafana_team: "T" }];
const GROUP = /^\/api\/v1\/groups\/[^/]+\/users$/;
const USERS = /^\/api\/org\/users\/search$/;
const NAMES = ["ann", "bob", "cem", "dee", "eve", "fay"];
const all = NAMES.map((name) => `${name}@example.com`);

/** A network that asks Grafana for pages of two, for which a real one would need thousands of users. */
const smallPages = (world: World): Fetch => (url, init) =>
  world.fetch(url.replace("perpage=1000", "perpage=2"), init);
const SETTINGS: CycleSettings = { mappings: MAPPINGS, network: smallPages };

/** Everybody is in the team. Then Okta gives pages of two as well. */
function afterFirstCycle(test: (cycles: CycleWorld) => Promise<void>): Promise<void> {
  return withCycles(SETTINGS, async (cycles) => {
    const { world, cycle, writes } = cycles;
    world.okta.addGroup("G", all.map((email) => world.addPerson(email)));
    assertEquals(summary(await cycle()), ["G->T: +6 -0"]);
    world.okta.pageSize = 2;
    writes();
    await test(cycles);
  });
}

/** Does something once, before the second page of a list is given. */
function beforeSecondPage({ world }: CycleWorld, service: "okta" | "grafana", act: () => void): void {
  let pages = 0;
  world[service].intercept = (request, proceed) => {
    if (fits(request, "GET", service === "okta" ? GROUP : USERS) && ++pages === 2) act();
    return proceed();
  };
}

Deno.test("users renamed between two pages, in both services: nothing is written, nobody is lost", () =>
  afterFirstCycle(async (cycles) => {
    const { world, cycle, writes } = cycles;
    beforeSecondPage(cycles, "okta", () => {
      for (const user of world.okta.users) Object.assign(user, { email: `new.${user.email}` });
    });
    beforeSecondPage(cycles, "grafana", () => {
      for (const user of world.grafana.state.users.values()) user.email = `new.${user.email}`;
    });
    await cycle();
    assertEquals(writes().filter((line) => line.includes("/teams/")), []);
    assertEquals(summary(await cycle()), ["G->T: +0 -0"]);
    assertEquals(world.grafana.state.membersOf("T"), all.map((email) => `new.${email}`));
  }));

for (const [from, to] of [["ann", "zoe"], ["fay", "aaa"], ["dee", "zoe"], ["eve", "aaa"]] as const) {
  Deno.test(`a user renamed between two pages of Grafana's users, from ${from} to ${to}, stays in the team`, () =>
    afterFirstCycle(async (cycles) => {
      const { world, cycle, writes } = cycles;
      beforeSecondPage(cycles, "grafana", () => {
        Object.assign(world.grafana.state.lookUp(`${from}@example.com`) ?? {}, { login: to });
      });
      assertEquals(summary(await cycle()), ["G->T: +0 -0"]);
      assertEquals(writes().filter((line) => line.includes("/teams/")), []);
      assertEquals(world.grafana.state.membersOf("T"), all);
    }));

  Deno.test(`a user renamed between two pages of Grafana's users, from ${from} to ${to}, joins the team once`, () =>
    afterFirstCycle(async (cycles) => {
      const { world, cycle } = cycles;
      const user = world.grafana.state.lookUp(`${from}@example.com`);
      world.grafana.state.team("T")?.members.delete(user?.id ?? 0);
      beforeSecondPage(cycles, "grafana", () => Object.assign(user ?? {}, { login: to }));
      await cycle();
      await cycle();
      assertEquals(world.grafana.state.membersOf("T"), all);
    }));
}

Deno.test("a user who is deleted between two pages of Grafana's users does not disturb the others", () =>
  afterFirstCycle(async (cycles) => {
    const { world, cycle } = cycles;
    const { state } = world.grafana;
    beforeSecondPage(cycles, "grafana", () => {
      const ann = state.lookUp("ann@example.com");
      state.users.delete(ann?.id ?? 0);
      state.team("T")?.members.delete(ann?.id ?? 0);
    });
    await cycle();
    assertEquals(state.membersOf("T"), all.slice(1));
  }));

for (const again of [0, 1]) {
  Deno.test(`a member listed on two pages of the group counts once (member ${again + 1})`, () =>
    afterFirstCycle(async (cycles) => {
      const { world, cycle, writes } = cycles;
      const { members } = world.okta.group("G");
      const gus = world.addPerson("gus@example.com");
      // Somebody who joins in front moves the last of the first page onto the second one.
      beforeSecondPage(cycles, "okta", () => {
        const people = [...members];
        members.clear();
        for (const user of again === 0 ? [gus, ...people] : [gus, ...people.reverse()]) members.add(user);
      });
      const report = await cycle();
      assertEquals(report.mappings[0]?.errors, []);
      assertEquals(report.mappings[0]?.removed, 0);
      writes();
      world.okta.intercept = undefined;
      await cycle();
      assertEquals(world.grafana.state.membersOf("T"), [...all, "gus@example.com"]);
    }));
}

Deno.test("a member who is listed on two pages with two statuses or names counts with the last", () =>
  afterFirstCycle(async (cycles) => {
    const { world, cycle } = cycles;
    const page = (status: string, login: string, last: boolean) => {
      const link = last ? "" : `, <${world.okta.url}/api/v1/groups/00g000001/users?after=x>; rel="next"`;
      const headers = { link: `<${world.okta.url}/api/v1/groups/00g000001/users>; rel="self"${link}` };
      const person = (id: string, name: string, own: string) => ({
        id,
        status: own,
        profile: { login: name, email: name },
      });
      const body = [
        person("00u000001", login, status),
        ...all.slice(1).map((name, i) => person(`u${i}`, name, "ACTIVE")),
      ];
      return Response.json(body, { headers });
    };
    world.okta.intercept = (request, proceed) => {
      if (!fits(request, "GET", GROUP)) return proceed();
      const isLast = new URL(request.url).searchParams.has("after");
      return isLast ? page("ACTIVE", "ann@example.com", true) : page("SUSPENDED", "old@example.com", false);
    };
    assertEquals(summary(await cycle()), ["G->T: +0 -0"]);
    world.okta.intercept = (request, proceed) => {
      if (!fits(request, "GET", GROUP)) return proceed();
      const isLast = new URL(request.url).searchParams.has("after");
      return isLast ? page("SUSPENDED", "ann@example.com", true) : page("ACTIVE", "ann@example.com", false);
    };
    assertEquals(summary(await cycle()), ["G->T: +0 -1"]);
  }));
