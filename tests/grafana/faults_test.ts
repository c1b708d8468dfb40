/** Grafana under a path, and what it refuses. */
import { assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import { createGrafanaClient, type GrafanaClient } from "../../src/grafana/client.ts";
import { RequestError } from "../../src/http/error.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";

function clientOf(world: World, grafana: Readonly<Record<string, string>> = {}, around = surroundings()) {
  return createGrafanaClient(configOf(world, { grafana }).grafana, around);
}

for (const slash of ["", "/"]) {
  Deno.test(`Grafana is reached under a path that ends in ${slash ? "a" : "no"} slash`, async () => {
    await using world = startWorld({ basePath: "/grafana" });
    const client = clientOf(world, { url: world.grafana.url + slash });
    const { id } = await client.createTeam("Engineers");
    await client.addTeamMember(id, 1);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["admin@localhost"]);
    assertEquals(world.grafana.received.map(({ path }) => path), [
      "/grafana/api/teams",
      `/grafana/api/teams/${id}/members`,
    ]);
  });
}

Deno.test("a refused token is reported with what Grafana says and what to do", async () => {
  await using world = startWorld();
  const client = clientOf(world, { api_key: "glsa_revoked" });
  const error = await assertRejects(() => client.findTeam("Engineers"), RequestError);
  assertEquals([error.kind, world.grafana.received.length], ["unauthorized", 1]);
  assertMatch(
    error.message,
    /^Authentication failed - Grafana rejected the token; Grafana says: invalid API key /,
  );
  assertMatch(error.message, /new service account token .* grafana\.api_key$/);
  assertFalse(error.message.includes("glsa_revoked"));
});

const RIGHTS: readonly (readonly [
  name: string,
  right: string,
  ask: (client: GrafanaClient) => Promise<unknown>,
])[] = [
  ["find a team", "teams:read", (client) => client.findTeam("Engineers")],
  ["create a team", "teams:create", (client) => client.createTeam("Engineers")],
  ["list members", "teams.permissions:read", (client) => client.listTeamMembers(1)],
  ["add a member", "teams.permissions:write", (client) => client.addTeamMember(1, 1)],
  ["remove a member", "teams.permissions:write", (client) => client.removeTeamMember(1, 1)],
  ["list users", "org.users:read", (client) => client.listOrgUsers()],
  ["add a user", "org.users:add", (client) => client.addOrgUser("jane@example.com")],
  ["take out a user", "org.users:remove", (client) => client.removeOrgUser(1, 1)],
];

for (const [name, right, ask] of RIGHTS) {
  Deno.test(`a service account that may not ${name} is told that it needs ${right}`, async () => {
    await using world = startWorld();
    world.grafana.state.tokens.set("glsa_viewer", { id: 9, orgId: 1, name: "viewer", role: "Viewer" });
    const error = await assertRejects(() => ask(clientOf(world, { api_key: "glsa_viewer" })), RequestError);
    assertEquals(error.kind, "forbidden");
    assertMatch(
      error.message,
      new RegExp(`Permissions needed: ${right} .*give the service account the Admin role`),
    );
  });
}

Deno.test("a write at which Grafana fails is tried for five seconds, and then reported in Grafana's words", async () => {
  await using world = startWorld();
  const around = surroundings();
  const { id } = world.grafana.state.addTeam("Engineers");
  const error = await assertRejects(
    () => clientOf(world, {}, around).addTeamMember(id, 99_999),
    RequestError,
  );
  assertEquals(error.kind, "server-error");
  assertMatch(
    error.message,
    /^Failed to add Member to Team \(Grafana POST \/api\/teams\/1\/members returned 500\)/,
  );
  assertEquals(world.grafana.received.length, 3);
  assertEquals(around.clock.slept, [1_000, 2_000]);
});

for (const status of [500, 502, 503, 504]) {
  Deno.test(`a ${status} that passes is not seen by whoever asked`, async () => {
    await using world = startWorld();
    const { id } = world.grafana.state.addTeam("Engineers");
    world.grafana.intercept = () =>
      world.grafana.received.length < 3 ? new Response("upstream", { status }) : undefined;
    await clientOf(world).addTeamMember(id, 1);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["admin@localhost"]);
  });
}

Deno.test("a write whose answer was lost is repeated, and done once", async () => {
  await using world = startWorld();
  const { id } = world.grafana.state.addTeam("Engineers");
  world.grafana.intercept = async (_request, proceed) => {
    const answer = await proceed();
    return world.grafana.received.length === 1 ? new Response("lost", { status: 502 }) : answer;
  };
  await clientOf(world).addTeamMember(id, 1);
  assertEquals(world.grafana.received.length, 2);
  assertEquals(world.grafana.state.membersOf("Engineers"), ["admin@localhost"]);
});

Deno.test("another 400 than that of a member who is in the team already is an error", async () => {
  await using world = startWorld();
  world.grafana.intercept = () =>
    Response.json({ message: "Team is provisioned, its members cannot be changed" }, { status: 400 });
  const error = await assertRejects(() => clientOf(world).addTeamMember(1, 1), RequestError);
  assertMatch(error.message, /^Team is provisioned/);
});

const WRITES: readonly (readonly [name: string, write: (client: GrafanaClient) => Promise<unknown>])[] = [
  ["createTeam", (client) => client.createTeam("Engineers")],
  ["addTeamMember", (client) => client.addTeamMember(1, 1)],
  ["removeTeamMember", (client) => client.removeTeamMember(1, 1)],
  ["addOrgUser", (client) => client.addOrgUser("jane@example.com")],
  ["removeOrgUser", (client) => client.removeOrgUser(1, 1)],
];

for (const [name, write] of WRITES) {
  Deno.test(`a sign-in page that answers ${name} with 200 is an error, no success`, async () => {
    await using world = startWorld();
    world.grafana.intercept = () =>
      new Response("<html>Sign in</html>", { headers: { "content-type": "text/html; charset=utf-8" } });
    const error = await assertRejects(() => write(clientOf(world)), RequestError);
    assertEquals(error.kind, "not-json");
    assertMatch(error.message, /text\/html, not JSON.*sign-in page; check the address/);
  });
}

for (
  const answer of [
    () => new Response("<h1>Not Found</h1>", { status: 404, headers: { "content-type": "text/html" } }),
    () => Response.json({ message: "Team not found" }, { status: 404 }),
  ]
) {
  Deno.test(`a 404 that does not say that the member is gone is no removal: ${answer().headers.get("content-type")}`, async () => {
    await using world = startWorld();
    world.grafana.intercept = answer;
    const error = await assertRejects(() => clientOf(world).removeTeamMember(1, 1), RequestError);
    assertEquals(error.kind, "not-found");
  });
}
