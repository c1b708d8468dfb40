/** From Okta's groups to one desired membership per team. */
import type { Mapping, OktaUserStatus } from "../config/schema.ts";
import type { OktaGroup, OktaUser } from "../okta/schema.ts";

/** What was read is good for so long, in milliseconds: what is written later rests on another reading. */
export const MOST_AGE_MS = 30_000;

/** What reading an Okta group brought. Only a `complete` reading of this cycle proves that somebody is not in it. */
export type GroupReading =
  | {
    readonly kind: "complete";
    readonly users: readonly OktaUser[];
    readonly seconds: number;
    /** It is of an earlier cycle, with the changes that are known since. */
    readonly isRemembered?: boolean;
    /** Why members may be missing from it, in words: it proves nobody's absence. */
    readonly unproven?: string | undefined;
    /** Whether its last page was full: the next one may have been lost. */
    readonly endsFull?: boolean;
    /** When it came to its end, by the monotonic clock in milliseconds. @default {just now} */
    readonly at?: number;
  }
  | {
    readonly kind: "failed";
    readonly error: unknown;
    readonly seconds: number;
    /** Okta was not asked for this group: it was down, or the group is passed over. */
    readonly notAsked?: boolean;
  };

/** A reading, and the group that was read. */
export interface ReadGroup {
  readonly reading: GroupReading;
  /** `undefined` if it was not found. */
  readonly group: OktaGroup | undefined;
}

/** Readings by {@linkcode keyOfGroup}. */
export type GroupReadings = ReadonlyMap<string, GroupReading>;

/** What finds a mapping's group: two mappings with the same key read the same group. */
export function keyOfGroup({ okta_group, okta_group_id }: Mapping): string {
  return okta_group_id ? `id ${okta_group_id}` : `name ${okta_group}`;
}

/** A mapping and what its group holds. */
export interface Source {
  readonly mapping: Mapping;
  readonly reading: GroupReading;
  /** Members whose status counts. */
  readonly members: readonly OktaUser[];
}

/** Somebody who belongs into a team. */
export interface DesiredMember {
  readonly user: OktaUser;
  /** The first mapping whose group holds them; they are counted there. */
  readonly mapping: Mapping;
  /** Every group of the team that holds them. */
  readonly groups: readonly string[];
}

/** Who belongs into one team: the union of the groups that feed it. */
export interface DesiredTeam {
  readonly name: string;
  /** In the order of the configuration; one at least. */
  readonly sources: readonly Source[];
  readonly members: readonly DesiredMember[];
  /** Members of the groups whose status does not count; they explain removals. */
  readonly excluded: readonly OktaUser[];
}

function foldTeam(name: string, sources: readonly Source[]): DesiredTeam {
  const members = new Map<string, { user: OktaUser; mapping: Mapping; groups: string[] }>();
  const excluded = new Map<string, OktaUser>();
  for (const { mapping, reading, members: counting } of sources) {
    for (const user of counting) {
      const known = members.get(user.id);
      if (known) known.groups.push(mapping.okta_group);
      else members.set(user.id, { user, mapping, groups: [mapping.okta_group] });
    }
    if (reading.kind !== "complete") continue;
    for (const user of reading.users) excluded.set(user.id, user);
  }
  for (const id of members.keys()) excluded.delete(id);
  return { name, sources, members: [...members.values()], excluded: [...excluded.values()] };
}

/** Whether a group was read to its end, with nobody missing. */
export function isWhole({ reading }: Source): boolean {
  return reading.kind === "complete" && reading.unproven === undefined;
}

/** Whether a group was not read in this cycle: it may have been deleted since, and so may its members. */
export function isRemembered({ reading }: Source): boolean {
  return reading.kind === "complete" && reading.isRemembered === true;
}

/** Whether a reading still says who belongs: somebody may be added on the strength of it. */
export function isCurrent(reading: GroupReading, nowMs: number): boolean {
  if (reading.kind === "failed") return true;
  return !reading.isRemembered && nowMs - (reading.at ?? nowMs) <= MOST_AGE_MS;
}

/** Folds the readings into the desired membership of each team, in the order in which the configuration names them. */
export function foldDesired(
  mappings: readonly Mapping[],
  readings: GroupReadings,
  memberStatuses: readonly OktaUserStatus[],
): DesiredTeam[] {
  const teams = new Map<string, Source[]>();
  for (const mapping of mappings) {
    const reading = readings.get(keyOfGroup(mapping)) ??
      { kind: "failed", error: new Error("the group was not read"), seconds: 0 };
    const members = reading.kind === "complete"
      ? reading.users.filter((user) => memberStatuses.includes(user.status))
      : [];
    const sources = teams.get(mapping.grafana_team) ?? [];
    sources.push({ mapping, reading, members });
    teams.set(mapping.grafana_team, sources);
  }
  return Array.from(teams, ([name, sources]) => foldTeam(name, sources));
}
