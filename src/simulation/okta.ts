/** A simulated Okta: groups, members, pages, rate limits and errors as Okta's Management API has them. */
import { type Context, Hono } from "hono";
import { createOktaOAuth, type OktaApp, type OktaClientCredentials } from "./okta_oauth.ts";
import { parseFilter, parseSearch } from "./okta_query.ts";
import { OAuthRefusal } from "./okta_refusal.ts";
import {
  createGroup,
  createUser,
  type SimulatedOktaGroup,
  type SimulatedOktaUser,
  type UserDetails,
} from "./okta_state.ts";
import { serve, type SimulatedServer } from "./server.ts";

/** How many requests of one family of paths are left until the reset. */
export interface RateLimit {
  limit: number;
  remaining: number;
  /** Epoch milliseconds. */
  resetAt: number;
}

/** The paths that share a limit. @see https://developer.okta.com/docs/reference/rl-global-mgmt/ */
export type RateFamily = "groups" | "group" | "users";

function familyOf(path: string): RateFamily {
  if (path.startsWith("/api/v1/users")) return "users";
  return /^\/api\/v1\/groups\/[^/]+$/.test(path) ? "group" : "groups";
}

/** The simulated organisation; tests change it at will. */
export interface SimulatedOkta extends SimulatedServer, OktaApp {
  readonly users: SimulatedOktaUser[];
  readonly groups: SimulatedOktaGroup[];
  /** Adds an active user whose login is the email. */
  addUser(email: string, details?: UserDetails): SimulatedOktaUser;
  /** Adds a group with these members. */
  addGroup(name: string, members?: readonly SimulatedOktaUser[]): SimulatedOktaGroup;
  /** The group with this name. */
  group(name: string): SimulatedOktaGroup;
  /** The largest page that it gives, whatever `limit` asks for. */
  pageSize: number;
  /** Okta's time, in epoch milliseconds; `clockOffsetMs` comes on top. @default {Date.now} */
  clock: () => number;
  /** Each answer takes one of its family. */
  readonly rateLimits: Readonly<Record<RateFamily, RateLimit>>;
  /** Sets the limit of every family. */
  limitRate(limit: Partial<RateLimit>): void;
  /** More requests than this at once are refused. @default {75} */
  concurrencyLimit: number;
  /**
   * Whether the app, or the owner of the API token, has an admin role with a view of groups and users. Without
   * one, calls are forbidden, or with `silent` find nothing.
   *
   * @default {true}
   */
  adminRole: boolean | "silent";
}

/** The credentials that the simulated Okta accepts. */
export interface OktaCredentials extends OktaClientCredentials {
  readonly apiToken: string;
}

/** What the filters of these lists may name; both read current data. */
const GROUP_PROPERTIES = ["id", "type", "lastUpdated", "lastMembershipUpdated"];
const USER_PROPERTIES = ["id", "status", "lastUpdated"];

const CAUSES: Readonly<Record<string, readonly [status: 400 | 401 | 403 | 404 | 429, summary: string]>> = {
  E0000001: [400, "Api validation failed"],
  E0000006: [403, "You do not have permission to perform the requested action"],
  E0000007: [404, "Not found: Resource not found"],
  E0000011: [401, "Invalid token provided"],
  E0000047: [429, "API call exceeded rate limit due to too many requests."],
};

function refuse(c: Context, errorCode: string, instead?: 400 | 401): Response {
  const [status, errorSummary] = CAUSES[errorCode] ?? [400, "Bad request"];
  return c.json(
    { errorCode, errorSummary, errorLink: errorCode, errorId: "oae-simulated", errorCauses: [] },
    instead ?? status,
  );
}

function cursorOf(place: number): string {
  return btoa(`place ${place}`);
}

function placeOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return 0;
  try {
    const [, place] = atob(cursor).match(/^place (\d+)$/) ?? [];
    return place === undefined ? undefined : Number(place);
  } catch {
    return undefined;
  }
}

const time = (at: number) => new Date(at).toISOString();

function groupJson({ id, name, lastUpdated, lastMembershipUpdated }: SimulatedOktaGroup) {
  return {
    id,
    lastUpdated: time(lastUpdated),
    lastMembershipUpdated: time(lastMembershipUpdated),
    type: "OKTA_GROUP",
    objectClass: ["okta:user_group"],
    profile: { name, description: null },
  };
}

function userJson({ id, status, login, email, firstName, lastName, lastUpdated }: SimulatedOktaUser) {
  return { id, status, lastUpdated: time(lastUpdated), profile: { login, email, firstName, lastName } };
}

