/** Service apps that sign in with a private key, with and without DPoP, against a server that verifies for real. */
import { assert, assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair, type JWK } from "jose";
import { RequestError } from "../../src/http/error.ts";
import { createOktaClient } from "../../src/okta/client.ts";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";
import { findGroup } from "./find_group.ts";

const MINUTE = 60_000;

/** A key pair: the private half as PEM and as JWK, the public half as the app knows it. */
async function makeKey(algorithm: "RS256" | "ES256", kid = "key-1") {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...await exportJWK(privateKey), kid };
  return { pem: await exportPKCS8(privateKey), jwk, publicJwk: { ...await exportJWK(publicKey), kid } };
}

const RSA = await makeKey("RS256");
const EC = await makeKey("ES256");

/** A client of an app whose public key is registered. */
function clientOf(
  world: World,
  { key = RSA, oauth = {}, around = surroundings() }: {
    key?: typeof RSA;
    oauth?: Record<string, unknown>;
    around?: ReturnType<typeof surroundings>;
  } = {},
) {
  world.okta.registerKey(key.publicJwk);
  world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
  const settings = { client_id: CREDENTIALS.clientId, private_key: key.pem, key_id: "key-1", ...oauth };
  const { okta } = configOf(world, { okta: { auth_method: "oauth", oauth: settings } });
  return createOktaClient(okta, around);
}

const tokenRequests = ({ okta }: World) =>
  okta.received.filter(({ path }) => path === "/oauth2/v1/token").length;

for (const requireDpop of [true, false]) {
  for (const [kind, key] of [["RS256", RSA], ["ES256", EC]] as const) {
    for (const form of ["pem", "jwk"] as const) {
      Deno.test(`an app signs in with a ${kind} key as ${form}, where DPoP is ${requireDpop ? "required" : "not required"}`, async () => {
        await using world = startWorld();
        world.okta.requireDpop = requireDpop;
        const oauth = form === "pem" ? {} : { private_key: JSON.stringify(key.jwk), key_id: undefined };
        const client = clientOf(world, { key, oauth });
        const { id } = await findGroup(client, "Engineering");
        assertEquals((await client.listMembers(id)).items.length, 1);
        // Where DPoP is required, the first request is told the nonce. The token is shared.
        assertEquals(tokenRequests(world), requireDpop ? 2 : 1);
      });
    }
  }
}

Deno.test("every call and every repetition has a proof of its own", async () => {
  await using world = startWorld();
  const client = clientOf(world);
  const proofs: string[] = [];
  let failures = 2;
  world.okta.intercept = (request) => {
    if (!request.url.includes("/api/")) return undefined;
    proofs.push(request.headers.get("dpop") ?? "none");
    return failures-- > 0 ? Response.json({}, { status: 503 }) : undefined;
  };
  await findGroup(client, "Engineering");
  assertEquals(proofs.length, 4);
  assertEquals(new Set(proofs).size, 4);
});

Deno.test("a repeated token request has an assertion and a proof of its own", async () => {
  await using world = startWorld();
  const client = clientOf(world);
  let failures = 2;
  world.okta.intercept = async (request, proceed) => {
    if (!request.url.includes("/oauth2/") || failures-- <= 0) return await proceed();
    await proceed();
    return Response.json({}, { status: 503 });
  };
  assertEquals((await findGroup(client, "Engineering")).profile.name, "Engineering");
});

Deno.test("nonces that the API asks for, and that end in mid-use, are followed at once", async () => {
  await using world = startWorld();
  world.okta.requireApiNonce = true;
  const around = surroundings();
  const client = clientOf(world, { around });
  for (let i = 0; i < 3; i++) {
    await findGroup(client, "Engineering");
    world.okta.rotateNonce();
  }
  assertEquals(tokenRequests(world), 2, "the token stays good");
  assertEquals(around.clock.slept, []);
});

Deno.test("a token that Okta refuses is renewed once, with a new nonce where it wants one", async () => {
  await using world = startWorld();
  const client = clientOf(world);
  await findGroup(client, "Engineering");
  world.okta.expireTokens();
  world.okta.rotateNonce();
  await findGroup(client, "Engineering");
  assertEquals(tokenRequests(world), 4);
});

Deno.test("concurrent calls share one token", async () => {
  await using world = startWorld();
  const client = clientOf(world);
  await Promise.all([1, 2, 3, 4].map(() => findGroup(client, "Engineering")));
  assertEquals(tokenRequests(world), 2);
});

