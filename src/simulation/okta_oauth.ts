/** The token endpoint of a simulated Okta, and what its API wants of a token: verified for real (RFC 6749, 7523, 9449). */
import {
  calculateJwkThumbprint,
  type CryptoKey,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
} from "jose";

/** An OAuth refusal. */
export interface OAuthRefusal {
  readonly status: 400 | 401 | 403;
  readonly error: string;
  readonly description: string;
  /** A nonce that is to be used (RFC 9449 8). */
  readonly nonce?: string;
}

/** An API Services app, and the authorization server that it asks; tests change it at will. */
export interface SimulatedApp {
  /** Whether `/oauth2/v1/token` takes a client secret. Okta's org authorization server does not. */
  acceptClientSecret: boolean;
  /** Whether the app requires DPoP, as new apps do. Where it does not, a proof is not looked at. */
  requireDpop: boolean;
  /** Whether API calls want a nonce too. */
  requireApiNonce: boolean;
  readonly grantedScopes: Set<string>;
  /** Whether the app has an admin role. Without one calls answer 403, or their lists are silently empty. */
  adminRole: boolean | "silent";
  /** The lifetime of tokens, in seconds. */
  expiresIn: number;
  /** How far Okta's clock is ahead of ours, in milliseconds. */
  clockOffsetMs: number;
  /** Registers the public half of a key; its `kid` names it. */
  registerKey(jwk: JWK): void;
  /** Nonces that were given out are no good any more. */
  rotateNonce(): void;
  /** Tokens that were given out are no good any more. */
  expireTokens(): void;
}

/** What a token stands for. */
interface Token {
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  /** The thumbprint of the key to which it is bound (RFC 7638). */
  readonly thumbprint: string | undefined;
}

/** What the app has to prove who it is. */
export interface AppCredentials {
  readonly clientId?: string;
  readonly clientSecret?: string;
}

/** The authorization server of a simulated Okta. */
export interface AuthorizationServer {
  /** The app as it begins, and what can be done to it. */
  readonly defaults: SimulatedApp;
  /** Answers a token request. */
  grant(request: Request): Promise<Record<string, unknown> | OAuthRefusal>;
  /** Judges the credential of an API call; `undefined` lets it through. */
  judge(request: Request, scope: string): Promise<OAuthRefusal | undefined>;
  /** The nonce to be used now. */
  nonce(): string;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ALGORITHMS = ["RS256", "ES256"];
const MOST_SKEW_SECONDS = 300;
const MOST_LIFETIME_SECONDS = 3_600;

const refuse = (error: string, description: string, status: 400 | 401 | 403 = 400): OAuthRefusal => ({
  status,
  error,
  description,
});
const invalidClient = (description: string) => refuse("invalid_client", description, 401);

/** Whether an answer is a refusal. */
export function isRefusal(answer: Record<string, unknown> | OAuthRefusal): answer is OAuthRefusal {
  return "description" in answer;
}

/** The client's id and secret, each form-encoded. @see RFC 6749 2.3.1 */
function readBasic(authorization: string) {
  const [, id, secret] = atob(authorization.replace(/^Basic /, "")).match(/^([^:]*):(.*)$/) ?? [];
  const decode = (text: string | undefined) => text && decodeURIComponent(text.replaceAll("+", " "));
  return { id: decode(id), secret: decode(secret) };
}

async function hashOf(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Makes the authorization server of one organisation with one app, which is as `settings` says at each moment. */
export function createAuthorizationServer(
  { clientId, clientSecret }: AppCredentials,
  settings: () => SimulatedApp,
): AuthorizationServer {
  const keys = new Map<string, JWK>();
  const tokens = new Map<string, Token>();
  const seen = new Set<string>();
  let nonce = crypto.randomUUID();
  const defaults: SimulatedApp = {
    acceptClientSecret: false,
    requireDpop: true,
    requireApiNonce: false,
    grantedScopes: new Set(["okta.groups.read", "okta.users.read"]),
    adminRole: true,
    expiresIn: 3_600,
    clockOffsetMs: 0,
    registerKey: (jwk) => void keys.set(jwk.kid ?? "", jwk),
    rotateNonce: () => void (nonce = crypto.randomUUID()),
    expireTokens: () => tokens.clear(),
  };
  const now = () => new Date(Date.now() + settings().clockOffsetMs);
  const seconds = () => now().getTime() / 1_000;

  /** Whether an id comes for the first time. */
  function isFresh(kind: string, { jti }: JWTPayload): boolean {
    if (!jti || seen.has(`${kind} ${jti}`)) return false;
    seen.add(`${kind} ${jti}`);
    return true;
  }

  async function checkAssertion(assertion: string, audience: string): Promise<OAuthRefusal | undefined> {
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(assertion, ({ kid = "", alg }) => {
        const key = keys.get(kid);
        if (!key) throw new Error("The client_assertion has an unknown kid.");
        return importJWK(key, alg) as Promise<CryptoKey>;
      }, {
        algorithms: ALGORITHMS,
        currentDate: now(),
        audience,
        issuer: clientId ?? "",
        subject: clientId ?? "",
      });
      payload = verified.payload;
    } catch (error) {
      const { code = "", message } = error as { code?: string; message: string };
      const isSignature = code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
      return invalidClient(isSignature ? "The client_assertion signature is invalid." : message);
    }
    const { exp = 0, iat = 0 } = payload;
    if (exp > seconds() + MOST_LIFETIME_SECONDS) return invalidClient("The client_assertion lives too long.");
    if (iat > seconds() + MOST_SKEW_SECONDS) return invalidClient("The client_assertion is from the future.");
    return isFresh("assertion", payload) ? undefined : invalidClient("The client_assertion was used before.");
  }

  /** Verifies a proof and gives the thumbprint of its key. */
  async function checkProof(
    request: Request,
    { wantsNonce, token }: { readonly wantsNonce: boolean; readonly token?: string },
  ): Promise<string | OAuthRefusal> {
    const bad = (description: string) => refuse("invalid_dpop_proof", description, token ? 401 : 400);
    const proof = request.headers.get("dpop");
    if (!proof) return bad("The DPoP proof JWT header is missing.");
    let jwk: JWK | undefined;
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(proof, (header) => {
        jwk = header.jwk as JWK;
        return importJWK(jwk, header.alg) as Promise<CryptoKey>;
      }, { typ: "dpop+jwt", algorithms: ALGORITHMS, currentDate: now() });
      payload = verified.payload;
    } catch (error) {
      return bad((error as Error).message);
    }
    const { origin, pathname } = new URL(request.url);
    if (payload.htm !== request.method) return bad("The htm claim is wrong.");
    if (payload.htu !== origin + pathname) return bad("The htu claim is wrong.");
    if (Math.abs(seconds() - (payload.iat ?? 0)) > MOST_SKEW_SECONDS) return bad("The iat claim is not now.");
    if (token && payload.ath !== await hashOf(token)) return bad("The ath claim is missing or wrong.");
    if (!isFresh("proof", payload)) return bad("The proof was used before.");
    if (wantsNonce && payload.nonce !== nonce) {
      const description = "Authorization server requires nonce in DPoP proof.";
      return { ...refuse("use_dpop_nonce", description, token ? 401 : 400), nonce };
    }
    return await calculateJwkThumbprint(jwk ?? {});
  }

