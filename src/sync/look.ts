/** Looks at what a plan lacks: groups that are only remembered, the groups a second time, the team right before a write. */
import type { OktaUserStatus } from "../config/schema.ts";
import type { GrafanaReads } from "../grafana/client.ts";
import type { Groups } from "./observe/groups.ts";
import type { Known } from "./observe/known.ts";
import type { OnReading } from "./observe/people.ts";
import { readTeam } from "./observe/team.ts";
import { type GroupReadings, keyOfGroup, type Team } from "./observe/world.ts";
import { type DesiredTeam, desiredTeams } from "./plan/desired.ts";
import { after, type Look, type TeamPlan, type View } from "./plan/team.ts";

/** No group of a team could be read, so that nothing was done with it. */
export class UnreadError extends Error {
  readonly sources: DesiredTeam["sources"];

  constructor({ sources }: DesiredTeam) {
    super("none of the team's groups could be read");
    this.name = "UnreadError";
    this.sources = sources;
  }
}

/** What looking needs. */
export interface LookOptions {
  readonly groups: Groups;
  readonly grafana: GrafanaReads;
  readonly known: Known;
  readonly memberStatuses: readonly OktaUserStatus[];
  readonly onReading?: OnReading | undefined;
}

/** @throws {UnreadError} if none of its groups could be read. */
export function requireRead(desired: DesiredTeam): DesiredTeam {
  if (desired.sources.every(({ reading }) => reading.kind === "failed")) throw new UnreadError(desired);
  return desired;
}

function mappingsOf({ sources }: DesiredTeam) {
  return sources.map(({ mapping }) => mapping);
}

/** The same team by other readings of its groups. */
function desiredAgain(
  team: DesiredTeam,
  readings: GroupReadings,
  { memberStatuses }: LookOptions,
): DesiredTeam {
  const [desired] = desiredTeams(mappingsOf(team), readings, memberStatuses);
  return desired ?? team;
}

async function readTeamNow(name: string, { grafana, onReading }: LookOptions): Promise<Team> {
  return await readTeam(name, await grafana.findTeam(name), grafana, onReading);
}

/**
 * Takes the look that a plan lacks.
 *
 * @throws {UnreadError} if none of the team's groups could be read.
 * @throws {RequestError} if the team could not be read.
 */
export async function takeLook(look: Look, view: View, plan: TeamPlan, options: LookOptions): Promise<View> {
  const { groups, known } = options;
  const [first] = view.looks;
  const mappings = mappingsOf(first);
  switch (look) {
    case "groups": {
      // What is skipped is not asked for here either.
      const current = groups.readings(mappings, known);
      await groups.read(mappings.filter((mapping) => current.get(keyOfGroup(mapping))?.kind !== "failed"));
      return after.groups(view, requireRead(desiredAgain(first, groups.readings(mappings, known), options)));
    }
    case "groups again":
      return after.groupsAgain(view, desiredAgain(first, await groups.readAgain(mappings), options));
    case "team again":
      return after.teamAgain(view, plan, await readTeamNow(first.name, options));
  }
}

/**
 * Looks at everything anew, after what was seen has become old. Grafana first: if it asked to wait, reading waits.
 *
 * @throws {UnreadError} if none of the team's groups could be read.
 * @throws {RequestError} if the team could not be read.
 */
export async function lookAnew({ looks: [first], people }: View, options: LookOptions): Promise<View> {
  const team = await readTeamNow(first.name, options);
  const { groups, known } = options;
  const mappings = mappingsOf(first);
  const current = groups.readings(mappings, known);
  const readable = mappings.filter((mapping) => current.get(keyOfGroup(mapping))?.kind !== "failed");
  // If they cannot be read any more, what was read before counts no longer.
  groups.forget(readable);
  await groups.read(readable);
  const readings = groups.readings(mappings, known);
  return { looks: [requireRead(desiredAgain(first, readings, options))], team, people };
}
