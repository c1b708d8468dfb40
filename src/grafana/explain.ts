/** Explains Grafana's errors, and says what to do. */
import type { Explanation } from "../http/types.ts";
import { messageSchema } from "./schema.ts";

/** How gots signs in to Grafana. */
export type CredentialKind = "token" | "password";

const ADVICE: Readonly<Record<number, string>> = {
  404: "check grafana.url and its path; the object may also have just been deleted",
  429: "raise sync.interval_seconds, or the limit of the proxy in front of Grafana",
};

const CREDENTIAL_ADVICE: Readonly<Record<CredentialKind, Readonly<Record<number, string>>>> = {
  token: {
    401: "create a new service account token and set it as grafana.api_key",
    403: "give the service account the Admin role, or the permission named in the message",
  },
  password: {
    401:
      "check grafana.username and grafana.password; after several wrong passwords from anyone, Grafana locks the " +
      "account for some minutes and also rejects the right one",
    403:
      "sign in as a server administrator who is an Admin of the organisation grafana.org_id, or grant the permission named in the message",
  },
};

const REFUSED: Readonly<Record<CredentialKind, string>> = {
  token: "Authentication failed - Grafana rejected the token",
  password: "Authentication failed - Grafana rejected the username or password",
};

/** Grafana's `[quota]`: no more users in the organisation or on the server, whatever the credential may do. */
function explainQuota(said: string): Explanation {
  const advice =
    "this is not about permissions: raise the quota ([quota] in Grafana's configuration, or the " +
    "organisation's own), or remove users who have left";
  return { kind: "quota", detail: `a Grafana quota is used up: ${said}`, advice };
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
        (status >= 500 ? "check Grafana's own log; gots tries again in the next cycle" : undefined),
    };
  };
}
