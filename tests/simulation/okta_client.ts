/** A client of the simulated Okta, written by hand, that can do each thing wrong. */
import { base64url, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { type SimulatedOkta, startOkta } from "../../src/simulation/okta.ts";

/** A key pair, and its public half as Okta knows it. */
export interface Key {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** The client id of the app. */
export const CLIENT_ID = "0oaclient";

/** Starts a simulated Okta without keys. */
export function start(): SimulatedOkta {
  return startOkta({ apiToken: "right", clientId: CLIENT_ID, clientSecret: "secret" });
}

/** Makes a key pair. */
export async function makeKey(alg = "ES256", kid = "key-1"): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, publicJwk: { ...await exportJWK(publicKey), kid } };
}

/** Now, in seconds since the epoch. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

/** Claims and header parameters that differ from what is right; `undefined` leaves one out. */
export interface Wrong {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs in place of the key that the header names. */
  readonly signer?: Key;
}

async function sign(
  key: Key,
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  wrong: Wrong,
): Promise<string> {
  return await new SignJWT({ ...claims, ...wrong.claims })
    .setProtectedHeader({ alg: key.alg, ...header, ...wrong.header })
    .sign((wrong.signer ?? key).privateKey);
}

/** A client assertion. */
export function assertion(okta: SimulatedOkta, key: Key, wrong: Wrong = {}): Promise<string> {
  const claims = {
    iss: CLIENT_ID,
    sub: CLIENT_ID,
    aud: `${okta.url}/oauth2/v1/token`,
    iat: nowSeconds(),
    exp: nowSeconds() + 300,
    jti: crypto.randomUUID(),
  };
  return sign(key, { kid: key.publicJwk.kid }, claims, wrong);
}

/** A DPoP proof for a request. */
export async function proof(
  key: Key,
  { method = "GET", url, accessToken, nonce }: {
    readonly method?: string;
    readonly url: string;
    readonly accessToken?: string;
    readonly nonce?: string | null;
  },
  wrong: Wrong = {},
): Promise<string> {
  const hash = accessToken && await crypto.subtle.digest("SHA-256", new TextEncoder().encode(accessToken));
  const claims = {
    htm: method,
    htu: url.split("?")[0],
    iat: nowSeconds(),
    jti: crypto.randomUUID(),
    ...(hash && { ath: base64url.encode(new Uint8Array(hash)) }),
    ...(nonce && { nonce }),
  };
  const { kid: _, ...jwk } = key.publicJwk;
  return await sign(key, { typ: "dpop+jwt", jwk }, claims, wrong);
}

/** What Okta answered, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- whatever came
  readonly body: any;
}

/** Asks, and reads the answer. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Asks the token endpoint once. */
export function askToken(
  okta: SimulatedOkta,
  clientAssertion: string,
  { dpop, form = {} }: { readonly dpop?: string; readonly form?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  return ask(`${okta.url}/oauth2/v1/token`, {
    method: "POST",
    headers: dpop === undefined ? {} : { dpop },
    body: new URLSearchParams({
      grant_type: "client_credentials",
      scope: "okta.groups.read",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: clientAssertion,
      ...form,
    }),
  });
}

/** Asks the token endpoint with a proof that holds the nonce it asked for. */
export async function askBoundToken(okta: SimulatedOkta, key: Key, holder: Key, wrong: Wrong = {}) {
  const request = { method: "POST", url: `${okta.url}/oauth2/v1/token` };
  const first = await askToken(okta, await assertion(okta, key), { dpop: await proof(holder, request) });
  const nonce = first.headers.get("dpop-nonce");
  return await askToken(okta, await assertion(okta, key), {
    dpop: await proof(holder, { ...request, nonce }, wrong),
  });
}
