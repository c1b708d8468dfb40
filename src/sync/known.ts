/** What is known from earlier cycles, so that a cycle asks only for what changed since. Pure: no fetch, no clock, no log. */
import type { Mapping } from "../config/schema.ts";
import type { GrafanaTeam } from "../grafana/schema.ts";
import type { OktaGroup, OktaUser } from "../okta/schema.ts";
import { type DesiredMember, type GroupReading, keyOfGroup, type ReadGroup } from "./desired.ts";
import type { MappingReport } from "./report.ts";

/** A group that was read to its last page, with the changes of its members since. */
interface KnownGroup {
  readonly group: OktaGroup;
  /** By id. */
  readonly users: Map<string, OktaUser>;
}

/** A team that was compared, and left as Grafana is to show it until somebody changes it. */
export interface KnownTeam {
  /** `undefined` if there is none, which only a dry run leaves so. */
  readonly id: number | undefined;
  readonly memberCount: number;
  /** Of the mappings that were synced without an error. */
  readonly reports: readonly MappingReport[];
  /** Members of its groups whom Grafana did not know. */
  readonly pending: readonly DesiredMember[];
}

/** What is known. A group or a team that is not in it has to be read. */
export interface Known {
  /** When the last full cycle began, by our monotonic clock in milliseconds. */
  readonly fullAt: number;
  /** Okta's time up to which every change of the groups here is known; `undefined` if it is not known. */
  oktaTime: number | undefined;
  /** How many users the organisation had when they were last read. */
  userCount: number;
  /** By {@linkcode keyOfGroup}. */
  readonly groups: Map<string, KnownGroup>;
  /** By name. */
  readonly teams: Map<string, KnownTeam>;
}

/** Knows nothing: everything has to be read. `fullAt` is in milliseconds of the monotonic clock. */
export function knowNothing(fullAt: number): Known {
  return { fullAt, oktaTime: undefined, userCount: 0, groups: new Map(), teams: new Map() };
}

/**
 * Remembers what was read. A group that is known stays as it is, whatever reading it once more brings: its teams were
 * compared by what is known, and the next cycle hears of what has changed since.
 */
export function rememberGroups({ groups }: Known, read: ReadonlyMap<string, ReadGroup>): void {
  for (const [key, { group, reading }] of read) {
    if (!group || reading.kind !== "complete" || groups.has(key)) continue;
    groups.set(key, { group, users: new Map(reading.users.map((user) => [user.id, user])) });
  }
}

/** The reading of a group as it is known; `undefined` if it is not. It proves nothing about who is gone. */
export function remembered({ groups }: Known, key: string): GroupReading | undefined {
  const known = groups.get(key);
  return known && { kind: "complete", users: [...known.users.values()], seconds: 0, isRemembered: true };
}

/** Whether a user's record says something else than before, for any team. */
function differs(a: OktaUser, b: OktaUser): boolean {
  return a.status !== b.status || a.profile.email !== b.profile.email || a.profile.login !== b.profile.login;
}

/**
 * Takes in what changed in Okta. A group with other members or another name is not known any more, and neither is
 * one whose name another group has by now. A user's new record is put into their groups. No team of these groups is
 * known any more.
 */
export function noteOktaChanges(
  { groups, teams }: Known,
  changes: { readonly groups: readonly OktaGroup[]; readonly users: readonly OktaUser[] },
  mappings: readonly Mapping[],
): void {
  const ids = new Set(changes.groups.map(({ id }) => id));
  const names = new Set(changes.groups.map(({ profile }) => profile.name));
  const changed = new Set<string>();
  for (const mapping of mappings) {
    const key = keyOfGroup(mapping);
    const id = groups.get(key)?.group.id ?? mapping.okta_group_id;
    const isNamed = mapping.okta_group_id === undefined && names.has(mapping.okta_group);
    if (isNamed || id !== undefined && ids.has(id)) {
      groups.delete(key);
      changed.add(key);
    }
  }
  for (const user of changes.users) {
    for (const [key, { users }] of groups) {
      const before = users.get(user.id);
      if (!before || !differs(before, user)) continue;
      users.set(user.id, user);
      changed.add(key);
    }
  }
  for (const mapping of mappings) {
    if (changed.has(keyOfGroup(mapping))) teams.delete(mapping.grafana_team);
  }
}

/** Takes in how Grafana shows the teams: one that is not as we left it is not known any more. */
export function noteTeams({ teams }: Known, listed: ReadonlyMap<string, GrafanaTeam>): void {
  for (const [name, { id, memberCount }] of teams) {
    const shown = listed.get(name);
    const isAsLeft = shown?.id === id && (shown?.memberCount ?? 0) === memberCount && !shown?.isProvisioned;
    if (!isAsLeft) teams.delete(name);
  }
}
