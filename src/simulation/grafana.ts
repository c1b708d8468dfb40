/** A simulated Grafana: teams, users and rights as its HTTP API has them, held to exchanges that were recorded from a real one. */
import { createHash } from "node:crypto";
import { type Context, Hono, type Next } from "hono";
import {
  type Actor,
  GrafanaState,
  type OrgRole,
  type SimulatedGrafanaUser,
  type SimulatedTeam,
  sortByName,
} from "./grafana_state.ts";
import { serve, type SimulatedServer } from "./server.ts";

/** A simulated Grafana that is running; tests change `state` at will. */
export interface SimulatedGrafana extends SimulatedServer {
  readonly state: GrafanaState;
}

/** How the simulated Grafana is. */
export interface SimulatedGrafanaOptions {
  /** A token of an Admin service account. */
  readonly token: string;
  /** The path under which it is served, such as `/grafana`. @default {""} */
  readonly basePath?: string;
  /** @default {"9.5.0"} */
  readonly version?: string;
  /** The administrator's password. @default {"admin"} */
  readonly adminPassword?: string;
}

type Env = { Variables: { actor: Actor } };

const VIEWER_RIGHTS: readonly string[] = [];
const ADMIN_RIGHTS: readonly string[] = [
  "org.users:add",
  "org.users:read",
  "org.users:remove",
  "org.users:write",
  "orgs:read",
  "orgs:write",
  "serviceaccounts:create",
  "serviceaccounts:read",
  "serviceaccounts:write",
  "teams:create",
  "teams:delete",
  "teams:read",
  "teams:write",
  "teams.permissions:read",
  "teams.permissions:write",
];
const SERVER_ADMIN_RIGHTS: readonly string[] = [
  ...ADMIN_RIGHTS,
  "users:create",
  "users:read",
  "users:write",
  "orgs:create",
];

function rightsOf(actor: Actor): readonly string[] {
  if (actor.isServerAdmin) return SERVER_ADMIN_RIGHTS;
  return actor.role === "Admin" ? ADMIN_RIGHTS : VIEWER_RIGHTS;
}

/** Lets a request through only if the credential has the right, and otherwise names it. */
function needs(right: string) {
  return async (c: Context<Env>, next: Next) => {
    if (rightsOf(c.get("actor")).includes(right)) return await next();
    const message = `You'll need additional permissions to perform this action. Permissions needed: ${right}`;
    return c.json({ accessErrorId: "ACE0000000001", message, title: "Access denied" }, 403);
  };
}

const avatar = (email: string) => `/avatar/${createHash("md5").update(email.toLowerCase()).digest("hex")}`;
const message = (text: string) => ({ message: text });
const failure = (text: string) => ({ message: text, traceID: "" });

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

function teamJson(team: SimulatedTeam) {
  const { id, orgId, name, members } = team;
  return {
    id,
    orgId,
    name,
    email: "",
    avatarUrl: avatar(name),
    memberCount: members.size,
    permission: 0,
    accessControl: null,
  };
}

function paged<T>(c: Context, items: readonly T[], perPageDefault = 1_000) {
  const perPage = Number(c.req.query("perpage") ?? perPageDefault);
  const page = Number(c.req.query("page") ?? 1);
  return {
    totalCount: items.length,
    page,
    perPage,
    items: items.slice((page - 1) * perPage, page * perPage),
  };
}

async function bodyOf(c: Context): Promise<Record<string, unknown>> {
  return await c.req.json().catch(() => ({}));
}

function addTeamRoutes(app: Hono<Env>, state: GrafanaState): void {
  const teamOf = (c: Context<Env>) => {
    const team = state.teams.get(Number(c.req.param("team")));
    return team?.orgId === c.get("actor").orgId ? team : undefined;
  };

  app.get("/api/teams/search", needs("teams:read"), (c) => {
    const { name, query } = c.req.query();
    const own = [...state.teams.values()].filter((team) => team.orgId === c.get("actor").orgId)
      .filter((team) => name === undefined || team.name === name)
      .filter((team) => query === undefined || team.name.toLowerCase().includes(query.toLowerCase()));
    const { items, ...page } = paged(c, sortByName(own, (team) => team.name));
    return c.json({ ...page, teams: items.map(teamJson) });
  });

  app.post("/api/teams", needs("teams:create"), async (c) => {
    const { name } = await bodyOf(c);
    if (typeof name !== "string" || name === "") return c.json(failure("bad request data"), 400);
    const { orgId } = c.get("actor");
    const taken = [...state.teams.values()].some((team) => team.orgId === orgId && team.name === name);
    if (taken) return c.json(failure("Team name taken"), 409);
    return c.json({ message: "Team created", teamId: state.addTeam(name, orgId).id });
  });

  app.get("/api/teams/:team/members", needs("teams.permissions:read"), (c) => {
    const team = teamOf(c);
    const users = [...team?.members.keys() ?? []].flatMap((id) => state.users.get(id) ?? []);
    return c.json(
      sortByName(users, ({ login }) => login).map((user) => ({
        orgId: team?.orgId,
        teamId: team?.id,
        userId: user.id,
        auth_module: "",
        email: user.email,
        name: user.name,
        login: user.login,
        avatarUrl: avatar(user.email),
        labels: [],
        permission: team?.members.get(user.id),
      })),
    );
  });

  app.post("/api/teams/:team/members", needs("teams.permissions:write"), async (c) => {
    const team = teamOf(c);
    const userId = Number((await bodyOf(c)).userId);
    if (!team || !state.users.has(userId)) return c.json(failure("Failed to add Member to Team"), 500);
    if (team.members.has(userId)) return c.json(message("User is already added to this team"), 400);
    team.members.set(userId, 0);
    return c.json(message("Member added to Team"));
  });

  app.put("/api/teams/:team/members/:user", needs("teams.permissions:write"), async (c) => {
    const team = teamOf(c);
    const userId = Number(c.req.param("user"));
    if (!team?.members.has(userId)) return c.json(message("Team member not found."), 404);
    team.members.set(userId, Number((await bodyOf(c)).permission));
    return c.json(message("Team member updated"));
  });

  app.delete("/api/teams/:team/members/:user", needs("teams.permissions:write"), (c) => {
    const removed = teamOf(c)?.members.delete(Number(c.req.param("user")));
    return removed ? c.json(message("Team Member removed")) : c.json(message("Team member not found"), 404);
  });
}

