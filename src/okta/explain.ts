/** Explains Okta's errors, and says what to do. */
import { ResponseBodyError } from "oauth4webapi";
import { errorMessage } from "../http/error.ts";
import type { Explanation } from "../http/types.ts";
import { oktaErrorSchema } from "./schema.ts";

const ADVICE: Readonly<Record<number, string>> = {
  401:
    "create a new token (tokens expire after 30 days without use, or when their administrator is deactivated)",
  403:
    "give the token's administrator or the service app the scopes and a role that can read groups and users",
  404: "check okta.domain; the object may also have just been deleted",
  429: "other programs share this limit: raise sync.interval_seconds, or see Reports > Rate Limits in Okta",
};

const WORDS: Readonly<Record<number, string>> = {
  401: "Authentication failed - invalid API token",
  429: "Rate limit exceeded",
};

/** Reads Okta's error body: its code and summary, and the id that Okta's support asks for. */
export function explainOkta(status: number, body: unknown): Explanation {
  const error = oktaErrorSchema.safeParse(body).data;
  const said = error &&
    `${error.errorCode} ${error.errorSummary}${error.errorId ? ` [${error.errorId}]` : ""}`;
  const words = WORDS[status];
  return {
    detail: words && said ? `${words}; Okta says: ${said}` : words ?? said ?? `Okta returned ${status}`,
    advice: ADVICE[status] ??
      (status >= 500 ? "check status.okta.com; gots tries again in the next cycle" : undefined),
  };
}

/** The same for a service app, whose 401 is about an access token. */
export function explainOktaApp(status: number, body: unknown): Explanation {
  const { detail, advice } = explainOkta(status, body);
  if (status !== 401) return { detail, advice };
  return {
    detail: detail.replace("invalid API token", "Okta rejected the access token"),
    advice: `check that the app is active and has its scopes; see ${SETUP}`,
  };
}

/** The page of our documentation that explains the setup. */
const SETUP = "docs/OKTA_SETUP.md";

/** What to do about an OAuth error, by its code and what Okta says about it. */
function adviceFor(code: string, said: string, hasKey: boolean, skewSeconds: number): string {
  const skew = Math.abs(skewSeconds) < 60
    ? ""
    : ` (this machine's clock is ${Math.abs(Math.round(skewSeconds / 60))} min ${
      skewSeconds > 0 ? "slow" : "fast"
    })`;
  if (code === "invalid_client" && !hasKey) {
    return "Okta's org authorization server does not grant okta.* scopes to a client secret: add a key pair to the app " +
      `and set okta.oauth.private_key (see ${SETUP}), or use okta.auth_method: api_token`;
  }
  if (code === "invalid_client" && /\bkid\b|key ?id/i.test(said)) {
    return `okta.oauth.key_id is not the id (kid) of a public key of this app; see ${SETUP}${skew}`;
  }
  if (code === "invalid_client" && /signature/i.test(said)) {
    return `the private key does not match the public key with this okta.oauth.key_id; see ${SETUP}${skew}`;
  }
  if (code === "invalid_client") {
    return `compare okta.oauth.client_id, key_id and private_key with the app; see ${SETUP}${skew}`;
  }
  if (code === "invalid_scope") {
    return "grant the scopes in okta.oauth.scopes to the app (on its Okta API Scopes tab)";
  }
  if (code === "unauthorized_client") {
    return "the app must be an API Services app with the client credentials grant";
  }
  return `check the app and okta.domain; see ${SETUP}${skew}`;
}

/** Reads why no access token was given. */
export function explainRefusedToken(
  error: unknown,
  { private_key }: { readonly private_key?: unknown },
  skewSeconds: number,
): Explanation {
  if (!(error instanceof ResponseBodyError)) {
    return { detail: `could not get an access token: ${errorMessage(error)}`, advice: "check okta.domain" };
  }
  const { error: code, error_description: said = "" } = error;
  return {
    detail: `Authentication failed - ${code}${said ? `: ${said}` : ""}`,
    advice: adviceFor(code, said, private_key !== undefined, skewSeconds),
  };
}
