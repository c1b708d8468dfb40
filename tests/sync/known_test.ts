/** What a cycle knows from the ones before it, and what it therefore does not ask for, or asks for again. */
import { assertEquals } from "@std/assert";
import { type CycleSettings, type CycleWorld, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { emails, mapping } from "./fixtures.ts";
import { settled } from "./settled.ts";

const A = mapping("A", "T");
const PAIR = { mappings: [A, mapping("B", "T")], sync: { full_refresh_seconds: 86_400 } };
const isTeam = (request: string) => /^GET \/api\/teams\/\d+\/members$/.test(request);
/** Takes the links from the lists of members, from the first one on. */
const unlinked = (okta: { readonly hasLinks: boolean }): CycleSettings => ({
  mappings: [A],
  network: (world) => async (url, init) => {
    const response = await world.fetch(url, init);
    if (!okta.hasLinks && /\/groups\/\w+\/users/.test(url)) response.headers.delete("link");
    return response;
  },
});
const isPeople = (request: string) => request.startsWith("GET /api/org/users");

Deno.test("removals on hold because a list came without links are decided in the next cycle, which is no full one", () => {
  const okta = { hasLinks: false };
  return settled({ A: ["ann", "bob"] }, unlinked(okta), async ({ next, world, person }) => {
    world.okta.group("A").members.delete(person("bob"));
    assertEquals(summary(await next()), ["A->T: +0 -0, 1 on hold"]);
    okta.hasLinks = true;
    const report = await next();
    assertEquals([report.isFull, summary(report)], [false, ["A->T: +0 -1"]]);
  });
});

Deno.test("a team is not read in the cycles that skip its failing group, and its removals on hold are still reported", () =>
  settled({ A: ["ann"], B: ["bob"] }, PAIR, async ({ next, world, person, requests }) => {
    const { id, members } = world.okta.group("B");
    members.add(person("eve"));
    world.okta.intercept = (request, proceed) =>
      request.url.includes(`${id}/users`) ? Response.json({}, { status: 403 }) : proceed();
    for (let i = 0; i < 2; i++) {
      assertEquals(summary(await next()).sort(), ["A->T: +0 -0, 1 on hold", "B->T: +0 -0, 1 errors"]);
    }
    requests();
    assertEquals(summary(await next()), ["A->T: +0 -0, 1 on hold"]);
    assertEquals(requests().filter(isTeam), []);
  }));

Deno.test("a team is not read in the cycles that skip its failing group", () =>
  settled({ A: ["ann"], B: [] }, PAIR, async ({ next, world, person, requests }) => {
    const { id, members } = world.okta.group("B");
    members.add(person("eve"));
    world.okta.intercept = (request, proceed) =>
      request.url.includes(`${id}/users`) ? Response.json({}, { status: 403 }) : proceed();
    for (let i = 0; i < 2; i++) await next();
    requests();
    assertEquals(summary(await next()), ["A->T: +0 -0"]);
    assertEquals(requests().filter(isTeam), []);
  }));

Deno.test("in a large organisation a pending user is looked for by one search, not in the whole list", () =>
  settled({ A: ["ann"] }, { mappings: [A] }, async ({ next, world, requests }) => {
    for (const email of emails(1, 1_100)) world.grafana.state.addUser({ login: email, email });
    world.okta.group("A").members.add(world.okta.addUser("new@example.com"));
    await next();
    requests();
    await next();
    assertEquals(requests().filter(isPeople).length, 1);
  }));

Deno.test("where the whole list was read to find pending users, it is not read again in the same cycle", () =>
  settled({ A: ["ann"] }, { mappings: [A] }, async ({ next, world, requests }) => {
    for (const email of emails(1, 20)) world.okta.group("A").members.add(world.okta.addUser(email));
    await next();
    for (const email of emails(1, 20)) world.grafana.state.addUser({ login: email, email });
    requests();
    assertEquals(summary(await next()), ["A->T: +20 -0"]);
    assertEquals(requests().filter(isPeople).length, 1);
  }));

Deno.test("a team from which somebody was removed is not read in the next cycle", () =>
  settled({ A: ["ann", "bob"] }, { mappings: [A] }, async ({ next, world, person, requests }) => {
    world.okta.group("A").members.delete(person("bob"));
    assertEquals(summary(await next()), ["A->T: +0 -1"]);
    requests();
    await next();
    assertEquals(requests().filter(isTeam), []);
  }));

Deno.test("while a group fails for several cycles, additions go on waiting for the limit", () =>
  withCycles({ mappings: PAIR.mappings }, async ({ world, cycle }) => {
    const people = emails(1, 6).map((email) => world.addPerson(email));
    const [a, b] = [world.okta.addGroup("A", people), world.okta.addGroup("B", people)];
    await cycle();
    for (const { members } of [a, b]) for (const user of people.slice(0, 4)) members.delete(user);
    for (const email of emails(7, 26)) a.members.add(world.addPerson(email));
    await cycle();
    const size = world.grafana.state.membersOf("T").length;
    world.okta.intercept = refuse("GET", new RegExp(`/groups/${b.id}/users`), 500);
    for (let i = 0; i < 3; i++) await cycle();
    assertEquals(world.grafana.state.membersOf("T").length, size);
  }));

Deno.test("a write that failed once and then succeeded does not come last for ever", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle, captured }) => {
    world.okta.addGroup("A", [world.addPerson("bob@example.com"), world.addPerson("cy@example.com")]);
    let isFirst = true;
    world.grafana.intercept = (request, proceed) => {
      if (!isFirst || !fits(request, "POST", /\/members$/)) return proceed();
      isFirst = false;
      return Response.json({ message: "the team is closed today" }, { status: 400 });
    };
    for (let i = 0; i < 3; i++) {
      await cycle();
      if (i === 1) world.grafana.state.team("T")?.members.clear();
    }
    const added = captured.lines().filter(({ action, outcome }) => action === "add" && outcome === "done");
    assertEquals(
      added.map(({ user }) => user),
      ["cy", "bob", "bob", "cy"].map((one) => `${one}@example.com`),
    );
  }));

