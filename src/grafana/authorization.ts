/** How requests to Grafana are signed. */
import type { Config } from "../config/schema.ts";
import type { Authorization } from "../http/types.ts";

/** The organisation that Grafana creates at its first start. */
export const MAIN_ORG_ID = 1;

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/**
 * Signs with the token or, in UTF-8, with user name and password, which also need to name the organisation.
 *
 * @see RFC 7617 2.1
 */
export function createGrafanaAuthorization(
  { api_key, username, password, org_id = MAIN_ORG_ID }: Config["grafana"],
): Authorization {
  const headers = (): Record<string, string> => {
    if (api_key) return { authorization: `Bearer ${api_key.reveal()}` };
    const credential = base64(`${username ?? ""}:${password?.reveal() ?? ""}`);
    return { authorization: `Basic ${credential}`, "x-grafana-org-id": String(org_id) };
  };
  return { headers: () => Promise.resolve(headers()) };
}
