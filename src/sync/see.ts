/** What a cycle sees before it plans: Grafana's people, and what each team should be by its groups. */
import type { Mapping } from "../config/schema.ts";
import { allOrFirstError } from "../http/side_by_side.ts";
import type { LookOptions } from "./look.ts";
import type { Scope } from "./observe/changes.ts";
import type { ReadGroups } from "./observe/groups.ts";
import { readPeople, unreadable } from "./observe/people.ts";
import { keyOfGroup, type People } from "./observe/world.ts";
import { type DesiredTeam, desiredTeams } from "./plan/desired.ts";
import { isUnknown } from "./plan/join.ts";

/** What is seen. */
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

/** Reads the people of Grafana and the groups that are not known, side by side. */
async function readBoth(
  due: readonly Mapping[],
  { teams, people }: Scope,
  { groups, grafana, known, onReading }: LookOptions,
): Promise<Omit<Seen, "desired">> {
  if (due.length === 0) {
    return { teams, people: new Error("no mapping is due"), read: { readings: new Map(), at: undefined } };
  }
  if (teams instanceof Error) {
    groups.skip(due, teams);
    return { teams, people: teams, read: { readings: new Map(), at: undefined } };
  }
  const [everybody, read] = await allOrFirstError([
    people ?? readPeople(grafana, onReading).catch(unreadable("the users of Grafana")),
    groups.read(due.filter((mapping) => !known.groups.has(keyOfGroup(mapping)))),
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
  const { groups, known, memberStatuses } = look;
  const both = await readBoth(due, scope, look);
  const { people } = both;
  const names = new Set(due.map(({ grafana_team }) => grafana_team));
  const own = mappings.filter(({ grafana_team }) => names.has(grafana_team));
  const desired = desiredTeams(own, groups.readings(own, known), memberStatuses);
  if (people instanceof Error) return { ...both, desired };
  const remembered = desired.flatMap(({ sources }) =>
    sources.filter(({ reading }) => reading.kind === "remembered")
  );
  const unproven = remembered.filter(({ members }) => members.some((user) => isUnknown({ user }, people)));
  if (unproven.length === 0) return { ...both, desired };
  await groups.read(unproven.map(({ mapping }) => mapping));
  return { ...both, desired: desiredTeams(own, groups.readings(own, known), memberStatuses) };
}
