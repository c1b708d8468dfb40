/** Checks that Okta will answer what a cycle needs, before the first one. */
import { count } from "../config/count.ts";
import type { Config, Mapping } from "../config/schema.ts";
import { suggestName } from "../config/problems.ts";
import { clockFinding, failedFinding, type Finding, skippedFinding } from "./finding.ts";
import { describeStranger } from "../http/stranger.ts";
import { readRateLimit } from "../http/headers.ts";
import { createTransport } from "../http/transport.ts";
import type { Surroundings } from "../http/types.ts";
import { createOktaClient, type OktaClient, UNLINKED } from "../okta/client.ts";
import { GroupError } from "../okta/groups.ts";
import type { OktaGroup } from "../okta/schema.ts";
import { wantedBy } from "../sync/observe/groups.ts";
import { createTokenClient } from "../okta/token.ts";

/** What the last answer of the Management API said about its rate limit. */
interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
}

/** Reads the rate limit from every answer that passes. */
function watchRateLimit({ fetch }: Surroundings) {
  let last: RateLimit | undefined;
  let requests = 0;
  return {
    last: () => last,
    requests: () => requests,
    fetch: async (url: string, init: RequestInit) => {
      const response = await fetch(url, init);
      requests++;
      const [limit, remaining] = readRateLimit(response.headers);
      if (limit && remaining !== undefined) last = { limit, remaining };
      return response;
    },
  };
}

/** Asks without a credential: any answer shows that the name, the way and the certificate are right. */
async function* checkReach(
  { domain }: Config["okta"],
  surroundings: Surroundings,
): AsyncGenerator<Finding, boolean> {
  const what = `reach ${domain}`;
  const path = "/api/v1/groups";
  try {
    const transport = createTransport({ name: "Okta", backoff: { attempts: 2 } }, surroundings);
    const headers = () => Promise.resolve({ accept: "application/json" });
    const asked = {
      service: "Okta",
      method: "GET",
      path,
      route: path,
      url: `${domain}${path}?limit=1`,
      headers,
    };
    const { response, text } = await transport.exchange(asked);
    const stranger = describeStranger(response, text);
    const isOkta = (response.status === 401 && !stranger) || response.headers.has("x-okta-request-id");
    yield {
      service: "Okta",
      what,
      result: isOkta ? "ok" : "warning",
      seen: isOkta
        ? `the name resolves${domain.startsWith("https:") ? ", and the certificate is valid" : ""}`
        : `a request without a credential returned ${response.status}` + (stranger ? ` (${stranger})` : "") +
          "; Okta would return 401 with JSON",
      advice: isOkta ? undefined : "check okta.domain and any proxy in between",
    };
    yield clockFinding("Okta", response.headers, surroundings.now());
    return true;
  } catch (error) {
    yield failedFinding("Okta", what, error);
    return false;
  }
}

/** Gets an access token, where the app signs in with one. */
async function* checkToken(
  okta: Config["okta"],
  surroundings: Surroundings,
): AsyncGenerator<Finding, boolean> {
  if (okta.auth_method !== "oauth") return true;
  try {
    const { type, scopes } = await createTokenClient(okta, surroundings).request();
    const bound = type === "DPoP" ? ", bound to a key of this process (DPoP)" : "";
    yield { service: "Okta", what: "access token", result: "ok", seen: `received${bound}` };
    const missing = okta.oauth.scopes.filter((scope) => scopes && !scopes.includes(scope));
    yield {
      service: "Okta",
      what: "scopes",
      result: missing.length > 0 ? "failed" : "ok",
      seen: missing.length > 0 ? `not granted: ${missing.join(", ")}` : okta.oauth.scopes.join(", "),
      advice: missing.length > 0 ? "grant them to the app on its Okta API Scopes tab" : undefined,
    };
    return true;
  } catch (error) {
    yield failedFinding("Okta", "access token", error);
    return false;
  }
}

/** Visible groups whose names are near, for a group that is missing. */
async function nearestNames(client: OktaClient, name: string): Promise<string> {
  const alike = await client.listGroupNames(name.slice(0, 3)).catch(() => []);
  const near = suggestName(name, [...alike, ...await client.listGroupNames("").catch(() => [])]);
  if (near) return `; did you mean '${near}'?`;
  return alike.length > 0 ? `; similar names: ${alike.slice(0, 5).map((one) => `'${one}'`).join(", ")}` : "";
}

