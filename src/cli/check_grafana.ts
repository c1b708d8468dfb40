/** Looks whether Grafana will do what a cycle needs, before the first one. */
import type { Config } from "../config/schema.ts";
import { failedFinding, type Finding, skippedFinding } from "./finding.ts";
import { isRequestError } from "../http/error.ts";
import type { Surroundings } from "../http/types.ts";
import { createGrafanaClient, type GrafanaClient } from "../grafana/client.ts";
import type { Lockout } from "../grafana/lockout.ts";
import { decideCreation } from "../sync/creation.ts";
import { describeForeign } from "../sync/decide.ts";
import { count } from "./summary.ts";

/** What a cycle needs, and what for. The rights of an Admin service account cover them. */
const RIGHTS: readonly (readonly [right: string, purpose: string])[] = [
  ["teams:read", "find the teams"],
  ["teams:create", "create teams that are missing"],
  ["teams.permissions:read", "read who is in a team"],
  ["teams.permissions:write", "add and remove members"],
  ["org.users:read", "find out who is who"],
  ["org.users:add", "add users of the server to the organisation"],
  ["org.users:remove", "take a stranger out again who came by a login"],
];

const finding = (what: string, result: Finding["result"], seen: string, advice?: string): Finding => ({
  service: "Grafana",
  what,
  result,
  seen,
  advice,
});

async function checkReach(client: GrafanaClient, url: string): Promise<Finding> {
  const what = `reach ${url}`;
  try {
    const version = await client.readVersion();
    return finding(what, "ok", version ? `Grafana ${version}` : "Grafana hides its version");
  } catch (error) {
    return failedFinding("Grafana", what, error);
  }
}

async function* checkRights(
  client: GrafanaClient,
  needed: typeof RIGHTS,
): AsyncGenerator<Finding, boolean> {
  let rights: ReadonlySet<string>;
  try {
    rights = await client.listRights();
    const organisation = await client.readOrganisation().catch((error: unknown) => {
      if (isRequestError(error, "forbidden")) return undefined;
      throw error;
    });
    const where = organisation ? `, in the organisation '${organisation.name}' (id ${organisation.id})` : "";
    yield finding("credential", "ok", `accepted${where}`);
  } catch (error) {
    yield failedFinding("Grafana", "credential", error);
    return false;
  }
  for (const [right, purpose] of needed) {
    const has = rights.has(right);
    const advice = has ? undefined : "give the service account the role Admin, or this permission";
    yield finding(
      `right ${right}`,
      has ? "ok" : "failed",
      `${has ? "given" : "missing"}: to ${purpose}`,
      advice,
    );
  }
  return true;
}

async function checkTeam(client: GrafanaClient, name: string): Promise<Finding> {
  const what = `team '${name}'`;
  try {
    const team = await client.findTeam(name);
    if (!team) return finding(what, "ok", "there is none; it will be created");
    const foreign = describeForeign(team, await client.listTeamMembers(team.id));
    if (!foreign) return finding(what, "ok", `id ${team.id}, ${count(team.memberCount, "member")}`);
    const advice = "take its mappings out of the configuration, or end the other sync";
    return finding(what, "failed", `it is ${foreign}`, advice);
  } catch (error) {
    return failedFinding("Grafana", what, error);
  }
}

const LOCKOUT: Readonly<Record<Lockout, string>> = {
  "signs-in": "they can sign in afterwards",
  "locks-out": "this Grafana refuses their first sign-in",
  unknown: "it cannot be read whether they can sign in afterwards",
};

/** What will happen with members of the groups whom Grafana does not know. */
async function checkMissingUsers(client: GrafanaClient, settings: Config["grafana"]): Promise<Finding> {
  const what = `missing users (${settings.missing_users})`;
  try {
    const creation = await decideCreation(settings, client);
    if (creation.kind === "impossible") return finding(what, "failed", creation.message);
    if (creation.kind === "wait") {
      const added = settings.missing_users === "wait"
        ? ""
        : "users of the server are added to the organisation; ";
      return finding(what, "ok", `${added}others wait until they have signed in to Grafana once`);
    }
    const isSafe = creation.lockout === "signs-in";
    const seen = `they are created as ${settings.new_user_role}, and ${LOCKOUT[creation.lockout]}`;
    const advice =
      "set oauth_allow_insecure_email_lookup = true under [auth] in Grafana, or missing_users to auto";
    return finding(what, isSafe ? "ok" : "warning", seen, isSafe ? undefined : advice);
  } catch (error) {
    return failedFinding("Grafana", what, error);
  }
}

/** Looks at everything that a cycle asks of Grafana, and writes nothing. */
export async function* checkGrafana(
  { grafana, sync: { mappings } }: Pick<Config, "grafana" | "sync">,
  surroundings: Surroundings,
): AsyncGenerator<Finding> {
  const client = createGrafanaClient(grafana, surroundings);
  const teams = [...new Set(mappings.map(({ grafana_team }) => grafana_team))];
  const joins = grafana.missing_users !== "wait";
  const needed = RIGHTS.filter(([right]) => joins || !/^org\.users:(?:add|remove)$/.test(right));
  const reach = await checkReach(client, grafana.url);
  yield reach;
  const isKnown = reach.result === "ok" && (yield* checkRights(client, needed));
  const because = reach.result === "ok" ? "the credential is not accepted" : "Grafana cannot be reached";
  if (reach.result !== "ok") yield skippedFinding("Grafana", "credential", because);
  if (!isKnown) { for (const [right] of needed) yield skippedFinding("Grafana", `right ${right}`, because); }
  yield isKnown
    ? await checkMissingUsers(client, grafana)
    : skippedFinding("Grafana", `missing users (${grafana.missing_users})`, because);
  for (const name of teams) {
    yield isKnown ? await checkTeam(client, name) : skippedFinding("Grafana", `team '${name}'`, because);
  }
}