/** Starts a simulated Okta on loopback. */
export function startOkta(credentials: OktaCredentials): SimulatedOkta {
  const app = new Hono();
  const users: SimulatedOktaUser[] = [];
  const groups: SimulatedOktaGroup[] = [];
  /** Of all that there ever were: an id does not come back. */
  let groupCount = 0;
  const oauth = createOktaOAuth(credentials, () => okta);
  const now = () => okta.clock() + okta.clockOffsetMs;
  const full = (): RateLimit => ({ limit: 600, remaining: 600, resetAt: 0 });

  /** One page of `items`; the cursor is opaque to the client, and holds the place to continue from. */
  function page<T>(c: Context, items: readonly T[], json: (item: T) => unknown): Response {
    const asked = Number(c.req.query("limit") ?? 1_000);
    const size = Math.max(1, Math.min(asked, okta.pageSize));
    const start = placeOf(c.req.query("after"));
    if (start === undefined) return refuse(c, "E0000001");
    c.header("link", `<${c.req.url}>; rel="self"`, { append: true });
    if (okta.adminRole === "silent") return c.json([]);
    if (start + size < items.length) {
      const next = new URL(c.req.url);
      next.searchParams.set("after", cursorOf(start + size));
      c.header("link", `<${next}>; rel="next"`, { append: true });
    }
    return c.json(items.slice(start, start + size).map(json));
  }

  /** The answer that forbids a call, or nothing. */
  async function forbid(c: Context): Promise<Response | undefined> {
    const [scheme, token] = (c.req.header("authorization") ?? "").split(" ");
    if (scheme === "SSWS") return token === credentials.apiToken ? undefined : refuse(c, "E0000011");
    const needed = c.req.path.startsWith("/api/v1/users") ? "okta.users.read" : "okta.groups.read";
    try {
      if ((await oauth.admit(c.req.raw)).includes(needed)) return undefined;
      const description = "The access token provided does not contain the required scopes.";
      throw new OAuthRefusal("insufficient_scope", description);
    } catch (refusal) {
      if (!(refusal instanceof OAuthRefusal)) throw refusal;
      for (const [name, value] of Object.entries(oauth.challenge(c.req.raw, refusal, needed))) {
        c.header(name, value);
      }
      if (refusal.code === "insufficient_scope") return refuse(c, "E0000006");
      return refuse(c, "E0000011", refusal.code === "invalid_dpop_proof" ? okta.proofRefusalStatus : 401);
    }
  }

  app.use(async (c, next) => {
    c.header("date", new Date(now()).toUTCString());
    await next();
  });
  app.post("/oauth2/v1/token", (c) => oauth.answerToken(c));

  app.use("/api/*", async (c, next) => {
    const rateLimit = okta.rateLimits[familyOf(c.req.path)];
    if (okta.inFlight > okta.concurrencyLimit) {
      for (const part of ["limit", "remaining"]) c.header(`x-rate-limit-${part}`, "0");
      c.header("x-rate-limit-reset", String(Math.ceil(now() / 1_000)));
      return refuse(c, "E0000047");
    }
    if (now() >= rateLimit.resetAt) {
      Object.assign(rateLimit, { remaining: rateLimit.limit, resetAt: now() + 60_000 });
    }
    const exceeded = rateLimit.remaining <= 0;
    rateLimit.remaining = Math.max(0, rateLimit.remaining - 1);
    c.header("x-rate-limit-limit", String(rateLimit.limit));
    c.header("x-rate-limit-remaining", String(rateLimit.remaining));
    c.header("x-rate-limit-reset", String(Math.ceil(rateLimit.resetAt / 1_000)));
    if (exceeded) return refuse(c, "E0000047");
    const forbidden = await forbid(c);
    if (forbidden) return forbidden;
    return okta.adminRole ? await next() : refuse(c, "E0000006");
  });

  app.get("/api/v1/groups", (c) => {
    const { search, filter } = c.req.query();
    const matches = search === undefined ? () => true : parseSearch(search);
    const passes = filter === undefined ? () => true : parseFilter(filter, GROUP_PROPERTIES);
    if (!matches || !passes) return refuse(c, "E0000001");
    return page(c, groups.filter((group) => matches(group.name) && passes(group)), groupJson);
  });
  app.get("/api/v1/users", (c) => {
    const { filter = "" } = c.req.query();
    const passes = filter === "" ? () => true : parseFilter(filter, USER_PROPERTIES);
    if (!passes) return refuse(c, "E0000001");
    const isListed = ({ status }: SimulatedOktaUser) =>
      status !== "DEPROVISIONED" || /\bstatus\b/.test(filter);
    return page(c, users.filter((user) => isListed(user) && passes(user)), userJson);
  });
  app.get("/api/v1/groups/:id", (c) => {
    const group = groups.find(({ id }) => id === c.req.param("id"));
    return group && okta.adminRole !== "silent" ? c.json(groupJson(group)) : refuse(c, "E0000007");
  });
  app.get("/api/v1/groups/:id/users", (c) => {
    const group = groups.find(({ id }) => id === c.req.param("id"));
    return group ? page(c, [...group.members], userJson) : refuse(c, "E0000007");
  });
  app.notFound((c) => refuse(c, "E0000007"));

  const okta: SimulatedOkta = Object.assign(serve((request) => app.fetch(request)), {
    users,
    groups,
    pageSize: 200,
    clock: Date.now,
    rateLimits: { groups: full(), group: full(), users: full() },
    limitRate(limit: Partial<RateLimit>) {
      for (const family of Object.values(okta.rateLimits)) Object.assign(family, limit);
    },
    concurrencyLimit: 75,
    adminRole: true as boolean | "silent",
    ...oauth.app,
    addUser(email: string, details: UserDetails = {}) {
      const user = createUser(`00u${String(users.length + 1).padStart(6, "0")}`, email, details, now);
      users.push(user);
      return user;
    },
    addGroup(name: string, members: readonly SimulatedOktaUser[] = []) {
      const group = createGroup(`00g${String(++groupCount).padStart(6, "0")}`, name, members, now);
      groups.push(group);
      return group;
    },
    group(name: string) {
      const group = groups.find((one) => one.name === name);
      if (!group) throw new TypeError(`the simulated Okta has no group '${name}'`);
      return group;
    },
  });
  return okta;
}
