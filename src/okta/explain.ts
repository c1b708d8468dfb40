/** Okta's refusals in words, with what to do. */
import type { Explanation } from "../http/types.ts";
import { oktaErrorSchema } from "./schema.ts";

const ADVICE: Readonly<Record<number, string>> = {
  401:
    "make a new token (one that nobody used for 30 days expires, as does one whose administrator was deactivated)",
  403:
    "give the token's administrator, or the service app, the scopes and a role that may read groups and users",
  404: "check okta.domain; it may also have been deleted a moment ago",
  429:
    "other programs use the same limit: raise sync.interval_seconds, or look at Reports > Rate Limits in Okta",
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
    detail: words && said ? `${words}; Okta says: ${said}` : words ?? said ?? `Okta answered ${status}`,
    advice: ADVICE[status] ??
      (status >= 500 ? "look at status.okta.com; gots tries again in the next cycle" : undefined),
  };
}
