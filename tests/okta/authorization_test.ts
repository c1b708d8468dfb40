/** How requests to Okta are signed. */
import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { RequestError } from "../../src/http/error.ts";
import { createOktaClient } from "../../src/okta/client.ts";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";
import { findGroup } from "./find_group.ts";

const { apiToken, clientId, clientSecret } = CREDENTIALS;
const MINUTE = 60_000;

/** A client that signs with a client secret, in an organisation that takes one, and what it sent. */
function oauthClient(world: World, around = surroundings(), secret: string = clientSecret) {
  const { okta } = configOf(world, {
    okta: { auth_method: "oauth", oauth: { client_id: clientId, client_secret: secret } },
  });
  world.okta.acceptClientSecret = true;
  world.okta.addGroup("Engineering");
  return createOktaClient(okta, around);
}

/** Every `Authorization` header that arrives from now on at the Management API. */
function authorizations(world: World): string[] {
  const seen: string[] = [];
  world.okta.intercept = (request) => {
    if (request.url.includes("/api/")) seen.push(request.headers.get("authorization") ?? "");
    return undefined;
  };
  return seen;
}

function tokenRequests(world: World): number {
  return world.okta.received.filter(({ path }) => path === "/oauth2/v1/token").length;
}

function pass(around: ReturnType<typeof surroundings>, ms: number): Promise<void> {
  return around.clock.sleep(ms, around.signal);
}

/** As RFC 6749 2.3.1 has it: id and secret are form-encoded, which counts the hyphen among the rest. */
const BASIC = btoa(`${clientId}:${clientSecret.replaceAll("-", "%2D")}`);

/** Fails if the client secret stands in `text`, plain or as it goes out. */
function assertNoSecret(text: string): void {
  for (const form of [clientSecret, BASIC]) assertFalse(text.includes(form));
}

Deno.test("an API token goes out as SSWS, and stands in no log line", async () => {
  await using world = startWorld();
  const { id } = world.okta.addGroup("Engineering");
  const sent = authorizations(world);
  const around = surroundings();
  await createOktaClient(configOf(world).okta, around).listMembers(id);
  assertEquals(sent, [`SSWS ${apiToken}`]);
  assertFalse(JSON.stringify(around.captured.lines()).includes(apiToken));
});

Deno.test("an API token that was refused is not tried again", async () => {
  await using world = startWorld();
  const { okta } = configOf(world, { okta: { api_token: "00wrong" } });
  await assertRejects(() => findGroup(createOktaClient(okta, surroundings()), "Engineering"), RequestError);
  assertEquals(world.okta.received.length, 1);
});

Deno.test("an access token is asked for as RFC 6749 says, with the scopes of the configuration", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  const asked: unknown[] = [];
  world.okta.intercept = async (request, proceed) => {
    if (request.url.endsWith("/oauth2/v1/token")) {
      const body = Object.fromEntries(new URLSearchParams(await request.clone().text()));
      asked.push({ method: request.method, authorization: request.headers.get("authorization"), body });
    }
    return await proceed();
  };
  await findGroup(client, "Engineering");
  assertEquals(asked, [{
    method: "POST",
    authorization: `Basic ${BASIC}`,
    body: { grant_type: "client_credentials", scope: "okta.groups.read okta.users.read" },
  }]);
});

Deno.test("concurrent requests share one access token", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  const sent = authorizations(world);
  await Promise.all(Array.from({ length: 5 }, () => findGroup(client, "Engineering")));
  assertEquals(tokenRequests(world), 1);
  assertEquals([sent.length, new Set(sent).size], [10, 1]);
  assertMatch(sent[0] ?? "", /^Bearer \S+$/);
});

Deno.test("an access token is used until five minutes before its end, and then renewed", async () => {
  await using world = startWorld();
  const around = surroundings();
  const client = oauthClient(world, around);
  const fetched: number[] = [];
  for (const ms of [0, 54 * MINUTE, MINUTE, 54 * MINUTE, MINUTE]) {
    await pass(around, ms);
    await findGroup(client, "Engineering");
    fetched.push(tokenRequests(world));
  }
  assertEquals(fetched, [1, 1, 2, 2, 3]);
});

Deno.test("an access token that was refused is renewed once, and the request goes on", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  const sent: string[] = [];
  world.okta.intercept = (request) => {
    if (!request.url.includes("/api/")) return undefined;
    sent.push(request.headers.get("authorization") ?? "");
    return sent.length === 1 ? Response.json({ errorCode: "E0000011" }, { status: 401 }) : undefined;
  };
  assertEquals((await findGroup(client, "Engineering")).profile.name, "Engineering");
  assertEquals([sent.length, tokenRequests(world)], [3, 2]);
  assertNotEquals(sent[0], sent[1]);
});

Deno.test("a new access token that is refused as well is an error", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  world.okta.intercept = (request) =>
    request.url.includes("/api/") ? Response.json({ errorCode: "E0000011" }, { status: 401 }) : undefined;
  const error = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertEquals(error.kind, "unauthorized");
  assertEquals(tokenRequests(world), 2);
});

Deno.test("a client secret that Okta refuses is reported with what to do instead", async () => {
  await using world = startWorld();
  const around = surroundings();
  const client = oauthClient(world, around);
  world.okta.acceptClientSecret = false;
  const error = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertEquals([error.kind, error.status], ["unauthorized", 401]);
  assertMatch(error.message, /^Authentication failed - invalid_client: Client authentication failed/);
  assertMatch(error.message, /POST \/oauth2\/v1\/token.*auth_method: api_token/);
  assertEquals(world.okta.received.length, 1);
  assertNoSecret(`${error.message} ${Deno.inspect(error)} ${JSON.stringify(around.captured.lines())}`);
});

Deno.test("a refusal for another reason points to the client id and the scopes", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  world.okta.intercept = () => Response.json({ error: "invalid_scope" }, { status: 400 });
  const error = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertMatch(
    error.message,
    /^Authentication failed - invalid_scope .*grant the scopes in okta\.oauth\.scopes/,
  );
});

Deno.test("something that is no access token is an error without the secret", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  world.okta.intercept = () =>
    new Response("<html>sign in</html>", { headers: { "content-type": "text/html" } });
  const error = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertMatch(error.message, /the response is text\/html, not JSON .*gots requested \S+\/oauth2\/v1\/token$/);
  assertNoSecret(error.message + Deno.inspect(error));
});

Deno.test("a proxy's page in place of the token endpoint is told as the proxy's, and no client is blamed", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  const headers = { "content-type": "text/html", server: "nginx" };
  for (const status of [400, 401, 403]) {
    world.okta.intercept = () => new Response("<title>Denied</title>", { status, headers });
    const error = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
    assertMatch(
      error.message,
      /^a proxy or gateway responded instead of Okta: text\/html from nginx, "Denied" \(/,
    );
    assert(error.kind !== "unauthorized", error.kind);
  }
});

Deno.test("a refused client secret is tried again with the next request", async () => {
  await using world = startWorld();
  const client = oauthClient(world);
  world.okta.acceptClientSecret = false;
  await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  world.okta.acceptClientSecret = true;
  assertEquals((await findGroup(client, "Engineering")).profile.name, "Engineering");
});

Deno.test("a redirect from the token endpoint does not carry the client secret on", async () => {
  await using world = startWorld();
  await using stranger = startWorld();
  const client = oauthClient(world);
  world.okta.intercept = () => Response.redirect(`${stranger.okta.url}/oauth2/v1/token`, 307);
  await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertEquals(stranger.okta.received, []);
});
