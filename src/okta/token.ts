/** Access tokens of the org authorization server, got with client credentials (RFC 6749 4.4). */
import * as oauth from "oauth4webapi";
import * as z from "zod";
import type { Config } from "../config/schema.ts";
import { readAnswer } from "../http/answer.ts";
import { cleanError, quotable } from "../http/credentials.ts";
import { RequestError } from "../http/error.ts";
import { describeStranger } from "../http/stranger.ts";
import { createTransport } from "../http/transport.ts";
import type { Fetch, Surroundings } from "../http/types.ts";
import { type Clock, createClock } from "./clock.ts";
import { explainOkta, explainRefusedToken } from "./explain.ts";

/** An access token, and how to use it. */
export interface AccessToken {
  readonly value: string;
  /** `DPoP` if it is bound to our key (RFC 9449), else `Bearer`. */
  readonly type: "Bearer" | "DPoP";
  /** By our monotonic clock, in milliseconds. */
  readonly expiresAt: number;
  readonly renewAt: number;
  /** The scopes that were granted, where the server names them. */
  readonly scopes: readonly string[] | undefined;
}

/** Asks for access tokens, and signs requests with them. */
export interface TokenClient {
  /** @throws {RequestError} of the kind `unauthorized` if the app is rejected. */
  request(): Promise<AccessToken>;
  /** Sends a request with a token: for one that is bound, with a new proof for each attempt (RFC 9449 4.2). */
  send(token: Pick<AccessToken, "type" | "value">, url: string, init: RequestInit): Promise<Response>;
}

/** A token is renewed this long before its end, in milliseconds, or at half of its life. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** The lifetime of a token that names none, in seconds. */
const LIFETIME_SECONDS = 3_600;

/** The statuses of a token or of an OAuth error (RFC 6749 5.1 and 5.2). */
const OAUTH_STATUSES: ReadonlySet<number> = new Set([200, 400, 401]);

/** How often an answer may ask for a correction before it is an error. */
const MOST_CORRECTIONS = 3;

const PATH = "/oauth2/v1/token";

function required<T>(value: T | undefined, setting: string): T {
  if (value === undefined) {
    throw new TypeError(`a checked configuration has no okta.oauth.${setting}`);
  }
  return value;
}

