/** From Okta's groups to the membership that each team should have. */
import type { Mapping, OktaUserStatus } from "../../config/schema.ts";
import type { OktaUser } from "../../okta/schema.ts";
import { type Group, type GroupReadings, keyOfGroup, type Reading } from "../observe/world.ts";

/** The key of a mapping: no two mappings have the same one. */
export function keyOfMapping({ okta_group, okta_group_id, grafana_team }: Mapping): string {
  return JSON.stringify([okta_group, okta_group_id, grafana_team]);
}

/** A mapping and what its group holds. */
export interface Source {
  /** {@linkcode keyOfMapping}. */
  readonly key: string;
  readonly mapping: Mapping;
  readonly reading: Reading<Group>;
  /** Those of the group whose status makes them members. */
  readonly members: readonly OktaUser[];
}

/** Somebody who belongs in a team. */
export interface DesiredMember {
  readonly user: OktaUser;
  /** The first mapping whose group holds them; their changes count there. */
  readonly source: Pick<Source, "key" | "mapping">;
  /** Every group of the team that holds them. */
  readonly groups: readonly string[];
}

/** Who belongs in one team: the union of the groups that feed it. */
export interface DesiredTeam {
  readonly name: string;
  /** In the order of the configuration; at least one. */
  readonly sources: readonly [Source, ...Source[]];
  readonly members: readonly DesiredMember[];
  /** Those in the groups whose status does not make them members; they explain removals. */
  readonly excluded: readonly OktaUser[];
}

function sourceOf(mapping: Mapping, readings: GroupReadings, statuses: readonly OktaUserStatus[]): Source {
  const reading = readings.get(keyOfGroup(mapping)) ??
    { kind: "failed", error: new Error("the group was not read"), seconds: 0, isSkipped: true };
  const users = reading.kind === "failed" ? [] : reading.value.users;
  const members = users.filter(({ status }) => statuses.includes(status));
  return { key: keyOfMapping(mapping), mapping, reading, members };
}

function desiredTeam(name: string, sources: DesiredTeam["sources"]): DesiredTeam {
  const members = new Map<string, { user: OktaUser; source: DesiredMember["source"]; groups: string[] }>();
  const excluded = new Map<string, OktaUser>();
  for (const source of sources) {
    const { key, mapping } = source;
    const group = mapping.okta_group;
    for (const user of source.members) {
      const known = members.get(user.id);
      if (known) known.groups.push(group);
      else members.set(user.id, { user, source: { key, mapping }, groups: [group] });
    }
    if (source.reading.kind === "failed") continue;
    for (const user of source.reading.value.users) excluded.set(user.id, user);
  }
  for (const id of members.keys()) excluded.delete(id);
  return { name, sources, members: [...members.values()], excluded: [...excluded.values()] };
}

/** The membership that each team of these mappings should have, in the order in which the configuration names the teams. */
export function desiredTeams(
  mappings: readonly Mapping[],
  readings: GroupReadings,
  memberStatuses: readonly OktaUserStatus[],
): DesiredTeam[] {
  const byTeam = Map.groupBy(mappings, ({ grafana_team }) => grafana_team);
  return Array.from(byTeam, ([name, [first, ...others]]) => {
    if (!first) throw new TypeError(`team '${name}' has no mapping`);
    const source = (mapping: Mapping) => sourceOf(mapping, readings, memberStatuses);
    return desiredTeam(name, [source(first), ...others.map(source)]);
  });
}
