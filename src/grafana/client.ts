/** Grafana's HTTP API: teams, their members, the users of the organisation. Every write may be repeated without harm. */
import * as z from "zod";
import type { OrgRole } from "../config/grafana.ts";
import type { Config } from "../config/schema.ts";
import { createHttpClient } from "../http/client.ts";
import { requireDistinct } from "../http/distinct.ts";
import { isRequestError } from "../http/error.ts";
import { TIMEOUT_MS } from "../http/transport.ts";
import type { Surroundings } from "../http/types.ts";
import { createGrafanaAuthorization } from "./authorization.ts";
import { createExplain } from "./explain.ts";
import { createListAll, type Listed } from "./pages.ts";
import {
  type GrafanaTeam,
  messageSchema,
  type OrgUser,
  orgUserAddedSchema,
  orgUserPageSchema,
  teamCreatedSchema,
  type TeamMember,
  teamMemberSchema,
  teamPageSchema,
} from "./schema.ts";
import { createGrafanaServer, type GrafanaServer } from "./server.ts";

/** Requests at once; a Grafana with SQLite is soon overloaded. */
const MOST_LANES = 8;

/** A team whose name differs only in case, which this Grafana treats as the same. */
export class TeamNameError extends Error {
  constructor(wanted: string, existing: string) {
    super(
      `Grafana has no team '${wanted}' and will not create it, because '${existing}' differs only in case: ` +
        "use Grafana's spelling in the configuration, or rename the team",
    );
    this.name = "TeamNameError";
  }
}

/** A team's members, by their emails as Grafana has them, to the letter. */
export interface TeamEmails {
  readonly members: readonly string[];
  readonly admins: readonly string[];
}

/** Grafana looks up each new member separately, and may take this long for it, in milliseconds. */
const MS_PER_MEMBER = 10;

/** What gots reads from and writes to Grafana. Every method throws {@linkcode RequestError}. */
export interface GrafanaClient extends GrafanaServer {
  /** Every team of the credential's organisation that it may see. */
  listTeams(): Promise<readonly GrafanaTeam[]>;
  /** The team with exactly this name, or `undefined`. */
  findTeam(name: string): Promise<GrafanaTeam | undefined>;
  /**
   * Creates a team; if somebody else has just created it, returns that one, with `isNew: false`.
   *
   * @throws {TeamNameError} if a team exists whose name differs only in case, and Grafana ignores case.
   */
  createTeam(name: string): Promise<{ readonly id: number; readonly isNew: boolean }>;
  listTeamMembers(teamId: number): Promise<TeamMember[]>;
  /** Adds a user to a team; it is no error if they are already a member. */
  addTeamMember(teamId: number, userId: number): Promise<void>;
  /** Removes a user from a team; it is no error if they are already gone. */
  removeTeamMember(teamId: number, userId: number): Promise<void>;
  /**
   * Sets the whole membership of a team by emails, at once: everyone not listed is removed. Grafana since 11.1.
   *
   * @returns `unsupported` if this Grafana knows no such request, `refused` if it rejects this one: then nothing
   * has changed.
   */
  setTeamMembers(teamId: number, emails: TeamEmails): Promise<"set" | "unsupported" | "refused">;
  /** Users of the credential's organisation whose email, login or name contains this text, in any case. */
  findOrgUsers(text: string): Promise<readonly OrgUser[]>;
  /**
   * Every user of the credential's organisation, except hidden ones, which Grafana only counts;
   * `onPage` is called with each page.
   *
   * @see https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#hidden_users
   */
  listOrgUsers(onPage?: (page: readonly OrgUser[]) => void): Promise<Listed<OrgUser>>;
  /**
   * Adds a user of this server to the organisation, and returns their id. It matches emails **and
   * logins**, so it is still to be checked who joined. `present` if they are in it already, `unknown` if the
   * server has nobody with that name.
   *
   * @param role @default {"Viewer"}
   */
  addOrgUser(loginOrEmail: string, role?: OrgRole): Promise<number | "present" | "unknown">;
  /** Removes a user from an organisation; the account stays, even if it is in no other one. */
  removeOrgUser(orgId: number, userId: number): Promise<void>;
}

/** The longest that a write waits, in milliseconds; then it must be decided again. */
const MOST_WRITE_WAIT_MS = 5_000;

/** What is written to Grafana. Only one part of the program has it, and reports every write. */
export type GrafanaWrites = Pick<
  GrafanaClient,
  | "createTeam"
  | "addTeamMember"
  | "removeTeamMember"
  | "setTeamMembers"
  | "addOrgUser"
  | "removeOrgUser"
  | "createUser"
  | "setOrgRole"
>;

/** What is read from Grafana. */
export type GrafanaReads = Omit<GrafanaClient, keyof GrafanaWrites>;

