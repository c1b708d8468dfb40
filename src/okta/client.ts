/** Okta's Management API: groups and their members. Nothing is ever written there. */
import * as z from "zod";
import type { Config } from "../config/schema.ts";
import { createHttpClient } from "../http/client.ts";
import type { Surroundings } from "../http/types.ts";
import { createOktaAuthorization } from "./authorization.ts";
import { type Changes, listChanges } from "./changes.ts";
import { explainOkta, explainOktaApp } from "./explain.ts";
import { createFindGroups, type FindGroups, quote } from "./groups.ts";
import { createListAll, type Listed, PAGE_SIZE } from "./pages.ts";
import { oktaGroupSchema, type OktaUser, oktaUserSchema } from "./schema.ts";

/** Requests at once: half of what the smallest organisations may send. @see https://developer.okta.com/docs/reference/rl-additional-limits/ */
const MOST_LANES = 7;

/** What it means if a list has no links, and what to do. */
export const UNLINKED =
  "members may be missing, so nobody is removed; if a proxy strips Link headers, let them through";

/** Which routes share a rate limit. @see https://developer.okta.com/docs/reference/rl-global-mgmt/ */
function familyOf(route: string): string {
  return route.startsWith("/api/v1/users") ? "users" : "groups";
}

/** What gots asks Okta. */
export interface OktaClient {
  /**
   * The wanted groups, in order; for one that cannot be found, the error in its place.
   *
   * @throws {RequestError} of the kind `interrupted` on shutdown; nothing else.
   */
  readonly findGroups: FindGroups;
  /** The names of up to 200 visible groups that begin with `prefix`; of any group if it is empty. */
  listGroupNames(prefix: string): Promise<string[]>;
  /**
   * Every member of a group, whatever their status, all pages; each user once.
   *
   * @param onPage called after each page with the number of members read so far.
   * @param pageSize how many to ask for at once. @default {PAGE_SIZE}
   * @throws {RequestError} if any page could not be read.
   */
  listMembers(
    groupId: string,
    onPage?: (count: number) => void,
    pageSize?: number,
  ): Promise<Listed<OktaUser>>;
  /**
   * What changed since a moment, in Okta's time, epoch milliseconds.
   *
   * @throws {TooLongError} if too much did.
   * @throws {RequestError}
   */
  listChanges(sinceMs: number): Promise<Changes>;
}

/** Makes a client of the organisation that the configuration names. */
export function createOktaClient(okta: Config["okta"], surroundings: Surroundings): OktaClient {
  const http = createHttpClient({
    name: "Okta",
    baseUrl: okta.domain,
    authorization: createOktaAuthorization(okta, surroundings),
    gate: { lanes: { most: MOST_LANES }, budget: { share: okta.rate_limit_share, familyOf } },
    explain: okta.auth_method === "oauth" ? explainOktaApp : explainOkta,
  }, surroundings);
  const listAll = createListAll(http);
  let isUnlinkedTold = false;

  function tellUnlinked(route: string): void {
    if (isUnlinkedTold) return;
    isUnlinkedTold = true;
    surroundings.log.warning("{_problem}", {
      _problem: `Okta's responses have no Link header (GET ${route}): ${UNLINKED}`,
    });
  }

  return {
    findGroups: createFindGroups(listAll),

    async listGroupNames(prefix) {
      const search = prefix === "" ? {} : { search: `profile.name sw ${quote(prefix)}` };
      const { body } = await http.send({
        method: "GET",
        route: "/api/v1/groups",
        query: { ...search, limit: PAGE_SIZE },
        schema: z.array(oktaGroupSchema),
      });
      return body.map(({ profile }) => profile.name);
    },

    async listMembers(groupId, onPage, pageSize) {
      const route = "/api/v1/groups/:id/users";
      const params = { id: groupId };
      const list = await listAll({ route, params, item: oktaUserSchema, onPage, pageSize });
      if (!list.isLinked) tellUnlinked(route);
      return list;
    },

    listChanges: (sinceMs) => listChanges(listAll, sinceMs),
  };
}
