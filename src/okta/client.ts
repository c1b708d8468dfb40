/** Okta's Management API: groups and their members. Nothing is ever written there. */
import { z } from "zod";
import type { Config } from "../config/schema.ts";
import { createHttpClient } from "../http/client.ts";
import { isRequestError } from "../http/error.ts";
import type { Surroundings } from "../http/types.ts";
import { createOktaAuthorization } from "./authorization.ts";
import { explainOkta, explainOktaApp } from "./explain.ts";
import { badLink, nextLink } from "./link.ts";
import { type OktaGroup, oktaGroupSchema, type OktaUser, oktaUserSchema } from "./schema.ts";

/** The page size that Okta recommends. */
const PAGE_SIZE = 200;

/** The route of a group's members. */
const MEMBERS = "/api/v1/groups/:id/users";

/** Requests at once: half of what the smallest organisations may. @see https://developer.okta.com/docs/reference/rl-additional-limits/ */
const MOST_LANES = 7;

/** Which routes share a rate limit. @see https://developer.okta.com/docs/reference/rl-global-mgmt/ */
function familyOf(route: string): string {
  return ["/api/v1/groups/:id", "/api/v1/users"].includes(route) ? route : "/api/v1/groups";
}

/** So many pages in a row may bring nothing new. */
const MOST_IDLE_PAGES = 10;

/** A group that is not there, or that is there more than once. */
export class GroupError extends Error {
  readonly kind: "group-not-found" | "group-ambiguous";

  constructor(kind: GroupError["kind"], message: string) {
    super(message);
    this.name = "GroupError";
    this.kind = kind;
  }
}

/** What is asked of Okta. */
export interface OktaClient {
  /**
   * The group with exactly this name.
   *
   * @throws {GroupError} if there is none, or more than one.
   * @throws {RequestError}
   */
  findGroup(name: string): Promise<OktaGroup>;
  /**
   * The group with this id, from current data.
   *
   * @throws {GroupError} if there is none.
   * @throws {RequestError}
   */
  getGroup(id: string): Promise<OktaGroup>;
  /** The names of up to 200 visible groups that begin with `prefix`; of any group if it is empty. */
  listGroupNames(prefix: string): Promise<string[]>;
  /**
   * Every member of a group, whatever their status, all pages; each user once.
   *
   * @param onPage is told after each page how many were read so far.
   * @throws {RequestError} if any page could not be read.
   */
  listMembers(groupId: string, onPage?: (count: number) => void): Promise<OktaUser[]>;
}

/** A name as a quoted text of Okta's search expression. */
function quote(name: string): string {
  return `"${name.replace(/[\\"]/g, "\\$&")}"`;
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

  /** Whether this Okta names at least `self` on lists: then a list without it has lost its header on the way. */
  let sendsLinks = false;

  /** Reads all pages. A cursor that comes back, or that brings nothing new for long, would lead in a circle for ever. */
  async function listAll<T extends { readonly id: string }>(
    request: { route: string; params?: Record<string, string>; query: Record<string, string | number> },
    item: z.ZodType<T>,
    onPage?: (count: number) => void,
  ): Promise<T[]> {
    const schema = z.array(item);
    const items: T[] = [];
    const [seen, ids] = [new Set<string>(), new Set<string>()];
    let idlePages = 0;
    let link: string | undefined;
    for (;;) {
      const answer = await http.send({
        method: "GET",
        ...request,
        ...(link === undefined ? {} : { link }),
        schema,
      });
      const before = ids.size;
      for (const one of answer.body) {
        items.push(one);
        ids.add(one.id);
      }
      idlePages = ids.size === before ? idlePages + 1 : 0;
      onPage?.(items.length);
      const hasLink = answer.headers.has("link");
      const isLost = !hasLink &&
        (sendsLinks && request.route === MEMBERS || link !== undefined || answer.body.length >= PAGE_SIZE);
      sendsLinks ||= hasLink;
      if (isLost) {
        throw badLink(request.route, "the Link header is missing although there may be another page");
      }
      link = nextLink(answer.headers, request.route);
      if (link === undefined) return items;
      if (seen.has(link) || idlePages > MOST_IDLE_PAGES) {
        throw badLink(request.route, "the link to the next page leads in a circle");
      }
      seen.add(link);
    }
  }

  async function getGroup(id: string): Promise<OktaGroup> {
    try {
      const request = { route: "/api/v1/groups/:id", params: { id }, schema: oktaGroupSchema };
      return (await http.send({ method: "GET", ...request })).body;
    } catch (error) {
      if (!isRequestError(error, "not-found")) throw error;
      const advice =
        "it was deleted, or the credential may not see it: look in Okta under Directory > Groups";
      throw new GroupError("group-not-found", `Group not found: ${id}: ${advice}`);
    }
  }

  /** Okta's search may be behind; the group itself is read from current data. */
  async function confirmGroup({ id }: OktaGroup, name: string): Promise<OktaGroup> {
    const group = await getGroup(id);
    if (group.profile.name === name) return group;
    throw new GroupError(
      "group-not-found",
      `Group not found: ${name}: it is named '${group.profile.name}' now, and Okta's search has not followed yet: ` +
        "wait for the next cycle, or write the new name into the configuration",
    );
  }

  return {
    getGroup,

    async findGroup(name) {
      const query = { search: `profile.name eq ${quote(name)}`, limit: PAGE_SIZE };
      const found = await listAll({ route: "/api/v1/groups", query }, oktaGroupSchema);
      const exact = found.filter((group) => group.profile.name === name);
      if (exact.length > 1) {
        throw new GroupError(
          "group-ambiguous",
          `${exact.length} Okta groups are named '${name}' (${exact.map(({ id }) => id).join(", ")}): ` +
            "write the id of the right one into its mapping, as okta_group_id",
        );
      }
      const [group] = exact;
      if (group) return await confirmGroup(group, name);
      const near = found.map((other) => `'${other.profile.name}'`).join(", ");
      throw new GroupError(
        "group-not-found",
        `Group not found: ${name}: ${near ? `there is ${near}; ` : ""}check the exact name in Okta under ` +
          "Directory > Groups, case included, and that the credential may see it",
      );
    },

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

    async listMembers(groupId, onPage) {
      const users = await listAll(
        { route: MEMBERS, params: { id: groupId }, query: { limit: PAGE_SIZE } },
        oktaUserSchema,
        onPage,
      );
      return [...new Map(users.map((user) => [user.id, user])).values()];
    },
  };
}
