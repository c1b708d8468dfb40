/** What is asked of Grafana and written there: teams, members, users of the organisation. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createGrafanaClient, TeamNameError } from "../../src/grafana/client.ts";
import { RequestError } from "../../src/http/error.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";

function clientOf(world: World, around = surroundings()) {
  return createGrafanaClient(configOf(world).grafana, around);
}

/** A user of the server, in the organisation or, with `null`, in none. */
function person(world: World, login: string, orgId: number | null = 1) {
  return world.grafana.state.addUser({ login, email: `${login}@example.com`, orgId });
}

/** Makes the search find teams in any case, as Grafana does on MySQL, and every name be taken. */
function ignoreCase(world: World): void {
  const { teams } = world.grafana.state;
  world.grafana.intercept = async (request, proceed) => {
    const url = new URL(request.url);
    if (url.pathname === "/api/teams") return Response.json({ message: "Team name taken" }, { status: 409 });
    if (url.pathname !== "/api/teams/search") return await proceed();
    const [page, size] = [Number(url.searchParams.get("page")), Number(url.searchParams.get("perpage"))];
    const wanted = url.searchParams.get("name")?.toLowerCase();
    const found = [...teams.values()].filter(({ name }) => name.toLowerCase() === wanted)
      .map(({ id, name }) => ({ id, name, memberCount: 0 }));
    return Response.json({ totalCount: found.length, teams: found.slice((page - 1) * size, page * size) });
  };
}

/** Every writing of a name with 10 letters in small and capital letters: 1024, more than a page holds. */
function caseVariants(name: string): string[] {
  return [...name].reduce<string[]>(
    (all, letter) => all.flatMap((begun) => [begun + letter.toUpperCase(), begun + letter.toLowerCase()]),
    [""],
  );
}

const NAMES = ["Engineers", "R&D / Ünï + 100%", 'The "A" Team', "🚀", "a=b?c#d", "trailing "];

for (const name of NAMES) {
  Deno.test(`the team ${JSON.stringify(name)} is created, and found by its name`, async () => {
    await using world = startWorld();
    const client = clientOf(world);
    assertEquals(await client.findTeam(name), undefined);
    const { id } = await client.createTeam(name);
    assertEquals(await client.findTeam(name), { id, name, memberCount: 0 });
    assertEquals(world.grafana.state.team(name)?.id, id);
  });
}

Deno.test("a team is found by its exact name where the search ignores case", async () => {
  await using world = startWorld();
  ignoreCase(world);
  for (const name of ["ENGINEERS", "engineers", "Engineers"]) world.grafana.state.addTeam(name);
  assertEquals((await clientOf(world).findTeam("Engineers"))?.id, 3);
  assertEquals(await clientOf(world).findTeam("EnGiNeErS"), undefined);
});

Deno.test("a team on the second page of what was found is found", async () => {
  await using world = startWorld();
  ignoreCase(world);
  for (const name of caseVariants("developers")) world.grafana.state.addTeam(name);
  assertEquals((await clientOf(world).findTeam("developers"))?.id, 1_024);
  assertEquals(world.grafana.received.length, 2);
});

Deno.test("a team that somebody else has just created is taken as it is", async () => {
  await using world = startWorld();
  const { id } = world.grafana.state.addTeam("Engineers");
  assertEquals(await clientOf(world).createTeam("Engineers"), { id, isNew: false });
  assertEquals(world.grafana.state.teams.size, 1);
});

Deno.test("a team whose name is taken in another case is an error that shows both names", async () => {
  await using world = startWorld();
  ignoreCase(world);
  world.grafana.state.addTeam("ENGINEERS");
  const { message } = await assertRejects(() => clientOf(world).createTeam("Engineers"), TeamNameError);
  assertStringIncludes(message, "no team 'Engineers'");
  assertStringIncludes(message, "because 'ENGINEERS' differs only in case");
  assertStringIncludes(message, "or rename the team");
});

Deno.test("a name that is taken although no such team is found is reported as Grafana says it", async () => {
  await using world = startWorld();
  world.grafana.intercept = (request) =>
    request.method === "POST" ? Response.json({ message: "Team name taken" }, { status: 409 }) : undefined;
  const error = await assertRejects(() => clientOf(world).createTeam("Engineers"), RequestError);
  assertStringIncludes(error.message, "Team name taken (Grafana POST /api/teams returned 409)");
});

Deno.test("members are added to a team, listed with their permission, and removed", async () => {
  await using world = startWorld();
  const { state } = world.grafana;
  const client = clientOf(world);
  const [team, jane, bob] = [state.addTeam("Engineers"), person(world, "jane"), person(world, "bob")];
  await client.addTeamMember(team.id, jane.id);
  await client.addTeamMember(team.id, bob.id);
  team.members.set(bob.id, 4);
  assertEquals(await client.listTeamMembers(team.id), [
    { userId: bob.id, email: "bob@example.com", login: "bob", permission: 4, labels: [] },
    { userId: jane.id, email: "jane@example.com", login: "jane", permission: 0, labels: [] },
  ]);
  await client.removeTeamMember(team.id, bob.id);
  assertEquals(state.membersOf("Engineers"), ["jane@example.com"]);
});

