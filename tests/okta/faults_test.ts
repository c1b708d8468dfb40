/** What Okta refuses, and readings that must not be taken for whole. */
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { OktaUserStatus } from "../../src/config/schema.ts";
import { RequestError } from "../../src/http/error.ts";
import { createOktaClient } from "../../src/okta/client.ts";
import { serve } from "../../src/simulation/server.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";
import { findGroup } from "./find_group.ts";

function clientOf(world: World, around = surroundings()) {
  return createOktaClient(configOf(world).okta, around);
}

function groupOf(world: World): string {
  return world.okta.addGroup("Engineering", [world.okta.addUser("user@example.com")]).id;
}

/** Puts a `Link` header in place of the simulation's on every answer. */
function link(world: World, header: string): void {
  world.okta.intercept = async (_request, proceed) => {
    const answer = await proceed();
    answer.headers.set("link", header);
    return answer;
  };
}

function oktaError(status: number, errorCode: string, errorSummary: string, headers = {}): Response {
  const body = { errorCode, errorSummary, errorLink: errorCode, errorId: "oaeABC123", errorCauses: [] };
  return Response.json(body, { status, headers });
}

Deno.test("a cursor is followed as it came, whatever is in it", async () => {
  await using world = startWorld();
  const path = `/api/v1/groups/${groupOf(world)}/users?after=%2B%2fa+b==,;&limit=7&x`;
  world.okta.intercept = async (request, proceed) => {
    if (request.url.endsWith(path)) {
      return Response.json([], { headers: { link: `<${request.url}>; rel="self"` } });
    }
    const answer = await proceed();
    answer.headers.set("link", `<${world.okta.url}/>; rel="self", <${world.okta.url}${path}>; rel="next"`);
    return answer;
  };
  const { items: members } = await clientOf(world).listMembers("00g000001");
  assertEquals(members.length, 1);
  assertEquals(world.okta.received[1]?.path, path);
});

Deno.test("a next link to another origin is not followed, and no credential arrives there", async () => {
  await using world = startWorld();
  await using stranger = serve(() => Response.json([]));
  const id = groupOf(world);
  link(world, `<${stranger.url}/api/v1/groups/${id}/users?after=x>; rel="next"`);
  const error = await assertRejects(() => clientOf(world).listMembers(id), RequestError);
  assertEquals(error.kind, "bad-link");
  assertStringIncludes(
    error.message,
    `the link to the next page points to ${stranger.url}/api/v1/groups/${id}/users, not to ${world.okta.url}`,
  );
  assertEquals(stranger.received, []);
});

const BAD_LINKS: readonly (readonly [name: string, header: (origin: string) => string])[] = [
  ["is no link", () => "next page, please"],
  ["has no end", (origin) => `<${origin}/api/v1/groups?after=x; rel="next"`],
  ["is a path", () => `</api/v1/groups?after=x>; rel="next"`],
  ["leads to another scheme", () => `<ftp://127.0.0.1/>; rel="next"`],
  ["carries a password", (origin) => `<${origin.replace("//", "//user:pass@")}/>; rel="next"`],
];

for (const [name, header] of BAD_LINKS) {
  Deno.test(`a Link header that ${name} is an error, not the last page`, async () => {
    await using world = startWorld();
    const id = groupOf(world);
    link(world, header(world.okta.url));
    const error = await assertRejects(() => clientOf(world).listMembers(id), RequestError);
    assertEquals(error.kind, "bad-link");
    assertEquals(world.okta.received.length, 1);
  });
}

Deno.test("a cursor that leads in a circle is an error", async () => {
  await using world = startWorld();
  const id = groupOf(world);
  link(world, `<${world.okta.url}/api/v1/groups/${id}/users?limit=200>; rel="next"`);
  const error = await assertRejects(() => clientOf(world).listMembers(id), RequestError);
  assertEquals(error.kind, "bad-link");
  assertMatch(error.message, /form a loop/);
});

Deno.test("a second page that fails fails the whole reading", async () => {
  await using world = startWorld();
  const id = world.okta.addGroup("Pair", [1, 2].map((number) => world.okta.addUser(`u${number}@example.com`)))
    .id;
  world.okta.pageSize = 1;
  world.okta.intercept = (request) =>
    request.url.includes("after=")
      ? oktaError(404, "E0000007", "Not found: Resource not found: 00g (UserGroup)")
      : undefined;
  const error = await assertRejects(() => clientOf(world).listMembers(id), RequestError);
  assertEquals(error.kind, "not-found");
});

Deno.test("a refused token is reported in GOTS's words, with what Okta says and what to do", async () => {
  await using world = startWorld();
  const { okta } = configOf(world, { okta: { api_token: "00expired" } });
  const error = await assertRejects(
    () => findGroup(createOktaClient(okta, surroundings()), "Engineering"),
    RequestError,
  );
  assertEquals(error.kind, "unauthorized");
  assertMatch(error.message, /^Authentication failed - invalid API token; /);
  assertStringIncludes(error.message, "E0000011 Invalid token provided [oae-simulated]");
  assertStringIncludes(error.message, "create a new token");
  assertEquals(error.message.includes("00expired"), false);
  assertEquals(world.okta.received.length, 1);
});