/** How the app proves who it is: with its private key (RFC 7523), or as GOTS does, with a secret. */
async function clientAuthentication(
  { client_secret, private_key, key_id }: Config["okta"]["oauth"],
  audience: string,
): Promise<oauth.ClientAuth> {
  if (!private_key) return oauth.ClientSecretBasic(required(client_secret, "client_secret").reveal());
  const { jwk, algorithm, keyId } = private_key;
  const parameters = algorithm === "RS256"
    ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
    : { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", JSON.parse(jwk.reveal()), parameters, false, ["sign"]);
  return oauth.PrivateKeyJwt({ key, kid: required(key_id ?? keyId, "key_id") }, {
    [oauth.modifyAssertion]: (_, payload) => void (payload.aud = audience),
  });
}

/** Makes a client of the organisation's token endpoint. */
export function createTokenClient(
  { domain, oauth: settings }: Config["okta"],
  surroundings: Surroundings,
): TokenClient {
  const { monotonic } = surroundings;
  const tokenUrl = `${domain}${PATH}`;
  const server: oauth.AuthorizationServer = { issuer: domain, token_endpoint: tokenUrl };
  const insecure = { [oauth.allowInsecureRequests]: domain.startsWith("http:") };
  const subject = { service: "Okta", method: "POST", path: PATH };
  const clock: Clock = createClock();
  const authentication = clientAuthentication(settings, tokenUrl);
  const keys = oauth.generateKeyPair("ES256");
  const client = (): oauth.Client => ({
    client_id: required(settings.client_id, "client_id"),
    [oauth.clockSkew]: clock.skewSeconds(),
  });
  /** Holds the nonces of the server; a new one for a new skew, with the same key, to which tokens are bound. */
  let proof: { readonly handle: oauth.DPoPHandle; readonly skew: number } | undefined;
  /** What was sent last, so that no answer can say it. */
  let sent: Record<string, string> = {};

  async function proofHandle(): Promise<oauth.DPoPHandle> {
    const skew = clock.skewSeconds();
    if (proof?.skew !== skew) proof = { handle: oauth.DPoP(client(), await keys), skew };
    return proof.handle;
  }

  /** Every attempt has an assertion and a proof of its own: neither is accepted twice. */
  const ask: Fetch = async (_, { headers, signal }) => {
    const own = Object.fromEntries(new Headers(headers));
    return await oauth.clientCredentialsGrantRequest(
      server,
      client(),
      await authentication,
      { scope: settings.scopes.join(" ") },
      {
        ...insecure,
        ...(settings.private_key ? { DPoP: await proofHandle() } : {}),
        headers: own,
        async [oauth.customFetch](url, init) {
          sent = init.headers;
          const response = await surroundings.fetch(url, {
            ...init,
            body: init.body.toString(),
            signal: signal ?? null,
          });
          clock.observe(response);
          return response;
        },
      },
    );
  };
  const transport = createTransport({ name: "Okta" }, { ...surroundings, fetch: ask });

  async function exchange(): Promise<oauth.TokenEndpointResponse> {
    const headers = () => Promise.resolve({});
    const { response, text } = await transport.exchange({ ...subject, url: tokenUrl, route: PATH, headers });
    if (!OAUTH_STATUSES.has(response.status) || describeStranger(response, text)) {
      const service = { name: "Okta", baseUrl: domain, explain: explainOkta };
      await readAnswer({ schema: z.never() }, service, subject, response, quotable(response, text, sent));
    }
    return await oauth.processClientCredentialsResponse(server, client(), new Response(text, response));
  }

  /** Asks again when an answer asks for a correction: a nonce, the right time, and then a nonce for that time. */
  async function exchangePatiently(): Promise<oauth.TokenEndpointResponse> {
    for (let corrections = 0;; corrections++) {
      const skew = clock.skewSeconds();
      try {
        return await exchange();
      } catch (error) {
        const isCorrected = oauth.isDPoPNonceError(error) || clock.skewSeconds() !== skew;
        if (!isCorrected || corrections >= MOST_CORRECTIONS) throw error;
      }
    }
  }

  function explain(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    const refused = error instanceof oauth.ResponseBodyError ? error : undefined;
    const explanation = explainRefusedToken(error, settings, clock.skewSeconds());
    const kind = refused ? "unauthorized" : "unexpected-shape";
    return new RequestError({ ...subject, ...explanation, kind, status: refused?.status });
  }

  return {
    async request() {
      const startedAt = monotonic();
      try {
        const token = await exchangePatiently();
        const lifetimeMs = (token.expires_in ?? LIFETIME_SECONDS) * 1_000;
        return {
          value: token.access_token,
          type: token.token_type === "dpop" ? "DPoP" : "Bearer",
          scopes: token.scope?.split(" "),
          expiresAt: startedAt + lifetimeMs,
          renewAt: startedAt + Math.max(lifetimeMs - RENEW_BEFORE_MS, lifetimeMs / 2),
        };
      } catch (error) {
        throw cleanError(explain(error), sent);
      }
    },

    async send({ value, type }, url, { method = "GET", headers, body, signal }) {
      if (type === "Bearer") {
        return await surroundings.fetch(
          url,
          { method, headers, body, signal, redirect: "manual" } as RequestInit,
        );
      }
      const own = new Headers(headers);
      own.delete("authorization");
      const DPoP = await proofHandle();
      const attempt = () =>
        oauth.protectedResourceRequest(value, method, new URL(url), own, body as string | null ?? null, {
          ...insecure,
          DPoP,
          [oauth.customFetch]: async (address, init) => {
            const response = await surroundings.fetch(
              address,
              { ...init, signal: signal ?? null } as RequestInit,
            );
            clock.observe(response);
            return response;
          },
        });
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
        if (!oauth.isDPoPNonceError(error)) return error.response;
        await error.response.body?.cancel();
        return await attempt().catch((again: unknown) => {
          if (again instanceof oauth.WWWAuthenticateChallengeError) return again.response;
          throw again;
        });
      }
    },
  };
}
