/** The simulated Okta's org authorization server, and what it makes of the tokens that it gave. */
import type { JWK } from "jose";
import type { Context } from "hono";
import { ASSERTION_TYPE, createClientKeys } from "./okta_assertion.ts";
import { createProofJudge, PROOF_ALGORITHMS } from "./okta_dpop.ts";
import { demand, OAuthRefusal } from "./okta_refusal.ts";

/** The service app of the simulated organisation, as its administrator set it up; tests change it at will. */
export interface OktaApp {
  /**
   * Whether `/oauth2/v1/token` takes a client secret, and gives a bearer token for it. Okta's org
   * authorization server does not.
   *
   * @default {false}
   */
  acceptClientSecret: boolean;
  /**
   * Whether tokens are bound to a key (RFC 9449). Where they are not, a proof is ignored, and the token
   * is a bearer token.
   *
   * @default {true}
   */
  requireDpop: boolean;
  /** Whether proofs at the Management API need a nonce as well. @default {false} */
  requireApiNonce: boolean;
  /**
   * What the Management API answers to a bad proof: RFC 9449 7.1 says 401, and 400 was seen of Okta.
   *
   * @default {401}
   */
  proofRefusalStatus: 400 | 401;
  /** The scopes that are granted to the app. @default {okta.groups.read, okta.users.read} */
  grantedScopes: Set<string>;
  /** How long the tokens given from now on are good. @default {3600} */
  expiresInSeconds: number;
  /** How far Okta's clock is before (positive) or behind this machine's. @default {0} */
  clockOffsetMs: number;
  /** Registers a public key of the app, known by its `kid`. @throws {TypeError} without a `kid`, or if private. */
  registerKey(publicJwk: JWK): void;
  /** Makes every nonce so far stale. */
  rotateNonce(): void;
  /** Revokes every access token so far. */
  expireTokens(): void;
}

interface AccessToken {
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  /** The thumbprint of the key that it is bound to. @see RFC 9449 6.1 */
  readonly cnf?: { readonly jkt: string };
}

/** The client's own credentials. */
export interface OktaClientCredentials {
  readonly clientId?: string;
  readonly clientSecret?: string;
}

/** The authorization server, and its word on the requests that carry its tokens. */
export interface OktaOAuth {
  /** Answers `POST /oauth2/v1/token`. */
  answerToken(c: Context): Promise<Response>;
  /** The scopes of a request's access token. @throws {OAuthRefusal} unless the token, and its proof, are good. */
  admit(request: Request): Promise<readonly string[]>;
  /** The headers that go with a refusal by the Management API. */
  challenge(request: Request, refusal: OAuthRefusal, scope: string): Record<string, string>;
  /** How the app is set up at first. */
  readonly app: OktaApp;
}

const AUTHENTICATION_FAILED =
  "Client authentication failed. Either the client or the client credentials are invalid.";

/** The client's id and secret, each form-encoded. @see RFC 6749 2.3.1 */
function readBasic(authorization: string) {
  const [, id, secret] = atob(authorization.replace(/^Basic /, "")).match(/^([^:]*):(.*)$/) ?? [];
  const decode = (text: string | undefined) => text && decodeURIComponent(text.replaceAll("+", " "));
  return { id: decode(id), secret: decode(secret) };
}