/** Jane leaves the group for so many cycles, and comes back with another address. Who is in the team then. */
async function afterAbsence(
  { world, cycle }: CycleWorld,
  cycles: number,
  begin: (id: string) => void,
  end: () => void,
): Promise<string[]> {
  const [jane, bob] = [world.addPerson("jane@example.com"), world.addPerson("bob@example.com")];
  const { id, members } = world.okta.addGroup("A", [jane, bob]);
  world.okta.addGroup("B", [bob]);
  await cycle();
  members.delete(jane);
  begin(id);
  for (let i = 0; i < cycles; i++) await cycle();
  end();
  Object.assign(jane, { login: "miller@example.com", email: "miller@example.com" });
  members.add(jane);
  for (let i = 0; i < 10; i++) await cycle();
  return world.grafana.state.membersOf("T");
}

const BOTH = ["bob@example.com", "jane@example.com"];

Deno.test("lists that may not be whole do not count for forgetting who somebody is", () => {
  const okta = { hasLinks: false };
  const settings = { ...unlinked(okta), sync: { incremental: false } };
  return withCycles(settings, async (cycles) => {
    assertEquals(await afterAbsence(cycles, 101, () => {}, () => void (okta.hasLinks = true)), BOTH);
  });
});

Deno.test("cycles in which a group fails, or is skipped for that, do not count for forgetting who somebody is", () =>
  withCycles({ mappings: [A, mapping("B", "U")], sync: { incremental: false } }, async (cycles) => {
    const { okta } = cycles.world;
    const begin = (id: string) => {
      okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), 403);
    };
    assertEquals(await afterAbsence(cycles, 140, begin, () => void (okta.intercept = undefined)), BOTH);
  }));

Deno.test("of an empty group that was deleted in Okta, a team that was deleted by hand is not created again", () =>
  settled({ A: [] }, { mappings: [A] }, async ({ next, world, writes }) => {
    world.okta.groups.splice(0);
    world.grafana.state.teams.clear();
    writes();
    assertEquals(summary(await next()), ["A->T: +0 -0, 1 errors"]);
    assertEquals(writes(), []);
  }));

Deno.test("a pending user joins the team in the first cycle after they signed in, which is no full one", () =>
  settled({ A: ["ann"] }, { mappings: [A] }, async ({ next, world }) => {
    world.okta.group("A").members.add(world.okta.addUser("eve@example.com"));
    assertEquals(summary(await next()), ["A->T: +0 -0, 1 pending"]);
    world.grafana.state.addUser({ login: "eve", email: "eve@example.com" });
    const report = await next();
    assertEquals([report.isFull, summary(report)], [false, ["A->T: +1 -0"]]);
  }));
