/** The teams of a simulated Grafana. @see https://grafana.com/docs/grafana/v9.5/developers/http_api/team/ */
import type { Context, Hono } from "hono";
import { type Env, needs } from "./grafana_actor.ts";
import { avatar, bodyOf, failure, message, paged } from "./grafana_answer.ts";
import { type GrafanaState, type SimulatedTeam, sortByName } from "./grafana_state.ts";

function teamJson(team: SimulatedTeam, memberCount: number) {
  const { id, orgId, name } = team;
  return {
    id,
    orgId,
    name,
    email: "",
    avatarUrl: avatar(name),
    memberCount,
    permission: 0,
    accessControl: null,
    ...(team.isProvisioned === undefined ? {} : { isProvisioned: team.isProvisioned }),
  };
}

/** Since this version the whole membership of a team can be set by one request. */
const WITH_BULK = "11.1.0";

/** The strings of a list in a request's body. */
function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/**
 * Sets a team's members: emails must match exactly, an unknown one changes nothing, and users who are not listed are removed.
 *
 * @returns the email that nobody has, if there is one.
 */
function setMembers(
  { members }: SimulatedTeam,
  { members: asMembers, admins }: Readonly<Record<string, unknown>>,
  state: GrafanaState,
): string | undefined {
  const wanted = new Map([
    ...textsOf(asMembers).map((email) => [email, 0] as const),
    ...textsOf(admins).map((email) => [email, 4] as const),
  ]);
  const ids = new Map([...wanted.keys()].map((email) => [email, state.findByEmail(email)?.id]));
  const unknown = [...wanted.keys()].find((email) => ids.get(email) === undefined);
  if (unknown !== undefined) return unknown;
  const permissions = new Map(Array.from(wanted, ([email, permission]) => [ids.get(email), permission]));
  for (const id of [...members.keys()]) if (!permissions.has(id)) members.delete(id);
  for (const [id = 0, permission] of permissions) members.set(id, permission);
  return undefined;
}

/** Adds `/api/teams`. */
export function addTeamRoutes(app: Hono<Env>, state: GrafanaState): void {
  const teamOf = (c: Context<Env>) => {
    const team = state.teams.get(Number(c.req.param("team")));
    return team?.orgId === c.get("actor").orgId ? team : undefined;
  };

  /** The members that the caller is shown. */
  const shownMembers = (c: Context<Env>, team: SimulatedTeam | undefined) =>
    [...team?.members.keys() ?? []].flatMap((id) => state.users.get(id) ?? [])
      .filter((user) => state.isShownTo(c.get("actor"), user));

  const memberCountOf = (c: Context<Env>, team: SimulatedTeam) =>
    state.hiddenUsers.size === 0 ? team.members.size : shownMembers(c, team).length;

  app.on(["POST", "PUT", "DELETE"], "/api/teams/:team/members/*", async (c, next) => {
    if (teamOf(c)?.isProvisioned) {
      return c.json(message("Team memberships cannot be updated for provisioned teams"), 400);
    }
    return await next();
  });

  app.get("/api/teams/search", needs("teams:read"), (c) => {
    const { name, query } = c.req.query();
    const own = [...state.teams.values()].filter((team) => team.orgId === c.get("actor").orgId)
      .filter((team) => name === undefined || team.name === name)
      .filter((team) => query === undefined || team.name.toLowerCase().includes(query.toLowerCase()));
    const { items, ...page } = paged(c, sortByName(own, (team) => team.name));
    return c.json({ ...page, teams: items.map((team) => teamJson(team, memberCountOf(c, team))) });
  });

  app.post("/api/teams", needs("teams:create"), async (c) => {
    const { name } = await bodyOf(c);
    if (typeof name !== "string" || name === "") return c.json(failure("bad request data"), 400);
    const { orgId } = c.get("actor");
    const taken = [...state.teams.values()].some((team) => team.orgId === orgId && team.name === name);
    if (taken) return c.json(failure("Team name taken"), 409);
    const { id, members } = state.addTeam(name, orgId);
    // Who signs in with a password becomes an admin of the team; a service account does not.
    if (c.get("actor").isServerAdmin) members.set(state.adminId, 4);
    return c.json({ message: "Team created", teamId: id });
  });

  app.get("/api/teams/:team/members", needs("teams.permissions:read"), (c) => {
    const team = teamOf(c);
    return c.json(
      sortByName(shownMembers(c, team), ({ login }) => login).map((user) => ({
        orgId: team?.orgId,
        teamId: team?.id,
        userId: user.id,
        auth_module: "",
        email: user.email,
        name: user.name,
        login: user.login,
        avatarUrl: avatar(user.email),
        labels: team?.syncedBy ? [team.syncedBy] : [],
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

  app.put("/api/teams/:team/members", needs("teams.permissions:write"), async (c) => {
    const team = teamOf(c);
    if (!state.isSince(WITH_BULK)) return c.json(message("Not found"), 404);
    if (!team) return c.json(message("team not found"), 404);
    const unknown = setMembers(team, await bodyOf(c), state);
    return unknown === undefined
      ? c.json(message("Team memberships have been updated"))
      : c.json(message("user not found"), 404);
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
