/** Reads who is in a Grafana team. */
import type { GrafanaReads } from "../../grafana/client.ts";
import type { GrafanaTeam, TeamMember } from "../../grafana/schema.ts";
import type { OnReading } from "./people.ts";
import type { Team } from "./world.ts";

/** A team whose members something else manages. */
export class ForeignTeamError extends Error {
  constructor(team: string, by: string) {
    super(
      `Grafana team '${team}' is ${by}: gots left it alone. Remove its mappings from the configuration, or end the ` +
        "other sync",
    );
    this.name = "ForeignTeamError";
  }
}

/** What else manages a team's members, in words; `undefined` if Grafana names nothing. */
export function describeForeign(team: GrafanaTeam, members: readonly TeamMember[]): string | undefined {
  if (team.isProvisioned) return "provisioned";
  const labels = new Set(members.flatMap((member) => member.labels ?? []));
  return labels.size > 0 ? `synced by ${[...labels].join(", ")}` : undefined;
}

/**
 * Reads who is in a team; one that does not exist has nobody in it.
 *
 * @throws {ForeignTeamError} if Grafana says that the team is provisioned, or synced by something else.
 * @throws {RequestError}
 */
export async function readTeam(
  name: string,
  listed: GrafanaTeam | undefined,
  grafana: Pick<GrafanaReads, "listTeamMembers">,
  onReading?: OnReading,
): Promise<Team> {
  if (!listed) return { id: undefined, memberCount: 0, members: [] };
  onReading?.(`Grafana team ${name}`, 0);
  const members = listed.isProvisioned ? [] : await grafana.listTeamMembers(listed.id);
  const foreign = describeForeign(listed, members);
  if (foreign) throw new ForeignTeamError(name, foreign);
  return { id: listed.id, memberCount: listed.memberCount, members };
}
