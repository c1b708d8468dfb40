/** The simulated Okta verifies assertions, proofs, nonces, scopes and roles for real. */
import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import type { SimulatedOkta } from "../../src/simulation/okta.ts";
import {
  type Answer,
  ask,
  askBoundToken,
  askToken,
  assertion,
  type Key,
  makeKey,
  nowSeconds,
  proof,
  start,
  type Wrong,
} from "./okta_client.ts";

const RSA = await makeKey("RS256", "rsa");
const EC = await makeKey("ES256", "ec");
const OTHER = await makeKey("ES256", "other");

/** An Okta whose app has both keys. */
function startApp(settings: Partial<SimulatedOkta> = {}): SimulatedOkta {
  const okta = start();
  for (const key of [RSA, EC]) okta.registerKey(key.publicJwk);
  return Object.assign(okta, settings);
}

function assertRefused({ status, body }: Answer, code: number, error: string, description: RegExp): void {
  assertEquals([status, body.error], [code, error]);
  assertMatch(body.error_description, description);
}

const SEARCH = "/api/v1/groups?search=";

async function search(
  okta: SimulatedOkta,
  accessToken: string,
  { holder = EC, nonce, wrong = {}, scheme = "DPoP" }: {
    readonly holder?: Key | null;
    readonly nonce?: string | null;
    readonly wrong?: Wrong;
    readonly scheme?: string;
  } = {},
): Promise<Answer> {
  const url = okta.url + SEARCH;
  const dpop = holder && await proof(holder, { url, accessToken, ...(nonce && { nonce }) }, wrong);
  const headers = { authorization: `${scheme} ${accessToken}`, ...(dpop && { dpop }) };
  return await ask(url, { headers });
}

for (const key of [RSA, EC]) {
  Deno.test(`the simulated Okta gives a token for an assertion that is signed with ${key.alg}`, async () => {
    await using okta = startApp({ requireDpop: false, expiresInSeconds: 60 });
    const { status, body: { access_token, ...rest } } = await askToken(okta, await assertion(okta, key));
    assertEquals([status, rest], [200, {
      token_type: "Bearer",
      expires_in: 60,
      scope: "okta.groups.read",
    }]);
    assertEquals((await search(okta, access_token, { holder: null, scheme: "Bearer" })).status, 200);
  });
}

const FORGED = { signer: OTHER };
for (
  const [what, wrong, description] of [
    ["signed with another key", FORGED, /signature is invalid/],
    ["with an unknown kid", { header: { kid: "unknown" } }, /kid is invalid/],
    ["without a kid", { header: { kid: undefined } }, /kid is invalid/],
    ["with an algorithm that is not the key's", { header: { kid: "rsa" } }, /algorithm/],
    ["by another client", { claims: { iss: "0oaother" } }, /issuer/],
    ["about another client", { claims: { sub: "0oaother" } }, /subject/],
    ["for another audience", { claims: { aud: "https://example.okta.com" } }, /audience/],
    ["without an end", { claims: { exp: undefined } }, /no expiration/],
    ["that is expired", { claims: { exp: nowSeconds() - 1 } }, /expired/],
    ["that lasts over an hour", { claims: { exp: nowSeconds() + 3_660 } }, /too far into the future/],
    ["of the future", { claims: { iat: nowSeconds() + 400 } }, /issued in the future/],
    ["without a jti", { claims: { jti: undefined } }, /no jti/],
  ] as const satisfies readonly (readonly [string, Wrong, RegExp])[]
) {
  Deno.test(`the simulated Okta refuses an assertion ${what}`, async () => {
    await using okta = startApp({ requireDpop: false });
    assertRefused(await askToken(okta, await assertion(okta, EC, wrong)), 401, "invalid_client", description);
  });
}

Deno.test("the simulated Okta refuses an assertion that it has seen", async () => {
  await using okta = startApp({ requireDpop: false });
  const once = await assertion(okta, EC);
  assertEquals((await askToken(okta, once)).status, 200);
  assertRefused(await askToken(okta, once), 401, "invalid_client", /jti/);
});

for (
  const [what, form, code, error] of [
    ["another assertion type", { client_assertion_type: "jwt" }, 401, "invalid_client"],
    ["no JWT for an assertion", { client_assertion: "none" }, 401, "invalid_client"],
    ["another client id", { client_id: "0oaother" }, 401, "invalid_client"],
    ["another grant", { grant_type: "password" }, 400, "unsupported_grant_type"],
    ["a scope that is not granted", { scope: "okta.groups.read okta.apps.read" }, 400, "invalid_scope"],
    ["no scope", { scope: "" }, 400, "invalid_scope"],
  ] as const
) {
  Deno.test(`the simulated Okta refuses ${what}`, async () => {
    await using okta = startApp({ requireDpop: false });
    assertRefused(await askToken(okta, await assertion(okta, EC), { form }), code, error, /\S/);
  });
}

