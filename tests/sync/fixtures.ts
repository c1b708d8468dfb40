/** Plain data for the tests of the pure part: people, mappings, readings. */
import type { OktaUserStatus } from "../../src/config/schema.ts";
import { DEFAULT_MEMBER_STATUSES } from "../../src/config/schema.ts";
import type { OrgUser, TeamMember } from "../../src/grafana/schema.ts";
import type { OktaUser } from "../../src/okta/schema.ts";
import {
  type Group,
  type GroupReadings,
  type People,
  peopleOf,
  type Reading,
  type Team,
} from "../../src/sync/observe/world.ts";
import { type Action, type Change, type Hold, ofKind } from "../../src/sync/plan/actions.ts";
import { compare } from "../../src/sync/plan/compare.ts";
import { type DesiredTeam, desiredTeams } from "../../src/sync/plan/desired.ts";
import { mapping } from "../support.ts";

/** An Okta user whose login is the email, unless another is given. */
export function oktaUser(
  email: string,
  { id = `00u-${email}`, login = email, status = "ACTIVE" }: {
    id?: string;
    login?: string;
    status?: OktaUserStatus;
  } = {},
): OktaUser {
  return { id, status, profile: { login, email } };
}

export { mapping };

/** A reading that reached the group's last page. */
export function complete(...users: readonly OktaUser[]): Reading<Group> {
  return { kind: "fresh", value: { id: "00g", profile: { name: "G" }, users }, seconds: 0, at: 0 };
}

/** A reading that was cut short. */
export const failed: Reading<Group> = {
  kind: "failed",
  error: new Error("aborted"),
  seconds: 0,
  isSkipped: false,
};

/** A user of the organisation whose login is the email, unless another is given. */
export function orgUser(userId: number, email: string, login = email): OrgUser {
  return { userId, email, login, orgId: 1 };
}

/** Team 7 with these members. */
export function teamOf(...users: readonly OrgUser[]): Team {
  const members = users.map(({ userId, email, login }): TeamMember => ({
    userId,
    email,
    login,
    permission: 0,
  }));
  return { id: 7, memberCount: members.length, members };
}

/** The organisation of these users. */
export function organisationOf(...users: readonly OrgUser[]): People {
  return peopleOf(users);
}

/** Readings by the group's name. */
export function readingsOf(groups: Readonly<Record<string, Reading<Group>>>): GroupReadings {
  return new Map(Object.entries(groups).map(([name, reading]) => [`name ${name}`, reading]));
}

/** The one team that these groups feed, in their order, by mappings that allow nothing special. */
export function desiredFrom(groups: Readonly<Record<string, Reading<Group>>>, team = "Team"): DesiredTeam {
  const mappings = Object.keys(groups).map((group) => mapping(group, team));
  const [desired] = desiredTeams(mappings, readingsOf(groups), DEFAULT_MEMBER_STATUSES);
  if (!desired) throw new TypeError("no group, no team");
  return desired;
}

/** Changes as `+ address`, `- address`, in their order. */
export function signs(changes: readonly Change[]): string[] {
  return changes.map(({ kind, address }) => `${kind === "add" ? "+" : "-"} ${address}`);
}

/** Names that nobody else in a test has: `p1@example.com` and so on, from `first` to `last`. */
export function emails(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `p${first + i}@example.com`);
}

/** Actions and holds by their kind. */
export function byKind(actions: readonly Action[], holds: readonly Hold[]) {
  const [onHold] = ofKind(holds, "on_hold");
  return {
    additions: ofKind(actions, "add"),
    removals: ofKind(actions, "remove"),
    pending: ofKind(holds, "pending").map(({ member }) => member),
    ambiguous: ofKind(holds, "ambiguous"),
    kept: ofKind(holds, "kept"),
    onHold,
  };
}

/** How a team differs from what its groups say, before anything keeps or holds. */
export function differenceOf(desired: DesiredTeam, team: Team, people: People) {
  const { additions, removals, unresolved, identities } = compare(desired, team, people);
  const { pending, ambiguous } = byKind([], unresolved);
  return { additions, removals, pending, ambiguous, identities };
}