function addOrgRoutes(app: Hono<Env>, state: GrafanaState): void {
  const listed = (c: Context<Env>) => {
    const { orgId } = c.get("actor");
    const query = c.req.query("query")?.toLowerCase();
    const limit = Number(c.req.query("limit") ?? 0) || Infinity;
    return state.usersOf(orgId)
      .filter(({ login, email }) => !query || `${login} ${email}`.toLowerCase().includes(query)).slice(
        0,
        limit,
      )
      .map((user) => orgUserJson(user, orgId));
  };

  app.get("/api/org", needs("orgs:read"), (c) => {
    const { orgId } = c.get("actor");
    const address = { address1: "", address2: "", city: "", zipCode: "", state: "", country: "" };
    return c.json({ id: orgId, name: state.orgs.get(orgId), address });
  });
  app.get("/api/org/users", needs("org.users:read"), (c) => c.json(listed(c)));
  app.get("/api/org/users/search", needs("org.users:read"), (c) => {
    const { items, ...page } = paged(c, listed(c));
    return c.json({ ...page, orgUsers: items });
  });
  app.get(
    "/api/org/users/lookup",
    needs("teams:read"),
    (c) => c.json(listed(c).map(({ userId, login, avatarUrl }) => ({ userId, login, avatarUrl }))),
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

function addServerRoutes(app: Hono<Env>, state: GrafanaState): void {
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
    return c.json({ id: state.tokens.size, name: (await bodyOf(c)).name, key });
  });

  app.post("/api/admin/users", needs("users:create"), async (c) => {
    const { name, email, login, password, OrgId } = await bodyOf(c);
    if (!password) return c.json(failure("bad request data"), 400);
    const [address, user] = [String(email ?? ""), String(login ?? email)];
    if (state.lookUp(address) || state.lookUp(user)) {
      return c.json(failure(`User with email '${address}' or username '${user}' already exists`), 412);
    }
    const orgId = Number(OrgId ?? 1);
    return c.json({
      id: state.addUser({ login: user, email: address, name: String(name ?? ""), orgId }).id,
      message: "User created",
    });
  });
  app.get("/api/users/lookup", needs("users:read"), (c) => {
    const user = state.lookUp(c.req.query("loginOrEmail") ?? "");
    if (!user) return c.json(message("user not found"), 404);
    return c.json({
      id: user.id,
      email: user.email,
      name: user.name,
      login: user.login,
      theme: "",
      orgId: [...user.orgs.keys()][0] ?? 0,
      isGrafanaAdmin: user.id === 1,
      isDisabled: false,
      isExternal: false,
      isExternallySynced: false,
      authLabels: null,
      updatedAt: "2026-01-01T00:00:00Z",
      createdAt: "2026-01-01T00:00:00Z",
      avatarUrl: "",
    });
  });
  app.get("/api/users/search", needs("users:read"), (c) => {
    const { items, ...page } = paged(c, sortByName([...state.users.values()], ({ login }) => login));
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
    (c) => c.json(Object.fromEntries(rightsOf(c.get("actor")).map((right) => [right, ["*"]]))),
  );
}

/** Who a request comes from: a token's service account, or the administrator by password. */
function identify(c: Context, state: GrafanaState, password: string): Actor | undefined {
  const [scheme, credential = ""] = (c.req.header("authorization") ?? "").split(" ");
  if (scheme === "Basic" && credential === btoa(`admin:${password}`)) {
    const orgId = Number(c.req.header("x-grafana-org-id") ?? 1);
    return { orgId, role: "Admin", isServerAdmin: true, login: "admin", name: "" };
  }
  const account = scheme === "Bearer" ? state.tokens.get(credential) : undefined;
  return account && { ...account, isServerAdmin: false, login: `sa-${account.name}` };
}

/** Starts a simulated Grafana on loopback. */
export function startGrafana(options: SimulatedGrafanaOptions): SimulatedGrafana {
  const { token, basePath = "", version = "9.5.0", adminPassword = "admin" } = options;
  const state = new GrafanaState();
  state.tokens.set(token, { id: 0, orgId: 1, name: "gots", role: "Admin" });
  const app = new Hono<Env>().basePath(basePath);
  app.get("/api/health", (c) => c.json({ commit: "NA", database: "ok", version }));
  app.use("/api/*", async (c, next) => {
    const actor = identify(c, state, adminPassword);
    if (!actor) {
      return c.json(failure(c.req.header("authorization") ? "invalid API key" : "Unauthorized"), 401);
    }
    c.set("actor", actor);
    return await next();
  });
  addTeamRoutes(app, state);
  addOrgRoutes(app, state);
  addServerRoutes(app, state);
  app.notFound((c) => c.json(message("Not found"), 404));
  const simulated = serve((request) => app.fetch(request));
  return Object.assign(simulated, { state, url: simulated.url + basePath });
}
