/** Who asks a simulated Grafana, and what they may do. */
import type { Context, Next } from "hono";
import type { Actor, GrafanaState } from "./grafana_state.ts";

/** What every route knows about its request. */
export type Env = { Variables: { actor: Actor } };

/** The scopes of each action, as `GET /api/access-control/user/permissions` shows them. */
type Rights = Readonly<Record<string, readonly string[]>>;

const VIEWER_RIGHTS: Rights = {};
const ADMIN_RIGHTS: Rights = {
  "org.users:add": ["users:*"],
  "org.users:read": ["users:*"],
  "org.users:remove": ["users:*"],
  "org.users:write": ["users:*"],
  "orgs:read": [""],
  "orgs:write": [""],
  "serviceaccounts:create": [""],
  "serviceaccounts:read": ["serviceaccounts:*"],
  "serviceaccounts:write": ["serviceaccounts:*"],
  "teams:create": [""],
  "teams:delete": ["teams:*"],
  "teams:read": ["teams:*"],
  "teams:write": ["teams:*"],
  "teams.permissions:read": ["teams:*"],
  "teams.permissions:write": ["teams:*"],
};
const SERVER_ADMIN_RIGHTS: Rights = {
  ...ADMIN_RIGHTS,
  "users:create": [""],
  "users:read": ["global.users:*"],
  "users:write": ["global.users:*"],
  "orgs:create": [""],
  "settings:read": ["settings:*"],
};

/** What somebody may do. */
export function rightsOf(actor: Actor): Rights {
  if (actor.isServerAdmin) return SERVER_ADMIN_RIGHTS;
  return actor.role === "Admin" ? ADMIN_RIGHTS : VIEWER_RIGHTS;
}

/** Lets a request through only if the credential has the right, and otherwise names it. */
export function needs(right: string) {
  return async (c: Context<Env>, next: Next) => {
    if (Object.hasOwn(rightsOf(c.get("actor")), right)) return await next();
    const message = `You'll need additional permissions to perform this action. Permissions needed: ${right}`;
    return c.json({ accessErrorId: "ACE0000000001", message, title: "Access denied" }, 403);
  };
}

/** User and password, in UTF-8. @see RFC 7617 */
function decodeBasic(credential: string): string {
  const bytes = Uint8Array.from(atob(credential), (byte) => byte.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/** Who a request comes from: a token's service account, or the administrator by password, who may name an organisation. */
export function identify(c: Context, state: GrafanaState, password: string): Actor | undefined {
  const [scheme, credential = ""] = (c.req.header("authorization") ?? "").split(" ");
  if (scheme === "Basic" && decodeBasic(credential) === `admin:${password}`) {
    const orgId = Number(c.req.header("x-grafana-org-id") ?? 1);
    return { orgId, role: "Admin", isServerAdmin: true, login: "admin", name: "" };
  }
  const account = scheme === "Bearer" ? state.tokens.get(credential) : undefined;
  return account && { ...account, isServerAdmin: false, login: `sa-${account.name}` };
}
