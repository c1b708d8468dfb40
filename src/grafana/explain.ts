/** Grafana's refusals in words, with what to do. */
import type { Explanation } from "../http/types.ts";
import { messageSchema } from "./schema.ts";

const ADVICE: Readonly<Record<number, string>> = {
  401: "make a new service account token and put it into grafana.api_key",
  403: "give the service account the role Admin, or the permission that the message names",
  404: "check grafana.url and its path; it may also have been deleted a moment ago",
  429: "raise sync.interval_seconds, or the limit of what stands before Grafana",
};

const WORDS: Readonly<Record<number, string>> = {
  401: "Authentication failed - Grafana refuses the token",
  429: "Rate limit exceeded",
};

/** Reads Grafana's error body, `{"message":"…"}`. */
export function explainGrafana(status: number, body: unknown): Explanation {
  const said = messageSchema.safeParse(body).data?.message;
  const words = WORDS[status];
  return {
    detail: words && said ? `${words}; Grafana says: ${said}` : words ?? said ?? `Grafana answered ${status}`,
    advice: ADVICE[status] ??
      (status >= 500 ? "look at Grafana's own log; gots tries again in the next cycle" : undefined),
  };
}
