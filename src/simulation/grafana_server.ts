/** What concerns a simulated Grafana as a whole: service accounts, all users, organisations, rights. */
import type { Hono } from "hono";
import { type Env, needs, rightsOf } from "./grafana_actor.ts";
import { avatar, bodyOf, failure, message, paged } from "./grafana_answer.ts";
import { type GrafanaState, type OrgRole, type SimulatedGrafanaUser, sortByName } from "./grafana_state.ts";

/** Adds `/api/serviceaccounts`, `/api/admin`, `/api/users`, `/api/orgs` and `/api/access-control`. */
export function addServerRoutes(app: Hono<Env>, state: GrafanaState): void {
  app.post("/api/serviceaccounts", needs("serviceaccounts:create"), async (c) => {
    const { name, role } = await bodyOf(c);
    const account = state.addServiceAccount(String(name), role as OrgRole, c.get("actor").orgId);
    const login = `sa-${account.name}`;
    return c.json({ ...account, login, isDisabled: false, tokens: 0, avatarUrl: "" }, 201);
  });
  app.post("/api/serviceaccounts/:id/tokens", needs("serviceaccounts:write"), async (c) => {
    const account = state.serviceAccounts.get(Number(c.req.param("id")));
    if (!account) return c.json(failure("service account not found"), 404);
    const key = `glsa_${crypto.randomUUID()}`;
    state.tokens.set(key, account);
    return c.json({ id: ++state.lastId.token, name: (await bodyOf(c)).name, key });
  });

  app.post("/api/admin/users", needs("users:create"), async (c) => {
    const { name, email, login, password, OrgId } = await bodyOf(c);
    if (!password) return c.json(failure("bad request data"), 400);
    const [address, user] = [String(email ?? ""), String(login ?? email)];
    if (state.lookUp(address) || state.lookUp(user)) {
      return c.json(failure(`User with email '${address}' or username '${user}' already exists`), 412);
    }
    const { autoAssign, orgs } = state;
    if (autoAssign.org && !orgs.has(Number(OrgId ?? 1))) {
      return c.json(failure("organization not found"), 400);
    }
    const orgId = autoAssign.org ? Number(OrgId ?? 1) : orgs.size + 1;
    if (!autoAssign.org) orgs.set(orgId, address || user);
    const role = autoAssign.org ? autoAssign.role : "Admin";
    const { id } = state.addUser({ login: user, email: address, name: String(name ?? ""), orgId, role });
    return c.json({ id, message: "User created" });
  });
  app.get("/api/admin/settings", needs("settings:read"), (c) => {
    const lookup = state.hasEmailLookupSetting
      ? { oauth_allow_insecure_email_lookup: String(state.allowInsecureEmailLookup) }
      : {};
    return c.json({ DEFAULT: { app_mode: "production" }, auth: { disable_login_form: "false", ...lookup } });
  });
  const profileJson = (user: SimulatedGrafanaUser) => ({
    id: user.id,
    email: user.email,
    name: user.name,
    login: user.login,
    theme: "",
    orgId: [...user.orgs.keys()][0] ?? 0,
    isGrafanaAdmin: user.id === state.adminId,
    isDisabled: false,
    isExternal: false,
    isExternallySynced: false,
    authLabels: null,
    updatedAt: "2026-01-01T00:00:00Z",
    createdAt: "2026-01-01T00:00:00Z",
    avatarUrl: "",
  });
  app.get("/api/users/lookup", needs("users:read"), (c) => {
    const user = state.lookUp(c.req.query("loginOrEmail") ?? "");
    return user ? c.json(profileJson(user)) : c.json(message("user not found"), 404);
  });
  app.get("/api/user", (c) => {
    const own = c.get("actor").isServerAdmin ? state.users.get(state.adminId) : undefined;
    return own ? c.json(profileJson(own)) : c.json(message("user not found"), 404);
  });
  app.get("/api/users/search", needs("users:read"), (c) => {
    const query = (c.req.query("query") ?? "").toLowerCase();
    const found = [...state.users.values()].filter(({ login, email, name }) =>
      [login, email, name].some((text) => text.toLowerCase().includes(query))
    );
    const { items, ...page } = paged(c, sortByName(found, ({ login }) => login));
    const users = items.map(({ id, name, login, email }) => ({
      id,
      name,
      login,
      email,
      avatarUrl: avatar(email),
      isAdmin: id === 1,
      isDisabled: false,
      lastSeenAt: "2016-11-23T18:03:10Z",
      lastSeenAtAge: "10 years",
      authLabels: [],
    }));
    return c.json({ ...page, users });
  });
  app.post("/api/orgs", needs("orgs:create"), async (c) => {
    const orgId = state.orgs.size + 1;
    state.orgs.set(orgId, String((await bodyOf(c)).name));
    state.users.get(1)?.orgs.set(orgId, "Admin");
    return c.json({ message: "Organization created", orgId });
  });
  app.get(
    "/api/access-control/user/permissions",
    (c) => c.json(rightsOf(c.get("actor"))),
  );
}