  async function checkClient(request: Request, form: URLSearchParams): Promise<OAuthRefusal | undefined> {
    const { origin, pathname } = new URL(request.url);
    if (form.get("client_assertion_type") === ASSERTION_TYPE) {
      return await checkAssertion(form.get("client_assertion") ?? "", origin + pathname);
    }
    const client = readBasic(request.headers.get("authorization") ?? "");
    if (settings().acceptClientSecret && client.id === clientId && client.secret === clientSecret) {
      return undefined;
    }
    return invalidClient(
      "Client authentication failed. Either the client or the client credentials are invalid.",
    );
  }

  return {
    defaults,
    nonce: () => nonce,

    async grant(request) {
      const form = new URLSearchParams(await request.text());
      const isSecret = !form.has("client_assertion");
      let thumbprint: string | undefined;
      if (settings().requireDpop && !isSecret) {
        const proved = await checkProof(request, { wantsNonce: true });
        if (typeof proved !== "string") return proved;
        thumbprint = proved;
      }
      const refusal = await checkClient(request, form);
      if (refusal) return refusal;
      const asked = (form.get("scope") ?? "").split(" ").filter(Boolean);
      const scopes = asked.length > 0 ? asked : [...settings().grantedScopes];
      if (scopes.some((scope) => !settings().grantedScopes.has(scope))) {
        return refuse(
          "invalid_scope",
          "One or more scopes are not configured for the authorization server resource.",
        );
      }
      const access_token = crypto.randomUUID();
      tokens.set(access_token, { scopes, thumbprint, expiresAt: seconds() + settings().expiresIn });
      const token_type = thumbprint ? "DPoP" : "Bearer";
      return { token_type, expires_in: settings().expiresIn, access_token, scope: scopes.join(" ") };
    },

    async judge(request, scope) {
      const [scheme, value = ""] = (request.headers.get("authorization") ?? "").split(" ");
      const token = tokens.get(value);
      const invalid = refuse("invalid_token", "The access token is invalid or has expired.", 401);
      if (!token || token.expiresAt <= seconds()) return invalid;
      if (token.thumbprint) {
        if (scheme !== "DPoP") return invalid;
        const proved = await checkProof(request, { wantsNonce: settings().requireApiNonce, token: value });
        if (typeof proved !== "string") return proved;
        if (proved !== token.thumbprint) {
          return refuse("invalid_dpop_proof", "The proof's key is not the token's.", 401);
        }
      } else if (scheme !== "Bearer") return invalid;
      if (token.scopes.includes(scope)) return undefined;
      return refuse("insufficient_scope", "The access token lacks the scope.", 403);
    },
  };
}
