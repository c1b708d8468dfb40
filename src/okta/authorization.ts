/** How requests to Okta are signed: an API token, or an access token of the org authorization server. */
import type { Config } from "../config/schema.ts";
import type { Secret } from "../config/secret.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Authorization, Surroundings } from "../http/types.ts";
import { type AccessToken, createTokenClient, type TokenClient } from "./token.ts";

/** The pause after a failed renewal, in milliseconds; it doubles each time. */
const FIRST_PAUSE_MS = 30_000;
const MOST_PAUSE_MS = 5 * 60_000;

/** Signs with `Authorization: SSWS <token>`. @see https://developer.okta.com/docs/guides/create-an-api-token/ */
function apiToken(token: Secret): Authorization {
  return { headers: () => Promise.resolve({ authorization: `SSWS ${token.reveal()}` }) };
}

/**
 * Signs with access tokens: fetched once, shared by concurrent requests, and renewed before they expire. While a
 * renewal fails, the old token stays in use.
 *
 * @see https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/
 */
function accessTokens(
  client: TokenClient,
  { now, monotonic, log, onCredential }: Surroundings,
): Authorization {
  let current: AccessToken | undefined;
  let pending: Promise<AccessToken> | undefined;
  let nextTryAt = 0;
  let pauseMs = FIRST_PAUSE_MS;

  async function fetchToken(): Promise<AccessToken> {
    try {
      current = await client.request();
      pauseMs = FIRST_PAUSE_MS;
      onCredential?.(undefined);
      return current;
    } finally {
      pending = undefined;
    }
  }

  /** Tries to renew; while that fails, the old token stays in use until it expires. */
  async function renewed(old: AccessToken): Promise<AccessToken> {
    if (monotonic() < nextTryAt) return old;
    try {
      return await (pending ??= fetchToken());
    } catch (error) {
      if (isRequestError(error, "interrupted") || monotonic() >= old.expiresAt) throw error;
      nextTryAt = monotonic() + pauseMs;
      pauseMs = Math.min(MOST_PAUSE_MS, pauseMs * 2);
      const until = new Date(now() + old.expiresAt - monotonic()).toISOString();
      const problem = `Okta's access token could not be renewed; the current one is valid until ${until}: ${
        errorMessage(error)
      }`;
      onCredential?.(problem);
      log.warning("{_problem}", { _problem: problem });
      return old;
    }
  }

  async function token(): Promise<AccessToken> {
    if (!current || monotonic() >= current.expiresAt) return await (pending ??= fetchToken());
    return monotonic() < current.renewAt ? current : await renewed(current);
  }

  return {
    async headers() {
      const { type, value } = await token();
      return { authorization: `${type} ${value}` };
    },
    renew({ authorization }) {
      if (current && authorization === `${current.type} ${current.value}`) current = undefined;
      return authorization !== undefined;
    },
    async send(url, init) {
      const [type, value] = (new Headers(init.headers).get("authorization") ?? "").split(" ");
      const known = { type: type === "DPoP" ? type : "Bearer", value: value ?? "" } as const;
      return await client.send(known, url, init);
    },
  };
}

/** The authorization that the configuration asks for. */
export function createOktaAuthorization(okta: Config["okta"], surroundings: Surroundings): Authorization {
  if (okta.auth_method === "oauth") {
    return accessTokens(createTokenClient(okta, surroundings), surroundings);
  }
  if (okta.api_token) return apiToken(okta.api_token);
  throw new TypeError("a checked configuration has no okta.api_token");
}
