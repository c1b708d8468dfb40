/** Grafana's refusals in words, with what to do. */
import type { Explanation } from "../http/types.ts";
import { messageSchema } from "./schema.ts";

/** What Grafana is asked with. */
export type CredentialKind = "token" | "password";

const ADVICE: Readonly<Record<number, string>> = {
  404: "check grafana.url and its path; it may also have been deleted a moment ago",
  429: "raise sync.interval_seconds, or the limit of what stands before Grafana",
};

const CREDENTIAL_ADVICE: Readonly<Record<CredentialKind, Readonly<Record<number, string>>>> = {
  token: {
    401: "make a new service account token and put it into grafana.api_key",
    403: "give the service account the role Admin, or the permission that the message names",
  },
  password: {
    401:
      "check grafana.username and grafana.password; after several wrong passwords, from anyone, Grafana also " +
      "rejects the right one: the account may be locked for some minutes",
    403:
      "sign in as a server administrator who is Admin of the organisation grafana.org_id, or give the permission that the message names",
  },
};

const REFUSED: Readonly<Record<CredentialKind, string>> = {
  token: "Authentication failed - Grafana refuses the token",
  password: "Authentication failed - Grafana refuses the user name or the password",
};

/** Grafana's `[quota]`: no more users in the organisation or on the server, whatever the credential may do. */
function explainQuota(said: string): Explanation {
  const advice = "no permission is missing: raise the quota ([quota] in Grafana's configuration, or the " +
    "organisation's own), or remove users who have left";
  return { kind: "quota", detail: `a quota of Grafana is used up: ${said}`, advice };
}

/** Makes a reader of Grafana's error body, `{"message":"…"}`. */
export function createExplain(kind: CredentialKind): (status: number, body: unknown) => Explanation {
  const wordsFor = (status: number) =>
    status === 401 ? REFUSED[kind] : status === 429 ? "Rate limit exceeded" : undefined;
  return (status, body) => {
    const said = messageSchema.safeParse(body).data?.message;
    if (status === 403 && said && /quota reached/i.test(said)) return explainQuota(said);
    const words = wordsFor(status);
    return {
      detail: words && said
        ? `${words}; Grafana says: ${said}`
        : words ?? said ?? `Grafana returned ${status}`,
      advice: CREDENTIAL_ADVICE[kind][status] ?? ADVICE[status] ??
        (status >= 500 ? "look at Grafana's own log; gots tries again in the next cycle" : undefined),
    };
  };
}