async function checkGroup(
  client: OktaClient,
  { okta_group, okta_group_id }: Mapping,
  group: OktaGroup | Error | undefined,
): Promise<Finding> {
  const what = `group '${okta_group}'`;
  try {
    if (group === undefined || group instanceof Error) throw group;
    const { items: { length }, isLinked } = await client.listMembers(group.id);
    const seen = `${group.id}, ${count(length, "member")}`;
    if (!isLinked) {
      return {
        service: "Okta",
        what,
        result: "warning",
        seen: `${seen}, without a Link header`,
        advice: UNLINKED,
      };
    }
    if (length > 0) return { service: "Okta", what, result: "ok", seen };
    const advice = "an empty group removes nobody; check that the credential can see its members";
    return { service: "Okta", what, result: "warning", seen, advice };
  } catch (error) {
    const finding = failedFinding("Okta", what, error);
    if (!(error instanceof GroupError) || error.kind !== "group-not-found" || okta_group_id) return finding;
    return { ...finding, seen: finding.seen + await nearestNames(client, okta_group) };
  }
}

/** Whether a list of groups can be read, and is not silently empty. */
async function checkRole(client: OktaClient, { auth_method }: Config["okta"]): Promise<Finding> {
  const what = "permission to read groups";
  try {
    const names = await client.listGroupNames("");
    if (names.length > 0) return { service: "Okta", what, result: "ok", seen: "groups are visible" };
    const advice = auth_method === "oauth"
      ? "give the app an admin role that can view groups and users (Admin roles tab); without one, lists are empty"
      : "create the token as an administrator who can view groups and users";
    return { service: "Okta", what, result: "failed", seen: "no groups are visible", advice };
  } catch (error) {
    return failedFinding("Okta", what, error);
  }
}

function rateLimitFinding(last: RateLimit | undefined, needed: number): Finding {
  const what = "rate limit";
  if (!last) return { service: "Okta", what, result: "ok", seen: "Okta reports none" };
  const seen = `${last.remaining} of ${last.limit} requests are left; a cycle needs about ${needed}`;
  if (needed <= last.limit / 2) return { service: "Okta", what, result: "ok", seen };
  const advice = "other programs share this limit: raise sync.interval_seconds";
  return { service: "Okta", what, result: "warning", seen, advice };
}

/** Checks everything that a cycle asks of Okta. Nothing is ever written there. */
export async function* checkOkta(
  { okta, sync: { mappings } }: Pick<Config, "okta" | "sync">,
  surroundings: Surroundings,
): AsyncGenerator<Finding> {
  const groups = [...new Map(mappings.map((one) => [one.okta_group_id ?? one.okta_group, one])).values()];
  const later = [
    "permission to read groups",
    ...groups.map((one) => `group '${one.okta_group}'`),
    "rate limit",
  ];
  const isReached = yield* checkReach(okta, surroundings);
  const hasToken = isReached && (yield* checkToken(okta, surroundings));
  if (!hasToken) {
    const because = isReached ? "there is no access token" : "Okta cannot be reached";
    const before = okta.auth_method !== "oauth" ? [] : isReached ? ["scopes"] : ["access token", "scopes"];
    for (const what of before) yield skippedFinding("Okta", what, because);
    for (const what of later) yield skippedFinding("Okta", what, because);
    return;
  }
  const limit = watchRateLimit(surroundings);
  const client = createOktaClient(okta, { ...surroundings, fetch: limit.fetch });
  const role = await checkRole(client, okta);
  yield role;
  if (role.result === "failed") {
    for (const what of later.slice(1)) yield skippedFinding("Okta", what, "no groups can be read");
    return;
  }
  const before = limit.requests();
  const found = await client.findGroups(groups.map((mapping) => wantedBy(mapping)));
  for (const [i, mapping] of groups.entries()) yield await checkGroup(client, mapping, found.groups[i]);
  yield rateLimitFinding(limit.last(), limit.requests() - before);
}
