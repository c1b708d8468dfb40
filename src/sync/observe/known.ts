/** What earlier cycles saw, so that a cycle asks only for what has changed since. Pure. */
import type { Mapping } from "../../config/schema.ts";
import type { GrafanaTeam } from "../../grafana/schema.ts";
import type { Changes } from "../../okta/changes.ts";
import type { OktaUser } from "../../okta/schema.ts";
import { type Group, type GroupReadings, keyOfGroup, type Reading } from "./world.ts";

/** A group that was read to its end, and the records of its members that have changed since. */
interface KnownGroup {
  readonly group: Group;
  /** By Okta id. Apart from the group, so that a large group is not copied for one person. */
  readonly changed: ReadonlyMap<string, OktaUser>;
}

/** A team that was compared, as Grafana shows it until somebody changes it. */
export interface KnownTeam {
  /** `undefined` if it does not exist; only a dry run leaves it so. */
  readonly id: number | undefined;
  readonly memberCount: number;
  /** Members of its groups that Grafana did not know. */
  readonly pending: readonly OktaUser[];
}

/** What is known. A group or a team that is not in it has to be read. */
export interface Known {
  /** When the last full cycle began, on our monotonic clock in milliseconds. */
  readonly fullAt: number;
  /** Okta's time up to which every change of these groups is known; `undefined` if Okta did not tell it. */
  readonly oktaTime: number | undefined;
  /** How many users the organisation had when they were last read. */
  readonly userCount: number;
  /** By {@linkcode keyOfGroup}. */
  readonly groups: ReadonlyMap<string, KnownGroup>;
  /** By name. */
  readonly teams: ReadonlyMap<string, KnownTeam>;
}

/** Nothing is known: everything has to be read. `fullAt` is in milliseconds on the monotonic clock. */
export function knowNothing(fullAt: number): Known {
  return { fullAt, oktaTime: undefined, userCount: 0, groups: new Map(), teams: new Map() };
}

/** The group as it is known; `undefined` if it is not. */
export function remembered({ groups }: Known, key: string): Reading<Group> | undefined {
  const known = groups.get(key);
  if (!known) return undefined;
  const { group, changed } = known;
  if (changed.size === 0) return { kind: "remembered", value: group };
  return {
    kind: "remembered",
    value: { ...group, users: group.users.map((user) => changed.get(user.id) ?? user) },
  };
}

/**
 * Adds what was read. A known group stays as it is, even if reading it again shows something else: its teams were
 * compared with what is known, and the next cycle hears of what has changed since.
 */
export function withGroups(known: Known, read: GroupReadings): Known {
  const groups = new Map(known.groups);
  for (const [key, reading] of read) {
    if (reading.kind !== "fresh" || groups.has(key)) continue;
    groups.set(key, { group: reading.value, changed: new Map() });
  }
  return { ...known, groups };
}

/** Whether a user's record differs in what any team depends on. */
function differs(a: OktaUser, b: OktaUser): boolean {
  return a.status !== b.status || a.profile.email !== b.profile.email || a.profile.login !== b.profile.login;
}

/** The group with the new records of its members; the same group if nothing about them matters. */
function withRecords(known: KnownGroup, records: ReadonlyMap<string, OktaUser>): KnownGroup {
  const changed = new Map<string, OktaUser>();
  for (const member of known.group.users) {
    const record = records.get(member.id);
    if (record && differs(known.changed.get(member.id) ?? member, record)) changed.set(member.id, record);
  }
  return changed.size === 0 ? known : { ...known, changed: new Map([...known.changed, ...changed]) };
}

/** The keys of the groups that Okta reports as changed, or whose name another group has taken. */
function changedKeys(
  { groups }: Known,
  changes: Changes["groups"],
  mappings: readonly Mapping[],
): Set<string> {
  const ids = new Set(changes.map(({ id }) => id));
  const names = new Set(changes.map(({ profile }) => profile.name));
  const changed = mappings.filter((mapping) => {
    const id = groups.get(keyOfGroup(mapping))?.group.id ?? mapping.okta_group_id;
    const isNamed = mapping.okta_group_id === undefined && names.has(mapping.okta_group);
    return isNamed || id !== undefined && ids.has(id);
  });
  return new Set(changed.map(keyOfGroup));
}

/**
 * Takes in what changed in Okta. A group that changed is not known any more; a user's new record is put into their
 * groups; and no team of these groups is known any more.
 */
export function afterOktaChanges(
  known: Known,
  changes: Pick<Changes, "groups" | "users">,
  mappings: readonly Mapping[],
): Known {
  const changed = changedKeys(known, changes.groups, mappings);
  const records = new Map(changes.users.map((user) => [user.id, user]));
  const groups = new Map<string, KnownGroup>();
  for (const [key, before] of known.groups) {
    if (changed.has(key)) continue;
    const after = records.size === 0 ? before : withRecords(before, records);
    groups.set(key, after);
    if (after !== before) changed.add(key);
  }
  const stale = new Set(
    mappings.filter((mapping) => changed.has(keyOfGroup(mapping))).map(({ grafana_team }) => grafana_team),
  );
  return { ...known, groups, teams: withoutTeams(known.teams, (name) => stale.has(name)) };
}

/** Takes in how Grafana lists its teams: a team that is not as we left it is not known any more. */
export function afterTeamChanges(known: Known, listed: ReadonlyMap<string, GrafanaTeam>): Known {
  const isStale = (name: string, { id, memberCount }: KnownTeam) => {
    const shown = listed.get(name);
    return shown?.id !== id || (shown?.memberCount ?? 0) !== memberCount || shown?.isProvisioned === true;
  };
  return { ...known, teams: withoutTeams(known.teams, isStale) };
}

/** The teams of which `isStale` is not true. */
export function withoutTeams(
  teams: Known["teams"],
  isStale: (name: string, team: KnownTeam) => boolean,
): Known["teams"] {
  return new Map([...teams].filter(([name, team]) => !isStale(name, team)));
}
