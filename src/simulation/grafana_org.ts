/** The users of a simulated Grafana's organisations. @see https://grafana.com/docs/grafana/v9.5/developers/http_api/org/ */
import type { Context, Hono } from "hono";
import { type Env, needs } from "./grafana_actor.ts";
import { avatar, bodyOf, failure, message, paged } from "./grafana_answer.ts";
import type { GrafanaState, OrgRole, SimulatedGrafanaUser } from "./grafana_state.ts";

function orgUserJson(user: SimulatedGrafanaUser, orgId: number) {
  return {
    orgId,
    userId: user.id,
    email: user.email,
    name: user.name,
    avatarUrl: avatar(user.email),
    login: user.login,
    role: user.orgs.get(orgId),
    lastSeenAt: "2016-11-23T18:03:10Z",
    lastSeenAtAge: "10 years",
    isDisabled: false,
    authLabels: null,
  };
}

/** Adds `/api/org` and `/api/orgs/:org/users`. */
export function addOrgRoutes(app: Hono<Env>, state: GrafanaState): void {
  const found = (c: Context<Env>) => {
    const query = c.req.query("query")?.toLowerCase();
    const limit = Number(c.req.query("limit")) || Infinity;
    return state.usersOf(c.get("actor").orgId)
      .filter(({ login, email }) => !query || `${login} ${email}`.toLowerCase().includes(query))
      .slice(0, limit);
  };
  const shown = (c: Context<Env>, users: readonly SimulatedGrafanaUser[]) =>
    users.filter((user) => state.isShownTo(c.get("actor"), user))
      .map((user) => orgUserJson(user, c.get("actor").orgId));

  app.get("/api/org", needs("orgs:read"), (c) => {
    const { orgId } = c.get("actor");
    const address = { address1: "", address2: "", city: "", zipCode: "", state: "", country: "" };
    return c.json({ id: orgId, name: state.orgs.get(orgId), address });
  });
  app.get("/api/org/users", needs("org.users:read"), (c) => c.json(shown(c, found(c))));
  app.get("/api/org/users/search", needs("org.users:read"), (c) => {
    const { items, ...page } = paged(c, found(c));
    return c.json({ ...page, orgUsers: shown(c, items) });
  });
  app.get(
    "/api/org/users/lookup",
    needs("teams:read"),
    (c) => c.json(shown(c, found(c)).map(({ userId, login, avatarUrl }) => ({ userId, login, avatarUrl }))),
  );

  app.post("/api/org/users", needs("org.users:add"), async (c) => {
    const { loginOrEmail, role } = await bodyOf(c);
    const { orgId } = c.get("actor");
    const user = state.lookUp(String(loginOrEmail));
    if (!user) return c.json(message("User not found"), 404);
    if (user.orgs.has(orgId)) {
      return c.json({ message: "User is already member of this organization", userId: user.id }, 409);
    }
    user.orgs.set(orgId, role as OrgRole);
    return c.json({ message: "User added to organization", userId: user.id });
  });

  app.patch("/api/org/users/:user", needs("org.users:write"), async (c) => {
    const { orgId } = c.get("actor");
    const user = state.users.get(Number(c.req.param("user")));
    if (!user?.orgs.has(orgId)) return c.json(message("User not found"), 404);
    user.orgs.set(orgId, (await bodyOf(c)).role as OrgRole);
    return c.json(message("Organization user updated"));
  });

  app.delete("/api/orgs/:org/users/:user", needs("org.users:remove"), (c) => {
    const orgId = Number(c.req.param("org"));
    const removed = state.users.get(Number(c.req.param("user")))?.orgs.delete(orgId);
    for (const team of state.teams.values()) {
      if (team.orgId === orgId) team.members.delete(Number(c.req.param("user")));
    }
    return removed
      ? c.json(message("User removed from organization"))
      : c.json(message("User not found"), 404);
  });

  app.get("/api/org/invites", needs("org.users:add"), (c) =>
    c.json(
      state.invites.filter(({ orgId }) => orgId === c.get("actor").orgId).map(({ invitedBy, ...invite }) => ({
        ...invite,
        name: "",
        invitedByLogin: invitedBy.login,
        invitedByEmail: invitedBy.login,
        invitedByName: invitedBy.name,
        code: "simulated",
        status: "InvitePending",
        url: "http://localhost/invite/simulated",
        emailSent: false,
        emailSentOn: "2026-01-01T00:00:00Z",
        createdOn: "2026-01-01T00:00:00Z",
      })),
    ));
  app.post("/api/org/invites", needs("org.users:add"), async (c) => {
    const { loginOrEmail, role } = await bodyOf(c);
    const email = String(loginOrEmail);
    const actor = c.get("actor");
    if (state.lookUp(email)?.orgs.has(actor.orgId)) {
      return c.json(failure(`User ${email} is already added to organization`), 412);
    }
    const id = state.invites.length + 1;
    state.invites.push({ id, orgId: actor.orgId, email, role: role as OrgRole, invitedBy: actor });
    return c.json(message(`Created invite for ${email}`));
  });
}
