/** A simulated Okta: groups, members, pages, rate limits and errors as Okta's Management API has them. */
import { type Context, Hono } from "hono";
import type { OktaUserStatus } from "../config/schema.ts";
import { createOktaOAuth, type OktaApp, type OktaClientCredentials } from "./okta_oauth.ts";
import { OAuthRefusal } from "./okta_refusal.ts";
import { serve, type SimulatedServer } from "./server.ts";

/** A user of the simulated organisation. */
export interface SimulatedOktaUser {
  readonly id: string;
  status: OktaUserStatus;
  login: string;
  email: string | null;
  firstName: string;
  lastName: string;
}

/** A group of the simulated organisation. */
export interface SimulatedOktaGroup {
  readonly id: string;
  name: string;
  readonly members: Set<SimulatedOktaUser>;
}

/** The simulated organisation; tests change it at will. */
export interface SimulatedOkta extends SimulatedServer, OktaApp {
  readonly users: SimulatedOktaUser[];
  readonly groups: SimulatedOktaGroup[];
  /** Adds an active user whose login is the email. */
  addUser(email: string, details?: Partial<Omit<SimulatedOktaUser, "id">>): SimulatedOktaUser;
  /** Adds a group with these members. */
  addGroup(name: string, members?: readonly SimulatedOktaUser[]): SimulatedOktaGroup;
  /** The group with this name. */
  group(name: string): SimulatedOktaGroup;
  /** The largest page that it gives, whatever `limit` asks for. */
  pageSize: number;
  /** Requests left until the reset; each answer takes one. */
  rateLimit: { limit: number; remaining: number; resetAt: number };
  /**
   * Whether the app, or whoever made the API token, has an admin role with a view of groups and users. Without
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

const COMPARISONS: Readonly<Record<string, (own: string, wanted: string) => boolean>> = {
  eq: (own, wanted) => own === wanted,
  sw: (own, wanted) => own.startsWith(wanted),
  co: (own, wanted) => own.includes(wanted),
};

/** Okta's search compares names without regard to case; whoever asks compares exactly. */
function parseSearch(expression: string): ((name: string) => boolean) | undefined {
  const term = /^\s*profile\.name\s+(eq|sw|co)\s+"((?:[^"\\]|\\.)*)"\s*(?:or\s+|$)/i;
  const tests: ((name: string) => boolean)[] = [];
  for (let rest = expression; rest.length > 0;) {
    const [whole, operator = "", quoted = ""] = rest.match(term) ?? [];
    if (whole === undefined) return undefined;
    const compare = COMPARISONS[operator.toLowerCase()];
    const wanted = quoted.replace(/\\(.)/g, "$1").toLowerCase();
    if (compare) tests.push((name) => compare(name.toLowerCase(), wanted));
    rest = rest.slice(whole.length);
  }
  return (name) => tests.some((test) => test(name));
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

function groupJson({ id, name }: SimulatedOktaGroup) {
  return { id, type: "OKTA_GROUP", objectClass: ["okta:user_group"], profile: { name, description: null } };
}

function userJson({ id, status, login, email, firstName, lastName }: SimulatedOktaUser) {
  return { id, status, profile: { login, email, firstName, lastName } };
}

/** Starts a simulated Okta on loopback. */
export function startOkta(credentials: OktaCredentials): SimulatedOkta {
  const app = new Hono();
  const users: SimulatedOktaUser[] = [];
  const groups: SimulatedOktaGroup[] = [];
  const oauth = createOktaOAuth(credentials, () => okta);
  const now = () => Date.now() + okta.clockOffsetMs;

  /** One page of `items`; the cursor is opaque to whoever reads it, and holds the place to go on from. */
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
    const { rateLimit } = okta;
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
    const search = c.req.query("search");
    const matches = search === undefined ? () => true : parseSearch(search);
    return matches ? page(c, groups.filter(({ name }) => matches(name)), groupJson) : refuse(c, "E0000001");
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
    rateLimit: { limit: 600, remaining: 600, resetAt: 0 },
    adminRole: true as boolean | "silent",
    ...oauth.app,
    addUser(email: string, details: Partial<Omit<SimulatedOktaUser, "id">> = {}) {
      const id = `00u${String(users.length + 1).padStart(6, "0")}`;
      const [firstName = "", lastName = ""] = email.split("@")[0]?.split(".") ?? [];
      const user: SimulatedOktaUser = {
        id,
        status: "ACTIVE",
        login: email,
        email,
        firstName,
        lastName,
        ...details,
      };
      users.push(user);
      return user;
    },
    addGroup(name: string, members: readonly SimulatedOktaUser[] = []) {
      const group = {
        id: `00g${String(groups.length + 1).padStart(6, "0")}`,
        name,
        members: new Set(members),
      };
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