Deno.test("a missing right is reported with what to give to whom", async () => {
  await using world = startWorld();
  world.okta.intercept = () =>
    oktaError(403, "E0000006", "You do not have permission to perform the requested action");
  const error = await assertRejects(() => findGroup(clientOf(world), "Engineering"), RequestError);
  assertEquals(error.kind, "forbidden");
  assertMatch(error.message, /^E0000006 You do not have permission .* \[oaeABC123\] \(Okta GET .*403\)/);
  assertMatch(error.message, /scopes and a role/);
});

Deno.test("past the rate limit, Okta's reset is awaited by Okta's own clock, and the reading goes on", async () => {
  await using world = startWorld();
  const id = groupOf(world);
  const around = surroundings();
  const date = new Date(Date.UTC(2020, 0, 1)).toUTCString();
  const reset = Date.UTC(2020, 0, 1, 0, 0, 42) / 1_000;
  let refused = false;
  world.okta.intercept = () => {
    if (refused) return undefined;
    refused = true;
    const headers = {
      "x-rate-limit-limit": "600",
      "x-rate-limit-remaining": "0",
      "x-rate-limit-reset": String(reset),
      date,
    };
    return oktaError(429, "E0000047", "API call exceeded rate limit due to too many requests.", headers);
  };
  assertEquals((await clientOf(world, around).listMembers(id)).items.length, 1);
  assertEquals(around.clock.slept, [43_000]);
  assertMatch(around.captured.messages().join("\n"), /WARNING Rate limit exceeded.*waiting 43\.0 s/);
});

Deno.test("a rate limit that does not end is reported after five attempts", async () => {
  await using world = startWorld();
  world.okta.limitRate({ limit: 600, remaining: 0, resetAt: Date.now() + 240_000 });
  const around = surroundings();
  const error = await assertRejects(() => findGroup(clientOf(world, around), "Engineering"), RequestError);
  assertEquals(error.kind, "rate-limited");
  assertMatch(error.message, /^Rate limit exceeded; Okta says: E0000047 .*sync\.interval_seconds/);
  assertEquals([world.okta.received.length, around.clock.slept.length], [5, 4]);
});

Deno.test("a reset that is an hour away is not awaited", async () => {
  await using world = startWorld();
  world.okta.limitRate({ limit: 600, remaining: 0, resetAt: Date.now() + 3_600_000 });
  const around = surroundings();
  const error = await assertRejects(() => findGroup(clientOf(world, around), "Engineering"), RequestError);
  assertMatch(error.message, /^Rate limit exceeded/);
  assertEquals(around.clock.slept, []);
});

Deno.test("Okta's limit of concurrent requests, which has no reset, is answered with backoff", async () => {
  await using world = startWorld();
  const id = groupOf(world);
  const around = surroundings();
  let refused = false;
  world.okta.intercept = () => {
    if (refused) return undefined;
    refused = true;
    const reset = String(Math.ceil(Date.now() / 1_000) + 60);
    const headers = { "x-rate-limit-limit": "0", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset };
    return oktaError(429, "E0000047", "API call exceeded rate limit due to too many requests.", headers);
  };
  assertEquals((await clientOf(world, around).listMembers(id)).items.length, 1);
  assertEquals(around.clock.slept, [1_000]);
});

Deno.test("a status that Okta does not document is an error that names the user's id and the field", async () => {
  await using world = startWorld();
  const user = world.okta.addUser("user@example.com", { status: "HIBERNATING" as OktaUserStatus });
  const { id } = world.okta.addGroup("Engineering", [user]);
  const error = await assertRejects(() => clientOf(world).listMembers(id), RequestError);
  assertEquals(error.kind, "unexpected-shape");
  assertMatch(
    error.message,
    /^the record with the id 00u000001 does not have the expected shape at \.status: .*: check this record in Okta; /,
  );
});

for (const size of [1, 2]) {
  Deno.test(`a page ${size} that lost its Link header is no last page`, async () => {
    await using world = startWorld();
    const members = Array.from({ length: 450 }, (_, i) => world.okta.addUser(`p${i}@example.com`));
    const { id } = world.okta.addGroup("Big", members);
    let pages = 0;
    world.okta.intercept = async (_, proceed) => {
      const answer = await proceed();
      if (++pages >= size) answer.headers.delete("link");
      return answer;
    };
    const error = await assertRejects(() => clientOf(world).listMembers(id), RequestError);
    assertStringIncludes(error.message, "the Link header is missing");
  });
}

Deno.test("a group that was renamed is not read, though the search still has it under the old name", async () => {
  await using world = startWorld();
  const group = world.okta.addGroup("G");
  world.okta.intercept = async (request, proceed) => {
    if (!request.url.includes("search=")) return await proceed();
    return Response.json([{ id: group.id, profile: { name: "G" } }]);
  };
  group.name = "G-legacy";
  const error = await assertRejects(() => findGroup(clientOf(world), "G"));
  assertStringIncludes(String(error), "Group not found: G: it is now named 'G-legacy'");
});

Deno.test("a credential that an error echoes is not repeated", async () => {
  await using world = startWorld();
  world.okta.intercept = (request) =>
    oktaError(401, "E0000011", `bad header: ${request.headers.get("authorization")}`);
  const error = await assertRejects(() => findGroup(clientOf(world), "G"), RequestError);
  assertStringIncludes(error.message, "bad header: [redacted]");
  assertEquals(error.message.includes(world.environment.OKTA_API_TOKEN ?? "?"), false);
});
