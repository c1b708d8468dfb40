/** What others do to the same teams, groups and users while a cycle runs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Intercept } from "../../src/simulation/server.ts";
import type { World } from "../../src/simulation/world.ts";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { fits, summary } from "../sync/cycle_world.ts";
import { assertConverged, assertTold, change, INTERVAL, person, settle, withFaults } from "./world.ts";

/** Does something once, right after such a request was answered. */
function after(method: string, path: RegExp, act: () => void, nth = 1): Intercept {
  let count = 0;
  return async (request, proceed) => {
    const answer = await proceed();
    if (fits(request, method, path) && ++count === nth) act();
    return answer;
  };
}

/** A list of groups as Okta's search gives it on its last page. */
function found(groups: unknown): Response {
  return Response.json(groups, { headers: { link: '<https://company.okta.com/>; rel="self"' } });
}

/** As an administrator of Grafana deletes somebody: from the server and from every team. */
function deleteUser({ grafana: { state } }: World, email: string): void {
  const id = state.lookUp(email)?.id ?? 0;
  state.users.delete(id);
  for (const { members } of state.teams.values()) members.delete(id);
}

/** Both teams are read ahead, and the first once more right before it is written. */
const ONCE_MORE = 3;

const TEAM_SEARCH = /^\/api\/teams\/search$/;
const MEMBERS = /^\/api\/teams\/\d+\/members$/;

Deno.test("a team deleted between reading and writing is told, and made anew in the next cycle", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages } = cycles;
    const { state } = world.grafana;
    change(world);
    world.grafana.intercept = after(
      "GET",
      MEMBERS,
      () => state.teams.delete(state.team("Engineers")?.id ?? 0),
      ONCE_MORE,
    );
    const report = await cycle();
    assertTold(report, messages(), /could not add dave@example\.com: Failed to add Member to Team/);
    assertEquals(report.mappings.map(isSuccess), [false, true], "the other team goes on");

    await cycles.pass(INTERVAL);
    assertEquals(summary(await cycle())[0], "Engineering->Engineers: +3 -0");
    assertConverged(world);
  }));

Deno.test("a team deleted between the search and the reading of its members is told, and made anew", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages } = cycles;
    const { state } = world.grafana;
    change(world);
    world.grafana.intercept = async (request, proceed) => {
      if (fits(request, "GET", MEMBERS) && state.team("Engineers")) {
        state.teams.delete(state.team("Engineers")?.id ?? 0);
        return Response.json({ message: "Team not found" }, { status: 404 });
      }
      return await proceed();
    };
    assertTold(await cycle(), messages(), /Team not found/);
    world.grafana.intercept = undefined;
    await cycle();
    assertConverged(world);
  }));

Deno.test("a team created by someone else meanwhile is taken over with its members, and set right in the next cycle", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle } = cycles;
    const { state } = world.grafana;
    state.teams.clear();
    const stranger = state.addUser({ login: "mallory", email: "mallory@example.com" });
    world.grafana.intercept = after("GET", TEAM_SEARCH, () => {
      const { members } = state.addTeam("Engineers");
      members.set(stranger.id, 0).set(state.lookUp("alice@example.com")?.id ?? 0, 0);
    });
    const report = await cycle();
    assert(report.mappings.every(isSuccess));
    assertEquals(state.membersOf("Engineers").length, 4);
    assertEquals([...state.teams.values()].map(({ name }) => name), ["Engineers", "Scientists"]);

    assertEquals(summary(await cycle())[0], "Engineering->Engineers: +0 -1");
    assertConverged(world);
  }));

Deno.test("a user deleted meanwhile in Grafana is told, pending afterwards, and back when they sign in again", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages } = cycles;
    const { state } = world.grafana;
    change(world);
    world.grafana.intercept = after("GET", MEMBERS, () => deleteUser(world, "dave@example.com"));
    assertTold(await cycle(), messages(), /could not add dave@example\.com/);
    const second = await cycle();
    assertEquals(summary(second)[0], "Engineering->Engineers: +0 -0, 1 pending");
    assertMatch(messages().join("\n"), /WARNING Team Engineers: 1 user is pending.*dave@example\.com/);

    state.addUser({ login: "dave@example.com", email: "dave@example.com" });
    await cycles.pass(INTERVAL);
    await cycle();
    assertConverged(world);
  }));

Deno.test("a user deleted meanwhile in Grafana who was to be removed is no error", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle } = cycles;
    change(world);
    world.grafana.intercept = after("GET", MEMBERS, () => deleteUser(world, "bob@example.com"));
    assert((await cycle()).mappings.every(isSuccess));
    assertConverged(world);
  }));

