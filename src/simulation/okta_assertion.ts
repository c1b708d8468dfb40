/** Clients of the simulated Okta that prove themselves with `private_key_jwt`. @see RFC 7523 3 */
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import * as z from "zod";
import { createOnce, demand, OAuthRefusal, orRefuse } from "./okta_refusal.ts";

/** The only `client_assertion_type` there is. @see RFC 7523 2.2 */
export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const LONGEST_SECONDS = 3_600;
const FUTURE_SECONDS = 300;
const ALGORITHMS: Readonly<Record<string, string>> = { RSA: "RS256", EC: "ES256" };

const claimsSchema = z.object({
  iss: z.string().optional(),
  sub: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  exp: z.number().optional(),
  iat: z.number().optional(),
  jti: z.string().optional(),
});

/** What an assertion is judged by. */
export interface AssertionExpectations {
  readonly clientId: string | undefined;
  /** The address that was asked. */
  readonly endpoint: string;
  /** Okta's own clock, in seconds since the epoch. */
  readonly nowSeconds: number;
}

/** The public keys of the app, and the judgement of what was signed with them. */
export interface ClientKeys {
  /** @throws {TypeError} if the key has no `kid`, or is not public. */
  register(publicJwk: JWK): void;
  /** @throws {OAuthRefusal} unless the assertion proves the client. */
  verify(assertion: string, expectations: AssertionExpectations): Promise<void>;
}

function refuse(description: string): never {
  throw new OAuthRefusal("invalid_client", description);
}

/** An app without keys. */
export function createClientKeys(): ClientKeys {
  const keys = new Map<string, JWK>();
  const isNewJti = createOnce();

  /** The claims, once the signature is known to be of a registered key. */
  async function open(assertion: string) {
    const malformed = "The client_assertion is not a valid JWT.";
    const { kid, alg } = await orRefuse(
      () => decodeProtectedHeader(assertion),
      "invalid_client",
      malformed,
    );
    const jwk = keys.get(kid ?? "") ?? refuse("The client_assertion JWT kid is invalid.");
    demand(
      alg !== undefined && alg === ALGORITHMS[jwk.kty ?? ""],
      "invalid_client",
      "The client_assertion algorithm does not match the key.",
    );
    const { payload } = await orRefuse(
      async () => await compactVerify(assertion, await importJWK(jwk, alg), { algorithms: [alg] }),
      "invalid_client",
      "The client_assertion signature is invalid.",
    );
    return await orRefuse(
      () => claimsSchema.parse(JSON.parse(new TextDecoder().decode(payload))),
      "invalid_client",
      malformed,
    );
  }

  return {
    register(publicJwk) {
      if (publicJwk.kid === undefined) throw new TypeError("a registered key needs a kid");
      if ("d" in publicJwk || "k" in publicJwk) throw new TypeError("only a public key can be registered");
      keys.set(publicJwk.kid, publicJwk);
    },
    async verify(assertion, { clientId, endpoint, nowSeconds }) {
      const { iss, sub, aud, exp, iat, jti } = await open(assertion);
      const rules: readonly (readonly [holds: boolean, description: string])[] = [
        [clientId !== undefined && iss === clientId, "The issuer of client_assertion must be the client_id."],
        [sub === clientId, "The subject of client_assertion must be the client_id."],
        [
          [aud].flat().includes(endpoint),
          "The audience claim for client_assertion must be the endpoint invoked for the request.",
        ],
        [exp !== undefined, "The client_assertion token has no expiration."],
        [exp !== undefined && exp > nowSeconds, "The client_assertion token is expired."],
        [
          exp !== undefined && exp <= nowSeconds + LONGEST_SECONDS,
          "The client_assertion token has an expiration too far into the future.",
        ],
        [
          iat === undefined || iat <= nowSeconds + FUTURE_SECONDS,
          "The client_assertion token was issued in the future.",
        ],
        [jti !== undefined, "The client_assertion token has no jti."],
      ];
      for (const [holds, description] of rules) demand(holds, "invalid_client", description);
      demand(isNewJti(jti ?? ""), "invalid_client", "The client_assertion jti was used before.");
    },
  };
}
