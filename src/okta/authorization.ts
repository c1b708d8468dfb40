/** How requests to Okta are signed: an API token, or an access token of the org authorization server. */
import * as oauth from "oauth4webapi";
import { z } from "zod";
import type { Config } from "../config/schema.ts";
import type { Secret } from "../config/secret.ts";
import { readAnswer } from "../http/answer.ts";
import { cleanError } from "../http/credentials.ts";
import { errorMessage, RequestError } from "../http/error.ts";
import { createTransport } from "../http/transport.ts";
import type { Authorization, Surroundings } from "../http/types.ts";
import { explainOkta } from "./explain.ts";

/** A token is renewed this long before its end, in milliseconds. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** Signs with `Authorization: SSWS <token>`. @see https://developer.okta.com/docs/guides/create-an-api-token/ */
function apiToken(token: Secret): Authorization {
  return { headers: () => Promise.resolve({ authorization: `SSWS ${token.reveal()}` }) };
}

/** The statuses of a token or of an OAuth error (RFC 6749 5.1 and 5.2). */
const OAUTH_STATUSES: ReadonlySet<number> = new Set([200, 400, 401]);

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
  surroundings: Surroundings,
): Authorization {
  const { now } = surroundings;
  const transport = createTransport({}, surroundings);
  const path = "/oauth2/v1/token";
  const server: oauth.AuthorizationServer = { issuer: domain, token_endpoint: `${domain}${path}` };
  const client: oauth.Client = { client_id: clientId };
  const subject = { service: "Okta", method: "POST", path };
  let pending: Promise<AccessToken> | undefined;
  let current: AccessToken | undefined;

  /** Goes through the same time limit and backoff as every request; an answer that is no OAuth answer is an error. */
  const send = async (
    url: string,
    init: { headers: Record<string, string>; body: { toString(): string } },
  ) => {
    sent = init.headers;
    const headers = () => Promise.resolve(init.headers);
    const { response, text } = await transport.exchange({
      ...subject,
      url,
      route: path,
      headers,
      body: init.body.toString(),
    });
    if (!OAUTH_STATUSES.has(response.status)) {
      readAnswer(
        { schema: z.never() },
        { name: "Okta", baseUrl: domain, explain: explainOkta },
        subject,
        response,
        text,
      );
    }
    return new Response(text, response);
  };

  /** What was sent with the last request, so that no answer can say it. */
  let sent: Record<string, string> = {};

  async function request(): Promise<AccessToken> {
    const startedAt = now();
    try {
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        oauth.ClientSecretBasic(clientSecret.reveal()),
        { scope: scopes.join(" ") },
        { [oauth.customFetch]: send, [oauth.allowInsecureRequests]: domain.startsWith("http:") },
      );
      const token = await oauth.processClientCredentialsResponse(server, client, response);
      const lifetimeMs = (token.expires_in ?? 3_600) * 1_000;
      return {
        value: token.access_token,
        renewAt: startedAt + Math.max(lifetimeMs - RENEW_BEFORE_MS, lifetimeMs / 2),
      };
    } catch (error) {
      throw cleanError(error instanceof RequestError ? error : explain(error), sent);
    }
  }

  function explain(error: unknown): RequestError {
    if (!(error instanceof oauth.ResponseBodyError)) {
      const detail = `no access token: ${errorMessage(error)}`;
      return new RequestError({ ...subject, kind: "unexpected-shape", detail, advice: "check okta.domain" });
    }
    const said = `${error.error}${error.error_description ? `: ${error.error_description}` : ""}`;
    const advice = error.error === "invalid_client"
      ? "Okta's org authorization server gives okta.* scopes to no client secret; use okta.auth_method: api_token"
      : "check okta.oauth.client_id, and that the scopes are granted to the app";
    const detail = `Authentication failed - ${said}`;
    return new RequestError({ ...subject, kind: "unauthorized", status: error.status, detail, advice });
  }

  function forget(): void {
    pending = undefined;
    current = undefined;
  }

  return {
    async headers() {
      if (current && current.renewAt <= now()) forget();
      pending ??= request();
      const mine = pending;
      try {
        const token = await mine;
        if (pending === mine) current = token;
        return { authorization: `Bearer ${token.value}` };
      } catch (error) {
        if (pending === mine) forget();
        throw error;
      }
    },
    renew({ authorization }) {
      if (current && authorization === `Bearer ${current.value}`) forget();
      return authorization !== undefined;
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
