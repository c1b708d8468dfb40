/** The part of Grafana's HTTP API that concerns the whole server: accounts, rights, version, settings. */
import * as z from "zod";
import type { OrgRole } from "../config/grafana.ts";
import { cleanError } from "../http/credentials.ts";
import { isRequestError } from "../http/error.ts";
import type { HttpClient } from "../http/types.ts";
import type { ListAll } from "./pages.ts";
import {
  healthSchema,
  messageSchema,
  type Organisation,
  organisationSchema,
  ownUserSchema,
  rightsSchema,
  type ServerUser,
  serverUserPageSchema,
  settingsSchema,
  userCreatedSchema,
} from "./schema.ts";

/** Somebody who will get an account. */
export interface NewUser {
  readonly email: string;
  readonly login: string;
  readonly name: string;
  /** The organisation that they join, if Grafana assigns new users to one. */
  readonly orgId: number;
}

/** What gots reads from and writes to the server. Every method throws {@linkcode RequestError}. */
export interface GrafanaServer {
  /** What the credential may do, as `users:create`. */
  listRights(): Promise<ReadonlySet<string>>;
  /** The id of the account whose password it is; `undefined` for a token, which belongs to a service account. */
  readOwnId(): Promise<number | undefined>;
  /** The organisation of the credential. */
  readOrganisation(): Promise<Organisation>;
  /** `undefined` if it is hidden. */
  readVersion(): Promise<string | undefined>;
  /** `[auth] oauth_allow_insecure_email_lookup` as it is written; `undefined` if this Grafana has no such setting. */
  readEmailLookup(): Promise<string | undefined>;
  /** Users of the server, of any organisation, whose email, login or name contains this text, in any case. */
  searchUsers(text: string): Promise<readonly ServerUser[]>;
  /** Creates an account with a password that nobody knows, and gives its id; `exists` if email or login is taken. */
  createUser(user: NewUser): Promise<number | "exists">;
  /** Sets the role of a user of the organisation. */
  setOrgRole(userId: number, role: OrgRole): Promise<void>;
}

/** 256 random bits, with a letter of each kind that Grafana's password policy asks for. */
function makePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `${btoa(String.fromCharCode(...bytes)).replaceAll("=", "")}-aA1`;
}

/** Makes the part of the client that concerns the whole server. `hasPassword` says that no token is used. */
export function createGrafanaServer(http: HttpClient, listAll: ListAll, hasPassword: boolean): GrafanaServer {
  async function read<T>(route: string, schema: z.ZodType<T>): Promise<T> {
    return (await http.send({ method: "GET", route, schema })).body;
  }

  return {
    async listRights() {
      return new Set(Object.keys(await read("/api/access-control/user/permissions", rightsSchema)));
    },

    async readOwnId() {
      return hasPassword ? (await read("/api/user", ownUserSchema)).id : undefined;
    },

    readOrganisation: () => read("/api/org", organisationSchema),

    async readVersion() {
      return (await read("/api/health", healthSchema)).version;
    },

    async readEmailLookup() {
      return (await read("/api/admin/settings", settingsSchema)).auth?.oauth_allow_insecure_email_lookup;
    },

    async searchUsers(query) {
      const { items } = await listAll({
        route: "/api/users/search",
        query: { query },
        schema: serverUserPageSchema,
        itemsOf: (page) => page.users,
        idOf: ({ id }) => id,
      });
      return items;
    },

    async createUser({ email, login, name, orgId }) {
      const password = makePassword();
      const body = { email, login, name, password, OrgId: orgId };
      try {
        const route = "/api/admin/users";
        return (await http.send({ method: "POST", route, body, schema: userCreatedSchema })).body.id;
      } catch (error) {
        if (isRequestError(error) && error.status === 412) return "exists";
        throw cleanError(error, { authorization: password });
      }
    },

    async setOrgRole(userId, role) {
      await http.send({
        method: "PATCH",
        route: "/api/org/users/:user",
        params: { user: userId },
        body: { role },
        schema: messageSchema,
      });
    },
  };
}
