/** With a password, Grafana makes the account that creates a team its admin: it is taken out again. */
import type { GrafanaClient } from "../grafana/client.ts";
import { addressOf } from "../grafana/directory.ts";
import { TEAM_ADMIN } from "../grafana/schema.ts";
import { errorMessage, isOutage, isRequestError } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import type { Logger } from "../observability/log.ts";

/**
 * Takes our own account out of a team that it has just created.
 *
 * @param ownId Our account in Grafana; `undefined` for a token, which Grafana puts into no team.
 * @param fields What the audit line says of the team.
 * @throws {Error} if that failed.
 */
export async function takeOutCreator(
  teamId: number,
  ownId: number | undefined,
  fields: Readonly<Record<string, unknown>>,
  grafana: GrafanaClient,
  log: Logger,
): Promise<void> {
  if (ownId === undefined) return;
  const members = await grafana.listTeamMembers(teamId);
  const creator = members.find(({ userId, permission }) => userId === ownId && permission === TEAM_ADMIN);
  if (!creator) return;
  const user = addressOf(creator);
  try {
    await grafana.removeTeamMember(teamId, ownId);
  } catch (error) {
    if (isOutage(error) || isRequestError(error, "interrupted")) throw error;
    const message = `could not take ${user}, who created it, out of the new team; take them out by hand`;
    throw new Error(`${message}: ${errorMessage(error)}`, { cause: error });
  }
  log.info("Removed user {user} from team {grafana_team}", {
    ...fields,
    team_id: teamId,
    user,
    user_id: ownId,
    ...audit("remove", "done"),
    why: "Grafana puts the account that creates a team into it, and gots signs in with this one",
  });
}