Deno.test("adding a member who is in the team already changes nothing, their permission included", async () => {
  await using world = startWorld();
  const team = world.grafana.state.addTeam("Engineers");
  const { id } = person(world, "jane");
  team.members.set(id, 4);
  await clientOf(world).addTeamMember(team.id, id);
  assertEquals([...team.members], [[id, 4]]);
});

Deno.test("removing a member who is gone already is no error", async () => {
  await using world = startWorld();
  const { id } = world.grafana.state.addTeam("Engineers");
  await clientOf(world).removeTeamMember(id, 99);
  assertEquals(world.grafana.received.length, 1);
});

Deno.test("all users of the organisation are read, over all pages, and nobody else", async () => {
  await using world = startWorld();
  for (let number = 0; number < 2_100; number++) person(world, `user${number}`);
  const outsider = person(world, "outsider", null);
  const counts: number[] = [];
  const { items: users } = await clientOf(world).listOrgUsers((page) =>
    counts.push((counts.at(-1) ?? 0) + page.length)
  );
  assertEquals(counts, [1_000, 2_000, 2_101]);
  assertEquals(new Set(users.map(({ userId }) => userId)).size, 2_101);
  assertEquals(users.some(({ userId }) => userId === outsider.id), false);
});

Deno.test("a list is read to its end although later pages count fewer users than the first, as a replica that lags does", async () => {
  await using world = startWorld();
  for (let number = 0; number < 9_499; number++) person(world, `user${number}`);
  world.grafana.intercept = async (request, proceed) => {
    const page = await (await proceed()).json();
    return Response.json(request.url.endsWith("page=1") ? page : { ...page, totalCount: 9_000 });
  };
  assertEquals((await clientOf(world).listOrgUsers()).items.length, 9_500);
});

Deno.test("a list of teams whose pages end before its count is an error, not a shorter list", async () => {
  await using world = startWorld();
  const team = { id: 1, name: "Engineers", memberCount: 0 };
  world.grafana.intercept = (request) =>
    Response.json({ totalCount: 3, teams: request.url.endsWith("page=1") ? [team] : [] });
  const error = await assertRejects(() => clientOf(world).listTeams(), RequestError);
  assertStringIncludes(error.message, "Grafana listed only 1 of 3");
});

Deno.test("users whom Grafana hides are counted, and the others read, over all pages", async () => {
  await using world = startWorld();
  for (let number = 0; number < 2_100; number++) person(world, `user${number}`);
  for (const login of ["admin", "user7", "user77"]) world.grafana.state.hiddenUsers.add(login);
  const { items, hidden } = await clientOf(world).listOrgUsers();
  assertEquals([items.length, hidden], [2_098, 3]);
  assertEquals(items.some(({ login }) => login === "user7"), false);
  assertEquals(await clientOf(world).findOrgUsers("user77@example.com"), []);
});

Deno.test("a user without an email is read", async () => {
  await using world = startWorld();
  const robot = { orgId: 1, userId: 7, login: "robot" };
  world.grafana.intercept = () =>
    Response.json({ totalCount: 2, orgUsers: [robot, { ...robot, userId: 8, email: null }] });
  assertEquals((await clientOf(world).listOrgUsers()).items.map(({ email }) => email), [undefined, null]);
});

Deno.test("a user of the server joins the organisation as a Viewer", async () => {
  await using world = startWorld();
  const user = person(world, "jane", null);
  assertEquals(await clientOf(world).addOrgUser("jane@example.com"), user.id);
  assertEquals([...user.orgs], [[1, "Viewer"]]);
});

Deno.test("somebody whom the server does not know cannot join, and no account is made", async () => {
  await using world = startWorld();
  assertEquals(await clientOf(world).addOrgUser("nobody@example.com"), "unknown");
  assertEquals(world.grafana.state.users.size, 1);
});

Deno.test("somebody who is in the organisation already keeps their role", async () => {
  await using world = startWorld();
  const user = person(world, "jane");
  user.orgs.set(1, "Editor");
  assertEquals(await clientOf(world).addOrgUser("jane@example.com"), "present");
  assertEquals([...user.orgs], [[1, "Editor"]]);
});

Deno.test("taking a user out of the organisation leaves their account, even if it is in no other", async () => {
  await using world = startWorld();
  const user = person(world, "jane");
  await clientOf(world).removeOrgUser(1, user.id);
  assertEquals([...user.orgs], []);
  assertEquals(world.grafana.state.users.get(user.id), user);
  // `DELETE /api/org/users/:id` would delete the account.
  assertEquals(world.grafana.received, [{ method: "DELETE", path: `/api/orgs/1/users/${user.id}` }]);
});
