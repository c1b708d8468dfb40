/** The parts of Grafana's answers that gots reads. @see https://grafana.com/docs/grafana/latest/developers/http_api/ */
import * as z from "zod";

/** What Grafana numbers from 1. An id of 0 is a record that is missing in its database. */
const id = z.int().positive();

/** A team, from `GET /api/teams/search`. `isProvisioned` is there from Grafana 12 on. */
export const grafanaTeamSchema = z.object({
  id,
  name: z.string(),
  memberCount: z.number(),
  isProvisioned: z.boolean().nullish(),
});

/** One page of `GET /api/teams/search`. */
export const teamPageSchema = z.object({ totalCount: z.number(), teams: z.array(grafanaTeamSchema) });

const person = { userId: id, email: z.string().nullish(), login: z.string() };

/**
 * A member of a team, from `GET /api/teams/{id}/members`. `permission` is 0 for a member and 4 for an admin;
 * `labels` name what synced the membership, if something other than the API did.
 */
export const teamMemberSchema = z.object({
  ...person,
  permission: z.number(),
  labels: z.array(z.string()).nullish(),
});

/** The `permission` of a team's admin. */
export const TEAM_ADMIN = 4;

/** A user of the organisation. */
export const orgUserSchema = z.object({ ...person, orgId: id, role: z.string().optional() });

/** One page of `GET /api/org/users/search`. */
export const orgUserPageSchema = z.object({ totalCount: z.number(), orgUsers: z.array(orgUserSchema) });

/** The answer to a write. */
export const messageSchema = z.object({ message: z.string() });

/** The answer to `POST /api/teams`. */
export const teamCreatedSchema = z.object({ teamId: id });

/** The answer to `POST /api/org/users`. */
export const orgUserAddedSchema = z.object({ message: z.string(), userId: id });

/** A user of the server, who may be in any organisation or in none. */
export const serverUserSchema = z.object({
  id,
  email: z.string().nullish(),
  login: z.string(),
  name: z.string().nullish(),
});

/** One page of `GET /api/users/search`. */
export const serverUserPageSchema = z.object({ totalCount: z.number(), users: z.array(serverUserSchema) });

/** The answer to `POST /api/admin/users`. */
export const userCreatedSchema = z.object({ id });

/** The answer of `GET /api/user`: the account that asks. */
export const ownUserSchema = z.object({ id: z.number() });

/** The answer of `GET /api/access-control/user/permissions`: scopes by action. */
export const rightsSchema = z.record(z.string(), z.unknown());

/** The answer of `GET /api/health`, without a version if Grafana hides it. */
export const healthSchema = z.object({ version: z.string().optional() });

/** The part of `GET /api/admin/settings` that is read; all values are texts. */
export const settingsSchema = z.object({
  auth: z.object({ oauth_allow_insecure_email_lookup: z.string().optional() }).optional(),
});

/** An organisation, from `GET /api/org`. */
export const organisationSchema = z.object({ id, name: z.string() });

/** An organisation. */
export type Organisation = z.output<typeof organisationSchema>;

/** A Grafana team. */
export type GrafanaTeam = z.output<typeof grafanaTeamSchema>;

/** A Grafana user: enough to identify them. */
export type GrafanaUser = Pick<z.output<typeof orgUserSchema>, "userId" | "email" | "login">;

/** A member of a Grafana team. */
export type TeamMember = z.output<typeof teamMemberSchema>;

/** A user of the Grafana server. */
export type ServerUser = z.output<typeof serverUserSchema>;

/** A user of the Grafana organisation. */
export type OrgUser = z.output<typeof orgUserSchema>;