/** Makes a client of the Grafana that the configuration names. */
export function createGrafanaClient(grafana: Config["grafana"], surroundings: Surroundings): GrafanaClient {
  const http = createHttpClient({
    name: "Grafana",
    baseUrl: grafana.url,
    authorization: createGrafanaAuthorization(grafana),
    gate: { lanes: { most: MOST_LANES } },
    mostWriteWaitMs: MOST_WRITE_WAIT_MS,
    explain: createExplain(grafana.api_key ? "token" : "password"),
  }, surroundings);

  const listAll = createListAll(http);

  async function searchTeams(query: { readonly name?: string }): Promise<readonly GrafanaTeam[]> {
    const { items } = await listAll({
      route: "/api/teams/search",
      query,
      schema: teamPageSchema,
      itemsOf: (page) => page.teams,
      idOf: ({ id }) => id,
    });
    return items;
  }

  function searchOrgUsers(
    query: { readonly query?: string },
    onPage?: (page: readonly OrgUser[]) => void,
  ): Promise<Listed<OrgUser>> {
    const users = {
      route: "/api/org/users/search",
      query,
      schema: orgUserPageSchema,
      itemsOf: (page: z.output<typeof orgUserPageSchema>) => page.orgUsers,
      idOf: ({ userId }: OrgUser) => userId,
      mayHide: true,
    };
    return listAll(users, onPage);
  }

  return {
    ...createGrafanaServer(http, listAll, !grafana.api_key),

    listTeams: () => searchTeams({}),

    async findTeam(name) {
      return (await searchTeams({ name })).find((team) => team.name === name);
    },

    async createTeam(name) {
      try {
        const answer = await http.send({
          method: "POST",
          route: "/api/teams",
          body: { name },
          schema: teamCreatedSchema,
        });
        return { id: answer.body.teamId, isNew: true };
      } catch (error) {
        if (!isRequestError(error, "conflict")) throw error;
        const teams = await searchTeams({ name });
        const exact = teams.find((team) => team.name === name);
        if (exact) return { id: exact.id, isNew: false };
        const other = teams.find((team) => team.name.toLowerCase() === name.toLowerCase()) ?? teams[0];
        throw other ? new TeamNameError(name, other.name) : error;
      }
    },

    async listTeamMembers(teamId) {
      const { body } = await http.send({
        method: "GET",
        route: "/api/teams/:id/members",
        params: { id: teamId },
        schema: z.array(teamMemberSchema),
      });
      const path = `/api/teams/${teamId}/members`;
      requireDistinct(body.map(({ userId }) => userId), { service: "Grafana", method: "GET", path });
      return body;
    },

    async addTeamMember(teamId, userId) {
      try {
        await http.send({
          method: "POST",
          route: "/api/teams/:id/members",
          params: { id: teamId },
          body: { userId },
          schema: messageSchema,
        });
      } catch (error) {
        if (!isRequestError(error, "rejected") || !/already added/i.test(error.detail)) throw error;
      }
    },

    async removeTeamMember(teamId, userId) {
      try {
        await http.send({
          method: "DELETE",
          route: "/api/teams/:id/members/:user",
          params: { id: teamId, user: userId },
          schema: messageSchema,
        });
      } catch (error) {
        if (!isRequestError(error, "not-found") || !/member not found/i.test(error.detail)) throw error;
      }
    },

    async setTeamMembers(teamId, emails) {
      try {
        await http.send({
          method: "PUT",
          route: "/api/teams/:id/members",
          params: { id: teamId },
          body: emails,
          schema: messageSchema,
          timeoutMs: TIMEOUT_MS + MS_PER_MEMBER * (emails.members.length + emails.admins.length),
          // A retry would send what was read before the first attempt.
          attempts: 1,
        });
        return "set";
      } catch (error) {
        if (isRequestError(error, "not-found") && /^not found$/i.test(error.detail)) return "unsupported";
        if (isRequestError(error, "not-found", "rejected")) return "refused";
        throw error;
      }
    },

    findOrgUsers: async (text) => (await searchOrgUsers({ query: text })).items,
    listOrgUsers: (onPage) => searchOrgUsers({}, onPage),

    async addOrgUser(loginOrEmail, role = "Viewer") {
      const body = { loginOrEmail, role };
      try {
        const request = {
          method: "POST",
          route: "/api/org/users",
          body,
          schema: orgUserAddedSchema,
        } as const;
        return (await http.send(request)).body.userId;
      } catch (error) {
        if (isRequestError(error, "not-found") && /user not found/i.test(error.detail)) return "unknown";
        if (isRequestError(error, "conflict")) return "present";
        throw error;
      }
    },

    async removeOrgUser(orgId, userId) {
      // `DELETE /api/org/users/:id` would delete the account of a user who is in no other organisation.
      await http.send({
        method: "DELETE",
        route: "/api/orgs/:org/users/:user",
        params: { org: orgId, user: userId },
        schema: messageSchema,
      });
    },
  };
}
