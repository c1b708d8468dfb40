/** What is read from Okta: groups by name, and their members. */
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createOktaClient } from "../../src/okta/client.ts";
import { GroupError } from "../../src/okta/groups.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";
import { findGroup } from "./find_group.ts";

function clientOf(world: World, around = surroundings()) {
  return createOktaClient(configOf(world).okta, around);
}

/** Fills a group with people `user0@example.com`, `user1@example.com`, … and gives the group and their emails. */
function groupOf(world: World, size: number, name = "Engineering") {
  const emails = Array.from({ length: size }, (_, number) => `user${number}@example.com`);
  const group = world.okta.addGroup(name, emails.map((email) => world.okta.addUser(email)));
  return { id: group.id, emails };
}

const NAMES = [
  'The "A" Team',
  "R\\D",
  '\\"',
  "Dev/Ops",
  "R&D + 100% = ?#",
  "🚀 Launch",
  "Ünïcode",
  "trailing ",
  " leading",
  'a" or profile.name sw "',
];

for (const name of NAMES) {
  Deno.test(`the group ${JSON.stringify(name)} is found by its name`, async () => {
    await using world = startWorld();
    world.okta.addGroup("Another");
    const { id } = world.okta.addGroup(name);
    assertEquals((await findGroup(clientOf(world), name)).id, id);
  });
}

for (const pageSize of [1, 200]) {
  Deno.test(`a group is found among variants of its case, ${pageSize} to a page`, async () => {
    await using world = startWorld();
    world.okta.pageSize = pageSize;
    const groups = ["ENGINEERING", "engineering", "Engineering"].map((name) => world.okta.addGroup(name));
    assertEquals((await findGroup(clientOf(world), "Engineering")).id, groups[2]?.id);
  });
}

Deno.test("a group that is not there is reported with the names that are near", async () => {
  await using world = startWorld();
  for (const name of ["ENGINEERING", "engineering", "Data"]) world.okta.addGroup(name);
  const { message, kind } = await assertRejects(
    () => findGroup(clientOf(world), "Engineering"),
    GroupError,
  );
  assertEquals(kind, "group-not-found");
  assertMatch(message, /^Group not found: Engineering\b.*there is 'ENGINEERING', 'engineering';.*check/);
});

Deno.test("a group that is not there, with no name near, is reported with where to look", async () => {
  await using world = startWorld();
  const { message } = await assertRejects(() => findGroup(clientOf(world), "Data"), GroupError);
  assertMatch(message, /^Group not found: Data: check the exact name, including case/);
});

Deno.test("two groups of one name are told apart by nobody, so both ids are shown", async () => {
  await using world = startWorld();
  const groups = [world.okta.addGroup("Sales"), world.okta.addGroup("sales"), world.okta.addGroup("Sales")];
  const { message, kind } = await assertRejects(() => findGroup(clientOf(world), "Sales"), GroupError);
  assertEquals(kind, "group-ambiguous");
  assertStringIncludes(
    message,
    `2 Okta groups are named 'Sales' (${groups[0]?.id}, ${
      groups[2]?.id
    }): set okta_group_id in the mapping to the id of the right one`,
  );
});

for (const [pageSize, pages] of [[1, 7], [3, 3], [200, 1]] as const) {
  Deno.test(`all 7 members are read, ${pageSize} to a page`, async () => {
    await using world = startWorld();
    const { id, emails } = groupOf(world, 7);
    world.okta.pageSize = pageSize;
    const counts: number[] = [];
    const { items: members } = await clientOf(world).listMembers(id, (count) => counts.push(count));
    assertEquals(members.map(({ profile }) => profile.email), emails);
    assertEquals(counts.length, pages);
    assertEquals(counts.at(-1), 7);
  });
}

Deno.test("a group without members has none", async () => {
  await using world = startWorld();
  assertEquals((await clientOf(world).listMembers(groupOf(world, 0).id)).items, []);
});

Deno.test("members are asked for in the page size that Okta recommends", async () => {
  await using world = startWorld();
  const { id } = groupOf(world, 1);
  await clientOf(world).listMembers(id);
  assertEquals(world.okta.received, [{ method: "GET", path: `/api/v1/groups/${id}/users?limit=200` }]);
});

Deno.test("a member who is listed on two pages counts once", async () => {
  await using world = startWorld();
  const { id, emails } = groupOf(world, 2);
  const next = `${world.okta.url}/api/v1/groups/${id}/users?again`;
  world.okta.intercept = async (request, proceed) => {
    const answer = await proceed();
    if (!request.url.endsWith("again")) answer.headers.set("link", `<${next}>; rel="next"`);
    return answer;
  };
  const { items: members } = await clientOf(world).listMembers(id);
  assertEquals(world.okta.received.length, 2);
  assertEquals(members.map(({ profile }) => profile.email), emails);
});

Deno.test("members of every status are read, with their status", async () => {
  await using world = startWorld();
  const statuses = ["STAGED", "ACTIVE", "SUSPENDED", "DEPROVISIONED"] as const;
  const users = statuses.map((status) => world.okta.addUser(`${status}@example.com`, { status }));
  const { items: members } = await clientOf(world).listMembers(world.okta.addGroup("All", users).id);
  assertEquals(members.map(({ status }) => status), [...statuses]);
});

Deno.test("a member without an email is accepted", async () => {
  await using world = startWorld();
  const user = world.okta.addUser("robot", { email: null, login: "robot" });
  const { items: [member] } = await clientOf(world).listMembers(world.okta.addGroup("Robots", [user]).id);
  assertEquals([member?.profile.login, member?.profile.email], ["robot", null]);
});

Deno.test("a name that is no text, or missing, fails nobody's reading", async () => {
  await using world = startWorld();
  const { id } = world.okta.addGroup("Engineering", [world.okta.addUser("ann.lee@example.com")]);
  const profile = { login: "ann.lee@example.com", email: "ann.lee@example.com", firstName: 7 };
  assertEquals((await clientOf(world).listMembers(id)).items[0]?.profile.firstName, "ann");
  world.okta.intercept = () => Response.json([{ id: "00u1", status: "ACTIVE", profile }]);
  const { items: [member] } = await clientOf(world).listMembers(id);
  assertEquals([member?.profile.firstName, member?.profile.lastName], [undefined, undefined]);
});