Deno.test("a user deleted meanwhile in Okta leaves the team, and nobody else does", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle } = cycles;
    world.okta.pageSize = 1;
    world.okta.intercept = after("GET", /\/users$/, () => {
      world.okta.group("Engineering").members.delete(person(world, "alice"));
    });
    // The pages move up by one while they are read, so that bob is on none of them; he was never gone.
    await cycle();
    assertEquals(world.grafana.state.membersOf("Engineers").includes("bob@example.com"), true);
    await cycle();
    assertConverged(world);
  }));

Deno.test("someone editing the team by hand, before and while a cycle runs, is set right in the next cycle", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle } = cycles;
    const { state } = world.grafana;
    const id = (name: string) => state.lookUp(`${name}@example.com`)?.id ?? 0;
    const edit = (removed: string, added: string) => {
      const members = state.team("Engineers")?.members;
      members?.delete(id(removed));
      members?.set(id(added), 0);
    };
    state.addUser({ login: "mallory", email: "mallory@example.com" });
    edit("alice", "mallory");
    world.grafana.intercept = after("GET", MEMBERS, () => edit("bob", "dave"));
    assert((await cycle()).mappings.every(isSuccess));
    assertEquals(state.membersOf("Engineers"), [
      "alice@example.com",
      "bob@example.com",
      "carol@example.com",
      "dave@example.com",
    ], "who came meanwhile is left to the next cycle");
    assertEquals(summary(await cycle())[0], "Engineering->Engineers: +0 -1");
    assertConverged(world);
  }));

Deno.test("two gots on one Grafana do no harm to each other: no error, no team twice, one outcome", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, restart } = cycles;
    const other = restart();
    const { members } = world.okta.group("Engineering");
    for (let round = 0; round < 20; round++) {
      if (round % 5 === 0) world.grafana.state.teams.clear();
      const email = `new${round}@example.com`;
      world.grafana.state.addUser({ login: email, email, ...(round % 2 ? { orgId: null } : {}) });
      members.add(world.okta.addUser(email));
      members.delete([...members][0] ?? person(world, "alice"));
      const reports = await Promise.all([cycle(), other()]);
      for (const report of reports) assert(report.mappings.every(isSuccess), JSON.stringify(report.mappings));
      await Promise.all([cycle(), other()]);
      assertConverged(world);
      assertEquals(world.grafana.state.teams.size, 2);
    }
  }));

for (const method of ["POST", "DELETE"]) {
  Deno.test(`two gots, one of which is held up before its ${method} until the other one is through: both succeed`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, restart } = cycles;
      change(world);
      let other: ReturnType<typeof cycle> | undefined;
      world.grafana.intercept = async (request, proceed) => {
        if (request.method === method && !other) await (other = restart()());
        return await proceed();
      };
      const reports = [await cycle(), await other];
      for (const report of reports) assert(report?.mappings.every(isSuccess));
      assertConverged(world);
    }));
}

Deno.test("Okta's search lagging behind a renaming is told, and removes nobody until it has followed", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages } = cycles;
    const { okta } = world;
    const old = okta.group("Engineering");
    old.name = "Engineering (old)";
    const mallory = world.addPerson("mallory@example.com");
    const fresh = okta.addGroup("Engineering", [person(world, "alice"), mallory]);
    const lagging = [{ id: old.id, profile: { name: "Engineering" } }];
    okta.intercept = (request, proceed) => request.url.includes("Engineering") ? found(lagging) : proceed();
    assertTold(
      await cycle(),
      messages(),
      /it is now named 'Engineering \(old\)', .*search still lists the old name/,
    );
    assertEquals(world.grafana.state.membersOf("Engineers").length, 3);

    okta.intercept = undefined;
    fresh.members.add(person(world, "bob"));
    await cycle();
    assertConverged(world);
  }));

Deno.test("Okta's search lagging behind a deletion is told as a group that is gone, and removes nobody", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages, writes } = cycles;
    const [gone] = world.okta.groups.splice(0, 1);
    world.okta.intercept = (request, proceed) =>
      request.url.includes("Engineering")
        ? found([{ id: gone?.id, profile: { name: "Engineering" } }])
        : proceed();
    // A deletion is no change that Okta tells of: the next full cycle sees it.
    await cycles.pass(900);
    assertTold(await cycle(), messages(), /Group not found: Engineering: it was deleted/);
    assertEquals(writes(), []);
  }));

Deno.test("Okta's search lagging behind a creation is told, and the team follows within eight intervals of it", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages, writes } = cycles;
    world.okta.intercept = (request, proceed) => request.url.includes("Engineering") ? found([]) : proceed();
    change(world);
    assertTold(
      await cycle(),
      messages(),
      /Group not found: Engineering: check the exact name, including case/,
    );
    for (let i = 0; i < 20; i++) await cycle();
    assertEquals(writes(), []);

    world.okta.intercept = undefined;
    for (let i = 0; i < 8; i++) await cycle();
    assertConverged(world);
  }));
