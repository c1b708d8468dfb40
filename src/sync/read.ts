/** Reads what a cycle needs before it plans, and later what the plan of one team lacks. */
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
import { leavingBy, type Proof, type TeamPlan, type View } from "./plan/team.ts";

/** What reading needs. */
export interface Readers {
  readonly groups: Groups;
  readonly grafana: GrafanaReads;
  readonly memberStatuses: readonly OktaUserStatus[];
  readonly onReading?: OnReading | undefined;
}

/** What is read before anything is planned. */
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
  { groups, grafana, onReading }: Readers,
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
 * @throws {RequestError} of the kind `interrupted`; every other failure is in the result.
 */
export async function see(
  due: readonly Mapping[],
  mappings: readonly Mapping[],
  scope: Scope,
  readers: Readers,
): Promise<Seen> {
  const { groups, memberStatuses } = readers;
  const both = await readBoth(due, scope, readers);
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

/** The same team, from other readings of its groups. */
function desiredBy(readings: GroupReadings, team: DesiredTeam, { memberStatuses }: Readers): DesiredTeam {
  const [desired] = desiredTeams(mappingsOf(team), readings, memberStatuses);
  return desired ?? team;
}

/** The same team, from the latest readings of its groups. */
function desiredNow(team: DesiredTeam, readers: Readers): DesiredTeam {
  return requireRead(desiredBy(readers.groups.readings(mappingsOf(team)), team, readers));
}

async function rereadTeam(name: string, { grafana, onReading }: Readers): Promise<Team> {
  return await readTeam(name, await grafana.findTeam(name), grafana, onReading);
}

/**
 * Reads what a plan lacks. Anything read after that in the usual order is stale then, and is dropped.
 *
 * @throws {UnreadError} if none of the team's groups could be read.
 * @throws {RequestError} if the team could not be read.
 */
export async function readMissing(
  missing: Proof,
  view: View,
  plan: TeamPlan,
  readers: Readers,
): Promise<View> {
  const { desired: [first], team, people } = view;
  switch (missing) {
    case "groups":
      // Skipped groups are not read here either.
      await readers.groups.readUnlessFailed(mappingsOf(first));
      return { desired: [desiredNow(first, readers)], team, people, hasReread: true };
    case "groups again": {
      const second = desiredBy(await readers.groups.readAgain(mappingsOf(first)), first, readers);
      return { desired: [first, second], team, people, hasReread: true };
    }
    case "team again":
      return { ...view, team: await rereadTeam(first.name, readers), removable: leavingBy(plan) };
  }
}

/**
 * Reads everything again once it is too old. Grafana comes first: if it asked us to wait, reading it waits.
 *
 * @throws {UnreadError} if none of the team's groups could be read.
 * @throws {RequestError} if the team could not be read.
 */
export async function readAnew({ desired: [first], people }: View, readers: Readers): Promise<View> {
  const team = await rereadTeam(first.name, readers);
  await readers.groups.readAnewUnlessFailed(mappingsOf(first));
  return { desired: [desiredNow(first, readers)], team, people };
}