Deno.test("the simulated Okta judges an assertion by its own clock, which its Date header shows", async () => {
  await using okta = startApp({ requireDpop: false, clockOffsetMs: 600_000 });
  const late = await askToken(okta, await assertion(okta, EC));
  assertRefused(late, 401, "invalid_client", /expired/);
  const skewMs = Date.parse(late.headers.get("date") ?? "") - Date.now();
  assertEquals(Math.round(skewMs / 60_000), 10);
  okta.clockOffsetMs = -600_000;
  assertRefused(await askToken(okta, await assertion(okta, EC)), 401, "invalid_client", /future/);
});

Deno.test("the simulated Okta registers public keys with a kid only", async () => {
  await using okta = start();
  const { kid: _, ...nameless } = EC.publicJwk;
  assertThrows(() => okta.registerKey(nameless), TypeError, "kid");
  assertThrows(() => okta.registerKey({ ...EC.publicJwk, d: "secret" }), TypeError, "public");
});

Deno.test("the simulated Okta's app wants a proof, and then a nonce in it", async () => {
  await using okta = startApp();
  assertRefused(await askToken(okta, await assertion(okta, RSA)), 400, "invalid_dpop_proof", /missing/);
  const request = { method: "POST", url: `${okta.url}/oauth2/v1/token` };
  const dpop = await proof(EC, request);
  const asked = await askToken(okta, await assertion(okta, RSA), { dpop });
  assertRefused(asked, 400, "use_dpop_nonce", /nonce/);
  assertNotEquals(asked.headers.get("dpop-nonce"), null);
  const { status, body } = await askBoundToken(okta, RSA, EC);
  assertEquals([status, body.token_type], [200, "DPoP"]);
  assertEquals((await search(okta, body.access_token)).status, 200);
});

Deno.test("the simulated Okta wants another nonce after a rotation", async () => {
  await using okta = startApp();
  const request = { method: "POST", url: `${okta.url}/oauth2/v1/token` };
  const first = await askToken(okta, await assertion(okta, EC), { dpop: await proof(EC, request) });
  okta.rotateNonce();
  const nonce = first.headers.get("dpop-nonce");
  const dpop = await proof(EC, { ...request, nonce });
  const second = await askToken(okta, await assertion(okta, EC), { dpop });
  assertRefused(second, 400, "use_dpop_nonce", /nonce/);
  assertNotEquals(second.headers.get("dpop-nonce"), nonce);
});

const WRONG_PROOFS: readonly (readonly [string, Wrong, RegExp])[] = [
  ["signed with another key", FORGED, /signature/],
  ["of another type", { header: { typ: "jwt" } }, /'typ'/],
  ["without its key", { header: { jwk: undefined } }, /'jwk'/],
  ["for another method", { claims: { htm: "PUT" } }, /'htm'/],
  ["for another address", { claims: { htu: "http://127.0.0.1/api" } }, /'htu'/],
  ["without an address", { claims: { htu: undefined } }, /'htu'/],
  ["that is stale", { claims: { iat: nowSeconds() - 400 } }, /'iat'/],
  ["of the future", { claims: { iat: nowSeconds() + 400 } }, /'iat'/],
  ["without a jti", { claims: { jti: undefined } }, /'jti'/],
];

for (const [what, wrong, description] of WRONG_PROOFS) {
  Deno.test(`the simulated Okta gives no token for a proof ${what}`, async () => {
    await using okta = startApp();
    assertRefused(await askBoundToken(okta, EC, EC, wrong), 400, "invalid_dpop_proof", description);
  });
}

/** Fails unless the Management API refused with this challenge. */
function assertChallenged({ status, headers }: Answer, code: number, scheme: string, error: string): void {
  const challenge = headers.get("www-authenticate") ?? "";
  assertEquals([status, challenge.split(" ")[0]], [code, scheme]);
  assertMatch(challenge, new RegExp(`[ ,]error="${error}"`));
}

for (
  const [what, wrong] of [
    ...WRONG_PROOFS,
    ["without ath", { claims: { ath: undefined } }],
    ["with another token's ath", { claims: { ath: "another" } }],
    ["whose address has the query", { claims: { htu: SEARCH } }],
  ] as const
) {
  Deno.test(`the simulated Okta's API refuses a proof ${what}`, async () => {
    await using okta = startApp();
    const { body } = await askBoundToken(okta, EC, EC);
    const query = "claims" in wrong && "htu" in wrong.claims && wrong.claims.htu === SEARCH;
    const mistake = query ? { claims: { htu: okta.url + SEARCH } } : wrong;
    const refused = await search(okta, body.access_token, { wrong: mistake });
    assertChallenged(refused, 401, "DPoP", "invalid_dpop_proof");
    okta.proofRefusalStatus = 400;
    const again = await search(okta, body.access_token, { wrong: mistake });
    assertChallenged(again, 400, "DPoP", "invalid_dpop_proof");
  });
}

