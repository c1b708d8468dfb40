/** Checks that Grafana will do what a cycle needs, before the first one. */
import { count } from "../config/count.ts";
import type { Config } from "../config/schema.ts";
import { failedFinding, type Finding, skippedFinding } from "./finding.ts";
import { isRequestError } from "../http/error.ts";
import type { Surroundings } from "../http/types.ts";
import { createGrafanaClient, type GrafanaClient } from "../grafana/client.ts";
import type { Lockout } from "../grafana/lockout.ts";
import type { GrafanaTeam } from "../grafana/schema.ts";
import { readCreation } from "../sync/observe/creation.ts";
import { describeForeign } from "../sync/observe/team.ts";
import { SIMILAR_ADVICE, similarTeam } from "./similar_team.ts";
import { checkUsers } from "./check_users.ts";

/** A permission of Grafana, and what it is for. */
interface Right {
  readonly right: string;
  readonly purpose: string;
  /** What happens without it, if cycles still run. */
  readonly without?: string;
}

const STRANGERS = "anyone added by mistake stays in the organisation until somebody removes them";

/** What a cycle needs. The rights of an Admin service account cover it. */
const RIGHTS: readonly Right[] = [
  { right: "teams:read", purpose: "find the teams" },
  { right: "teams:create", purpose: "create missing teams" },
  { right: "teams.permissions:read", purpose: "read team members" },
  { right: "teams.permissions:write", purpose: "add and remove members" },
  { right: "org.users:read", purpose: "match users" },
  { right: "org.users:add", purpose: "add users of this server to the organisation" },
  {
    right: "org.users:remove",
    purpose: "remove users who were added by mistake because their login matched",
    without: STRANGERS,
  },
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

/** What the credential may do; `undefined` if it is not accepted. */
async function* checkCredential(
  client: GrafanaClient,
): AsyncGenerator<Finding, ReadonlySet<string> | undefined> {
  try {
    const rights = await client.listRights();
    const organisation = await client.readOrganisation().catch((error: unknown) => {
      if (isRequestError(error, "forbidden")) return undefined;
      throw error;
    });
    const where = organisation ? `, in the organisation '${organisation.name}' (id ${organisation.id})` : "";
    yield finding("credential", "ok", `accepted${where}`);
    return rights;
  } catch (error) {
    yield failedFinding("Grafana", "credential", error);
    return undefined;
  }
}

function rightFinding({ right, purpose, without }: Right, rights: ReadonlySet<string>): Finding {
  const what = `permission ${right}`;
  if (rights.has(right)) return finding(what, "ok", `granted, to ${purpose}`);
  const advice = "give the service account the Admin role or this permission";
  return finding(
    what,
    without ? "warning" : "failed",
    `missing, needed to ${purpose}`,
    without ? `without it, ${without}: ${advice}` : advice,
  );
}

/** Grafana's teams by name, or why they could not be read. */
type Teams = ReadonlyMap<string, GrafanaTeam> | Error;

async function readTeams(client: GrafanaClient): Promise<Teams> {
  try {
    return new Map((await client.listTeams()).map((team) => [team.name, team]));
  } catch (error) {
    if (isRequestError(error, "interrupted") || !(error instanceof Error)) throw error;
    return error;
  }
}

/** Without a team that is missing, nothing has to be created now. */
function needsOf(joins: boolean, teams: Teams | undefined, names: readonly string[]): readonly Right[] {
  const areAll = teams instanceof Map && names.every((name) => teams.has(name));
  return RIGHTS.filter(({ right }) => joins || !/^org\.users:(?:add|remove)$/.test(right)).map((one) =>
    one.right === "teams:create" && areAll
      ? { ...one, without: "gots cannot create teams that you add later (all teams exist now)" }
      : one
  );
}

async function checkTeam(
  client: GrafanaClient,
  name: string,
  teams: Teams,
  mapped: ReadonlySet<string>,
): Promise<Finding> {
  const what = `team '${name}'`;
  try {
    if (teams instanceof Error) throw teams;
    const team = teams.get(name);
    if (!team) {
      const similar = similarTeam(name, teams, mapped);
      return similar
        ? finding(
          what,
          "warning",
          `does not exist, but '${similar}' does; gots will create it`,
          SIMILAR_ADVICE,
        )
        : finding(what, "ok", "does not exist; gots will create it");
    }
    const foreign = describeForeign(team, await client.listTeamMembers(team.id));
    if (!foreign) return finding(what, "ok", `id ${team.id}, ${count(team.memberCount, "member")}`);
    const advice = "remove its mappings from the configuration, or stop the other sync";
    return finding(what, "failed", `it is ${foreign}`, advice);
  } catch (error) {
    return failedFinding("Grafana", what, error);
  }
}

const LOCKOUT: Readonly<Record<Lockout, string>> = {
  "signs-in": "they can sign in afterwards",
  "locks-out": "this Grafana rejects their first sign-in",
  unknown: "gots cannot tell whether they can sign in afterwards",
};

const nameMissing = ({ missing_users }: Config["grafana"]) => `missing users (${missing_users})`;

/** What will happen to members of the groups who have no Grafana account. */
async function checkMissingUsers(client: GrafanaClient, settings: Config["grafana"]): Promise<Finding> {
  const what = nameMissing(settings);
  try {
    const creation = await readCreation(settings.missing_users, client);
    if (creation.kind === "impossible" || creation.kind === "undecided") {
      return finding(what, "failed", creation.message);
    }
    if (creation.kind === "wait") {
      const added = settings.missing_users === "wait"
        ? ""
        : "users of this server are added to the organisation; ";
      return finding(what, "ok", `${added}others wait until they first sign in to Grafana`);
    }
    const isSafe = creation.lockout === "signs-in";
    const seen = `gots creates them as ${settings.new_user_role}, and ${LOCKOUT[creation.lockout]}`;
    const advice =
      "set oauth_allow_insecure_email_lookup = true under [auth] in Grafana, or missing_users to auto";
    return finding(what, isSafe ? "ok" : "warning", seen, isSafe ? undefined : advice);
  } catch (error) {
    return failedFinding("Grafana", what, error);
  }
}

/** Checks everything that a cycle asks of Grafana, and writes nothing. */
export async function* checkGrafana(
  { grafana, sync: { mappings } }: Pick<Config, "grafana" | "sync">,
  surroundings: Surroundings,
): AsyncGenerator<Finding> {
  const client = createGrafanaClient(grafana, surroundings);
  const names = [...new Set(mappings.map(({ grafana_team }) => grafana_team))];
  const joins = grafana.missing_users !== "wait";
  const reach = await checkReach(client, grafana.url);
  yield reach;
  const isReached = reach.result === "ok";
  const rights = isReached ? yield* checkCredential(client) : undefined;
  if (!isReached) yield skippedFinding("Grafana", "credential", "Grafana cannot be reached");
  if (!rights) {
    const because = isReached ? "the credential was rejected" : "Grafana cannot be reached";
    const later = needsOf(joins, undefined, names).map(({ right }) => `permission ${right}`);
    for (const what of [...later, "users", nameMissing(grafana), ...names.map((name) => `team '${name}'`)]) {
      yield skippedFinding("Grafana", what, because);
    }
    return;
  }
  const teams = await readTeams(client);
  for (const right of needsOf(joins, teams, names)) yield rightFinding(right, rights);
  yield await checkUsers(client);
  yield await checkMissingUsers(client, grafana);
  const mapped = new Set(names);
  for (const name of names) yield await checkTeam(client, name, teams, mapped);
}
