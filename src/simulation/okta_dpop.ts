/** Proofs that a client of the simulated Okta holds a key. @see RFC 9449 4.3 */
import {
  base64url,
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  importJWK,
  type JWK,
} from "jose";
import * as z from "zod";
import { createOnce, demand, orRefuse } from "./okta_refusal.ts";

/** The algorithms that Okta names in its challenges. */
export const PROOF_ALGORITHMS: readonly string[] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/** How far a proof's `iat` may be from Okta's clock, either way. */
const FRESH_SECONDS = 300;

const claimsSchema = z.object({
  htm: z.string().optional(),
  htu: z.string().optional(),
  iat: z.number().optional(),
  jti: z.string().optional(),
  ath: z.string().optional(),
  nonce: z.string().optional(),
});

/** A proof, and the request that it came with. */
export interface ProofPresented {
  readonly request: Request;
  /** Okta's own clock, in seconds since the epoch. */
  readonly nowSeconds: number;
  /** The nonce that the proof must hold. */
  readonly nonce: string | undefined;
  /** The access token that goes with it. */
  readonly accessToken?: string;
}

const invalid = "invalid_dpop_proof";

/** The key and the claims of a proof that is well signed. */
async function open(proof: string) {
  const { typ, alg = "", jwk } = await orRefuse(
    () => decodeProtectedHeader(proof),
    invalid,
    "The DPoP proof JWT is malformed.",
  );
  demand(typ === "dpop+jwt", invalid, "'typ' in the DPoP proof JWT header is invalid.");
  demand(PROOF_ALGORITHMS.includes(alg), invalid, "'alg' in the DPoP proof JWT header is invalid.");
  demand(
    jwk !== undefined && !("d" in jwk) && !("k" in jwk),
    invalid,
    "'jwk' in the DPoP proof JWT header is invalid.",
  );
  const key: JWK = jwk;
  const { payload } = await orRefuse(
    async () => await compactVerify(proof, await importJWK(key, alg), { algorithms: [alg] }),
    invalid,
    "The DPoP proof JWT signature is invalid.",
  );
  const claims = await orRefuse(
    () => claimsSchema.parse(JSON.parse(new TextDecoder().decode(payload))),
    invalid,
    "The DPoP proof JWT is malformed.",
  );
  return { thumbprint: await calculateJwkThumbprint(key), claims };
}

/** The address of a request as a proof names it. Okta refuses one that has the query in it. */
function urlOf({ url }: Request): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

async function hashOf(accessToken: string): Promise<string> {
  return base64url.encode(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(accessToken))),
  );
}

/** Judges proofs; each `jti` counts once. The judge gives the thumbprint of the key, or throws an `OAuthRefusal`. */
export function createProofJudge(): (presented: ProofPresented) => Promise<string> {
  const isNewJti = createOnce();
  return async ({ request, nowSeconds, nonce, accessToken }) => {
    const proof = request.headers.get("dpop");
    demand(proof !== null, invalid, "The DPoP proof JWT header is missing.");
    const { thumbprint, claims: { htm, htu, iat, jti, ath, ...sent } } = await open(proof);
    const rules: Readonly<Record<string, boolean>> = {
      htm: htm === request.method,
      htu: htu === urlOf(request),
      iat: iat !== undefined && Math.abs(nowSeconds - iat) <= FRESH_SECONDS,
      ath: accessToken === undefined || ath === await hashOf(accessToken),
      jti: jti !== undefined && isNewJti(jti),
    };
    for (const [claim, holds] of Object.entries(rules)) {
      demand(holds, invalid, `'${claim}' claim in the DPoP proof JWT is invalid.`);
    }
    const server = accessToken === undefined ? "Authorization" : "Resource";
    demand(
      nonce === undefined || sent.nonce === nonce,
      "use_dpop_nonce",
      `${server} server requires nonce in DPoP proof.`,
    );
    return thumbprint;
  };
}
