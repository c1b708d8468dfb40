/** What is looked at: everything that a cycle needs before it plans, and for one team what its plan lacks. */
import type { Mapping, OktaUserStatus } from "../config/schema.ts";
import type { GrafanaReads } from "../grafana/client.ts";
import { allOrFirstError } from "../http/side_by_side.ts";
import type { Scope } from "./observe/changes.ts";
import type { Groups, ReadGroups } from "./observe/groups.ts";
import { type OnReading, readPeople, unreadable } from "./observe/people.ts";
import { readTeam } from "./observe/team.ts";
import type { GroupReadings, People, Team } from "./observe/world.ts";
import { type DesiredTeam, desiredTeams } from "./plan/desired.ts";
import { isUnknown } from "./plan/join.ts";
import { leavingBy, type Look, type TeamPlan, type View } from "./plan/team.ts";

/** What looking needs. */
export interface LookOptions {
  readonly groups: Groups;
  readonly grafana: GrafanaReads;
  readonly memberStatuses: readonly OktaUserStatus[];
  readonly onReading?: OnReading | undefined;
}

/** What is seen before anything is planned. */
export interface Seen {
  /** Grafana's people, or why they were not read. */
  readonly people: People | Error;
  /** Grafana's teams by name, or why they could not be read. */
  readonly teams: Scope["teams"];
  /** The groups that were read for it. */
  readonly read: ReadGroups;
  /** The teams that have a mapping to sync, in the order of the configuration. */
  readonly desired: readonly DesiredTeam[];
}

const NOTHING_READ: ReadGroups = { readings: new Map(), at: undefined };

/** Reads the people of Grafana and the groups that are not known, side by side. */
async function readBoth(
  due: readonly Mapping[],
  { teams, people }: Scope,
  { groups, grafana, onReading }: LookOptions,
): Promise<Omit<Seen, "desired">> {
  if (due.length === 0) return { teams, people: new Error("no mapping is due"), read: NOTHING_READ };
  if (teams instanceof Error) {
    groups.skip(due, teams);
    return { teams, people: teams, read: NOTHING_READ };
  }
  const [everybody, read] = await allOrFirstError([
    people ?? readPeople(grafana, onReading).catch(unreadable("the users of Grafana")),
    groups.readUnknown(due),
  ]);
  return { teams, people: everybody, read };
}

/**
 * Reads what the mappings that are due need. Nobody is brought in from memory: a group with a stranger is read, even if
 * it is known.
 *
 * @param mappings All of the configuration.
 * @throws {RequestError} of the kind `interrupted`; every other failure is in what is seen.
 */
export async function see(
  due: readonly Mapping[],
  mappings: readonly Mapping[],
  scope: Scope,
  look: LookOptions,
): Promise<Seen> {
  const { groups, memberStatuses } = look;
  const both = await readBoth(due, scope, look);
  const { people } = both;
  const names = new Set(due.map(({ grafana_team }) => grafana_team));
  const own = mappings.filter(({ grafana_team }) => names.has(grafana_team));
  const desired = desiredTeams(own, groups.readings(own), memberStatuses);
  if (people instanceof Error) return { ...both, desired };
  const unproven = desired.flatMap(({ sources }) =>
    sources.filter(({ reading, members }) =>
      reading.kind === "remembered" && members.some((user) => isUnknown({ user }, people))
    )
  );
  if (unproven.length === 0) return { ...both, desired };
  await groups.read(unproven.map(({ mapping }) => mapping));
  return { ...both, desired: desiredTeams(own, groups.readings(own), memberStatuses) };
}

/** No group of a team could be read, so that nothing was done with it. */
export class UnreadError extends Error {
  readonly sources: DesiredTeam["sources"];

  constructor({ sources }: DesiredTeam) {
    super("none of the team's groups could be read");
    this.name = "UnreadError";
    this.sources = sources;
  }
}

/** @throws {UnreadError} if none of its groups could be read. */
export function requireRead(desired: DesiredTeam): DesiredTeam {
  if (desired.sources.every(({ reading }) => reading.kind === "failed")) throw new UnreadError(desired);
  return desired;
}

function mappingsOf({ sources }: DesiredTeam): Mapping[] {
  return sources.map(({ mapping }) => mapping);
}

/** The same team by other readings of its groups. */
function desiredBy(readings: GroupReadings, team: DesiredTeam, { memberStatuses }: LookOptions): DesiredTeam {
  const [desired] = desiredTeams(mappingsOf(team), readings, memberStatuses);
  return desired ?? team;
}

/** The same team by its groups as they were read by now. */
function lookAtGroups(team: DesiredTeam, look: LookOptions): DesiredTeam {
  return requireRead(desiredBy(look.groups.readings(mappingsOf(team)), team, look));
}

async function lookAtTeam(name: string, { grafana, onReading }: LookOptions): Promise<Team> {
  return await readTeam(name, await grafana.findTeam(name), grafana, onReading);
}

/**
 * Takes the look that a plan lacks. What was seen after what is looked at now has to be looked at again.
 *
 * @throws {UnreadError} if none of the team's groups could be read.
 * @throws {RequestError} if the team could not be read.
 */
export async function takeLook(missing: Look, view: View, plan: TeamPlan, look: LookOptions): Promise<View> {
  const { looks: [first], team, people } = view;
  switch (missing) {
    case "groups":
      // What is skipped is not asked for here either.
      await look.groups.readUnlessFailed(mappingsOf(first));
      return { looks: [lookAtGroups(first, look)], team, people, hasLooked: true };
    case "groups again": {
      const second = desiredBy(await look.groups.readAgain(mappingsOf(first)), first, look);
      return { looks: [first, second], team, people, hasLooked: true };
    }
    case "team again":
      return { ...view, team: await lookAtTeam(first.name, look), removable: leavingBy(plan) };
  }
}

/**
 * Looks at everything anew, after what was seen has become old. Grafana first: if it asked to wait, reading waits.
 *
 * @throws {UnreadError} if none of the team's groups could be read.
 * @throws {RequestError} if the team could not be read.
 */
export async function lookAnew({ looks: [first], people }: View, look: LookOptions): Promise<View> {
  const team = await lookAtTeam(first.name, look);
  await look.groups.readAnewUnlessFailed(mappingsOf(first));
  return { looks: [lookAtGroups(first, look)], team, people };
}