/** An authorization server for one app; `settings` gives how the app is set up now. */
export function createOktaOAuth(
  { clientId, clientSecret }: OktaClientCredentials,
  settings: () => OktaApp,
): OktaOAuth {
  const keys = createClientKeys();
  const judgeProof = createProofJudge();
  const tokens = new Map<string, AccessToken>();
  let nonce = crypto.randomUUID();
  const nowSeconds = () => Math.floor((Date.now() + settings().clockOffsetMs) / 1_000);

  function give(scopes: readonly string[], cnf?: { readonly jkt: string }) {
    const access_token = crypto.randomUUID();
    const expires_in = settings().expiresInSeconds;
    tokens.set(access_token, { scopes, expiresAt: nowSeconds() + expires_in, ...(cnf && { cnf }) });
    return { token_type: cnf ? "DPoP" : "Bearer", expires_in, access_token, scope: scopes.join(" ") };
  }

  function giveForSecret(authorization: string) {
    const { id, secret } = readBasic(authorization);
    const isClient = settings().acceptClientSecret && id === clientId && secret === clientSecret;
    demand(isClient, "invalid_client", AUTHENTICATION_FAILED);
    return give([...settings().grantedScopes]);
  }

  async function giveForAssertion(request: Request, form: URLSearchParams) {
    const { requireDpop, grantedScopes } = settings();
    demand(
      form.get("client_assertion_type") === ASSERTION_TYPE,
      "invalid_client",
      "The client_assertion_type is invalid.",
    );
    const named = form.get("client_id");
    demand(
      named === null || named === clientId,
      "invalid_client",
      "Invalid value for 'client_id' parameter.",
    );
    await keys.verify(form.get("client_assertion") ?? "", {
      clientId,
      endpoint: request.url,
      nowSeconds: nowSeconds(),
    });
    demand(
      form.get("grant_type") === "client_credentials",
      "unsupported_grant_type",
      "The grant type is not supported.",
    );
    const scopes = (form.get("scope") ?? "").split(" ").filter(Boolean);
    demand(scopes.length > 0, "invalid_scope", "A scope must be asked for.");
    demand(
      scopes.every((scope) => grantedScopes.has(scope)),
      "invalid_scope",
      "One or more scopes are not granted to the app.",
    );
    if (!requireDpop) return give(scopes);
    return give(scopes, { jkt: await judgeProof({ request, nowSeconds: nowSeconds(), nonce }) });
  }

  return {
    async answerToken(c) {
      try {
        const authorization = c.req.header("authorization");
        if (authorization !== undefined) return c.json(giveForSecret(authorization));
        return c.json(await giveForAssertion(c.req.raw, new URLSearchParams(await c.req.text())));
      } catch (refusal) {
        if (!(refusal instanceof OAuthRefusal)) throw refusal;
        if (refusal.code === "use_dpop_nonce") c.header("dpop-nonce", nonce);
        const status = refusal.code === "invalid_client" ? 401 : 400;
        return c.json({ error: refusal.code, error_description: refusal.message }, status);
      }
    },

    async admit(request) {
      const [scheme, value = ""] = (request.headers.get("authorization") ?? "").split(" ");
      const token = tokens.get(value);
      const isGood = token !== undefined && token.expiresAt > nowSeconds();
      demand(isGood, "invalid_token", "The access token is invalid or expired.");
      demand(scheme === (token.cnf ? "DPoP" : "Bearer"), "invalid_token", "The scheme is not the token's.");
      if (!token.cnf) return token.scopes;
      const thumbprint = await judgeProof({
        request,
        nowSeconds: nowSeconds(),
        nonce: settings().requireApiNonce ? nonce : undefined,
        accessToken: value,
      });
      const isHolder = thumbprint === token.cnf.jkt;
      demand(
        isHolder,
        "invalid_dpop_proof",
        "The DPoP proof JWT is signed with another key than the token's.",
      );
      return token.scopes;
    },

    challenge(request, { code, message }, scope) {
      const { origin, pathname } = new URL(request.url);
      const [token = ""] = (request.headers.get("authorization") ?? "").split(" ").slice(1);
      const isBound = tokens.get(token)?.cnf !== undefined;
      const parameters = {
        ...(isBound && { algs: PROOF_ALGORITHMS.join(" ") }),
        authorization_uri: `${origin}/oauth2/v1/authorize`,
        realm: origin,
        scope,
        error: code,
        error_description: message,
        resource: pathname,
      };
      const listed = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`).join(", ");
      return {
        "www-authenticate": `${isBound ? "DPoP" : "Bearer"} ${listed}`,
        ...(code === "use_dpop_nonce" && { "dpop-nonce": nonce }),
      };
    },

    app: {
      acceptClientSecret: false,
      requireDpop: true,
      requireApiNonce: false,
      proofRefusalStatus: 401,
      grantedScopes: new Set(["okta.groups.read", "okta.users.read"]),
      expiresInSeconds: 3_600,
      clockOffsetMs: 0,
      registerKey: keys.register,
      rotateNonce() {
        nonce = crypto.randomUUID();
      },
      expireTokens: () => tokens.clear(),
    },
  };
}