Deno.test("the simulated Okta's API takes each proof once, and of the token's key only", async () => {
  await using okta = startApp();
  const { body: { access_token } } = await askBoundToken(okta, EC, EC);
  const wrong = { claims: { jti: "once" } };
  assertEquals((await search(okta, access_token, { wrong })).status, 200);
  assertChallenged(await search(okta, access_token, { wrong }), 401, "DPoP", "invalid_dpop_proof");
  const stolen = await search(okta, access_token, { holder: OTHER });
  assertChallenged(stolen, 401, "DPoP", "invalid_dpop_proof");
  const bare = await search(okta, access_token, { holder: null });
  assertChallenged(bare, 401, "DPoP", "invalid_dpop_proof");
});

Deno.test("a bound token of the simulated Okta is no bearer token", async () => {
  await using okta = startApp();
  const { body } = await askBoundToken(okta, EC, EC);
  const bearer = await search(okta, body.access_token, { holder: null, scheme: "Bearer" });
  assertChallenged(bearer, 401, "DPoP", "invalid_token");
});

Deno.test("the simulated Okta's API asks for nonces where a test says so", async () => {
  await using okta = startApp({ requireApiNonce: true });
  const { body: { access_token } } = await askBoundToken(okta, EC, EC);
  const asked = await search(okta, access_token);
  assertChallenged(asked, 401, "DPoP", "use_dpop_nonce");
  const nonce = asked.headers.get("dpop-nonce");
  assertEquals((await search(okta, access_token, { nonce })).status, 200);
  okta.rotateNonce();
  assertChallenged(await search(okta, access_token, { nonce }), 401, "DPoP", "use_dpop_nonce");
});

Deno.test("an app that needs no proof gets a bearer token, whether it sends one or not", async () => {
  await using okta = startApp({ requireDpop: false });
  const dpop = await proof(EC, { method: "POST", url: `${okta.url}/oauth2/v1/token` });
  const { body } = await askToken(okta, await assertion(okta, EC), { dpop });
  assertEquals(body.token_type, "Bearer");
});

Deno.test("tokens of the simulated Okta end with their time, or when a test says so", async () => {
  await using okta = startApp({ requireDpop: false });
  const bearer = { holder: null, scheme: "Bearer" };
  const give = async () => (await askToken(okta, await assertion(okta, EC))).body.access_token;
  const [first, second] = [await give(), await give()];
  assertEquals((await search(okta, first, bearer)).status, 200);
  okta.clockOffsetMs = 3_600_000;
  assertChallenged(await search(okta, first, bearer), 401, "Bearer", "invalid_token");
  okta.clockOffsetMs = 0;
  okta.expireTokens();
  const { status, body } = await search(okta, second, bearer);
  assertEquals([status, body.errorCode], [401, "E0000011"]);
});

Deno.test("a token without the scope is forbidden by the simulated Okta, which names the scope", async () => {
  await using okta = startApp({ requireDpop: false });
  const form = { scope: "okta.users.read" };
  const { body } = await askToken(okta, await assertion(okta, EC), { form });
  const answer = await search(okta, body.access_token, { holder: null, scheme: "Bearer" });
  assertChallenged(answer, 403, "Bearer", "insufficient_scope");
  assertMatch(answer.headers.get("www-authenticate") ?? "", /scope="okta\.groups\.read"/);
  okta.grantedScopes.delete("okta.users.read");
  assertRefused(await askToken(okta, await assertion(okta, EC), { form }), 400, "invalid_scope", /granted/);
});

Deno.test("without an admin role the simulated Okta forbids, or is silent", async () => {
  await using okta = startApp({ requireDpop: false, adminRole: false });
  const { id } = okta.addGroup("Data", [okta.addUser("a@example.com")]);
  const { body: { access_token } } = await askToken(okta, await assertion(okta, EC));
  const headers = { authorization: `Bearer ${access_token}` };
  const path = `${okta.url}/api/v1/groups`;
  const everywhere = [`${path}?search=`, `${path}/${id}`, `${path}/${id}/users`];
  const answers = async () => {
    const all = await Promise.all(everywhere.map((url) => ask(url, { headers })));
    return all.map(({ status, body }) => [status, body.errorCode ?? body]);
  };
  assertEquals(await answers(), Array(3).fill([403, "E0000006"]));
  okta.adminRole = "silent";
  assertEquals(await answers(), [[200, []], [404, "E0000007"], [200, []]]);
});