Deno.test("while a renewal fails the old token is used, it is told, and tried again later", async () => {
  await using world = startWorld();
  const told: (string | undefined)[] = [];
  const around = { ...surroundings(), onCredential: (problem: string | undefined) => told.push(problem) };
  const client = clientOf(world, { around });
  await findGroup(client, "Engineering");
  await around.clock.sleep(57 * MINUTE, around.signal);
  world.okta.intercept = (request) =>
    request.url.includes("/oauth2/")
      ? Response.json({ error: "invalid_client" }, { status: 401 })
      : undefined;
  const asked = tokenRequests(world);
  await findGroup(client, "Engineering");
  await findGroup(client, "Engineering");
  assertEquals(tokenRequests(world) - asked, 1, "the next try waits");
  assertMatch(
    told.at(-1) ?? "",
    /could not be renewed; the current one is valid until 2026-01-01T01:00:\d\d\.000Z: .*invalid_client/,
  );
  assert(
    around.captured.messages().some((line) => /^WARNING Okta's access token could not be renewed/.test(line)),
  );

  world.okta.intercept = undefined;
  await around.clock.sleep(MINUTE, around.signal);
  await findGroup(client, "Engineering");
  assertEquals(told.at(-1), undefined);
});

for (const minutes of [-10, 10]) {
  Deno.test(`a clock that is ${Math.abs(minutes)} min ${minutes > 0 ? "behind" : "ahead of"} Okta's is allowed for`, async () => {
    await using world = startWorld();
    world.okta.clockOffsetMs = minutes * MINUTE;
    assertEquals((await findGroup(clientOf(world), "Engineering")).profile.name, "Engineering");
  });
}

const REFUSALS: Readonly<
  Record<string, readonly [prepare: (world: World) => Record<string, unknown>, says: RegExp]>
> = {
  "a key id that the app does not know": [
    () => ({ key_id: "another" }),
    /invalid_client: .*kid.*okta\.oauth\.key_id is not the id \(kid\) of a public key of this app; see docs\/OKTA_SETUP\.md/,
  ],
  "a key that is not the registered one": [
    () => ({ private_key: EC.pem }),
    /invalid_client: .*the private key does not match|invalid_client: .*compare okta\.oauth\.client_id/,
  ],
  "a client id that is wrong": [
    () => ({ client_id: "0oaother" }),
    /invalid_client: .*compare okta\.oauth\.client_id/,
  ],
  "a scope that is not granted": [
    ({ okta }) => {
      okta.grantedScopes.delete("okta.users.read");
      return {};
    },
    /invalid_scope: .*grant the scopes in okta\.oauth\.scopes to the app/,
  ],
};

for (const [what, [prepare, says]] of Object.entries(REFUSALS)) {
  Deno.test(`${what} is told, with what to do`, async () => {
    await using world = startWorld();
    const around = surroundings();
    const client = clientOf(world, { oauth: prepare(world), around });
    const error = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
    assertEquals(error.kind, "unauthorized");
    assertMatch(error.message, says);
    const said = error.message + Deno.inspect(error) + JSON.stringify(around.captured.lines());
    for (const secret of [RSA.jwk.d ?? "", EC.jwk.d ?? ""]) assertFalse(said.includes(secret));
  });
}

Deno.test("a wrong key with a known id is told as a wrong signature", async () => {
  await using world = startWorld();
  const other = await makeKey("RS256");
  const client = clientOf(world, { oauth: { private_key: other.pem } });
  const { message } = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertMatch(
    message,
    /signature is invalid.*the private key does not match the public key with this okta\.oauth\.key_id/,
  );
});

Deno.test("a client secret at the org authorization server is told to give way to a private key", async () => {
  await using world = startWorld();
  const oauth = { private_key: undefined, key_id: undefined, client_secret: CREDENTIALS.clientSecret };
  const { message } = await assertRejects(
    () => findGroup(clientOf(world, { oauth }), "Engineering"),
    RequestError,
  );
  assertMatch(
    message,
    /invalid_client.*does not grant okta\.\* scopes to a client secret: add a key pair to the app.*docs\/OKTA_SETUP\.md/,
  );
});

Deno.test("an app without an admin role is told", async () => {
  await using world = startWorld();
  const client = clientOf(world);
  world.okta.adminRole = false;
  const { message } = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertMatch(message, /E0000006.*service app the scopes and a role that can read groups and users/);
});

Deno.test("an access token that Okta goes on refusing is not called an API token", async () => {
  await using world = startWorld();
  const client = clientOf(world);
  world.okta.intercept = (request) =>
    request.url.includes("/api/")
      ? Response.json({ errorCode: "E0000011", errorSummary: "Invalid token provided" }, { status: 401 })
      : undefined;
  const { message } = await assertRejects(() => findGroup(client, "Engineering"), RequestError);
  assertMatch(
    message,
    /^Authentication failed - Okta rejected the access token; .*E0000011.*docs\/OKTA_SETUP\.md$/,
  );
  assertFalse(message.includes("API token"));
});
