/** How requests to Okta are signed: an API token, or an access token of the org authorization server. */
import * as oauth from "oauth4webapi";
import type { Config } from "../config/schema.ts";
import type { Secret } from "../config/secret.ts";
import { errorMessage, RequestError } from "../http/error.ts";
import type { Authorization, Surroundings } from "../http/types.ts";

/** A token is renewed this long before its end, in milliseconds. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** Signs with `Authorization: SSWS <token>`. @see https://developer.okta.com/docs/guides/create-an-api-token/ */
function apiToken(token: Secret): Authorization {
  return { headers: () => Promise.resolve({ authorization: `SSWS ${token.reveal()}` }) };
}

interface AccessToken {
  readonly value: string;
  readonly renewAt: number;
}

/**
 * Signs with an access token from `/oauth2/v1/token`, got with client credentials (RFC 6749 4.4). It is
 * fetched once, shared by concurrent requests and renewed before its end.
 *
 * @see https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/
 */
function clientCredentials(
  { domain, clientId, clientSecret, scopes }: {
    readonly domain: string;
    readonly clientId: string;
    readonly clientSecret: Secret;
    readonly scopes: readonly string[];
  },
  { fetch, now, signal }: Surroundings,
): Authorization {
  const path = "/oauth2/v1/token";
  const server: oauth.AuthorizationServer = { issuer: domain, token_endpoint: `${domain}${path}` };
  const client: oauth.Client = { client_id: clientId };
  const subject = { service: "Okta", method: "POST", path };
  let current: Promise<AccessToken> | undefined;

  async function request(): Promise<AccessToken> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
    try {
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        oauth.ClientSecretBasic(clientSecret.reveal()),
        { scope: scopes.join(" ") },
        {
          signal: limit,
          [oauth.customFetch]: fetch,
          [oauth.allowInsecureRequests]: domain.startsWith("http:"),
        },
      );
      const token = await oauth.processClientCredentialsResponse(server, client, response);
      const lifetimeMs = (token.expires_in ?? 3_600) * 1_000;
      return {
        value: token.access_token,
        renewAt: now() + Math.max(lifetimeMs - RENEW_BEFORE_MS, lifetimeMs / 2),
      };
    } catch (error) {
      throw explain(error);
    }
  }

  function explain(error: unknown): RequestError {
    if (signal.aborted) return new RequestError({ ...subject, kind: "interrupted", detail: "stopped" });
    if (!(error instanceof oauth.ResponseBodyError)) {
      const detail = `no access token: ${errorMessage(error)}`;
      return new RequestError({
        ...subject,
        kind: "unreachable",
        detail,
        advice: "check okta.domain",
        cause: error,
      });
    }
    const said = `${error.error}${error.error_description ? `: ${error.error_description}` : ""}`;
    const advice = error.error === "invalid_client"
      ? "Okta's org authorization server gives okta.* scopes to no client secret; use okta.auth_method: api_token"
      : "check okta.oauth.client_id, and that the scopes are granted to the app";
    return new RequestError({
      ...subject,
      kind: "unauthorized",
      status: error.status,
      detail: `Authentication failed - ${said}`,
      advice,
    });
  }

  return {
    async headers() {
      if (current && (await current).renewAt <= now()) current = undefined;
      current ??= request();
      const pending = current;
      try {
        return { authorization: `Bearer ${(await pending).value}` };
      } catch (error) {
        if (current === pending) current = undefined;
        throw error;
      }
    },
    renew() {
      const renewable = current !== undefined;
      current = undefined;
      return renewable;
    },
  };
}

function required<T>(value: T | undefined, setting: string): T {
  if (value === undefined) {
    throw new TypeError(`${setting} is missing although the configuration was checked`);
  }
  return value;
}

/** The authorization that the configuration asks for. */
export function createOktaAuthorization(okta: Config["okta"], surroundings: Surroundings): Authorization {
  if (okta.auth_method === "api_token") return apiToken(required(okta.api_token, "okta.api_token"));
  return clientCredentials({
    domain: okta.domain,
    clientId: required(okta.oauth.client_id, "okta.oauth.client_id"),
    clientSecret: required(okta.oauth.client_secret, "okta.oauth.client_secret"),
    scopes: okta.oauth.scopes,
  }, surroundings);
}
