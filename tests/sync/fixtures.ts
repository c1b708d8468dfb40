/** Plain data for the tests of the pure part: people, mappings, readings. */
import type { OktaUserStatus } from "../../src/config/schema.ts";
import { DEFAULT_MEMBER_STATUSES } from "../../src/config/schema.ts";
import type { OrgUser, TeamMember } from "../../src/grafana/schema.ts";
import type { OktaUser } from "../../src/okta/schema.ts";
import {
  type DesiredTeam,
  foldDesired,
  type GroupReading,
  type GroupReadings,
} from "../../src/sync/desired.ts";
import { type Change, createOrganisation, type CurrentTeam, type Organisation } from "../../src/sync/plan.ts";
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
export function complete(...users: readonly OktaUser[]): GroupReading {
  return { kind: "complete", users, seconds: 0 };
}

/** A reading that broke off. */
export const failed: GroupReading = { kind: "failed", error: new Error("broken off"), seconds: 0 };

/** A user of the organisation whose login is the email, unless another is given. */
export function orgUser(userId: number, email: string, login = email): OrgUser {
  return { userId, email, login, orgId: 1 };
}

/** Team 7 with these members. */
export function teamOf(...users: readonly OrgUser[]): CurrentTeam {
  const members = users.map(({ userId, email, login }): TeamMember => ({
    userId,
    email,
    login,
    permission: 0,
  }));
  return { id: 7, memberCount: members.length, members };
}

/** The organisation of these users. */
export function organisationOf(...users: readonly OrgUser[]): Organisation {
  return createOrganisation(users);
}

/** Readings by the group's name. */
export function readingsOf(groups: Readonly<Record<string, GroupReading>>): GroupReadings {
  return new Map(Object.entries(groups).map(([name, reading]) => [`name ${name}`, reading]));
}

/** The one team that these groups feed, in their order, by mappings that allow nothing special. */
export function desiredFrom(groups: Readonly<Record<string, GroupReading>>, team = "Team"): DesiredTeam {
  const mappings = Object.keys(groups).map((group) => mapping(group, team));
  const [desired] = foldDesired(mappings, readingsOf(groups), DEFAULT_MEMBER_STATUSES);
  if (!desired) throw new TypeError("no group, no team");
  return desired;
}

/** Changes as `+ address`, `- address`, in their order. */
export function signs(changes: readonly Change[]): string[] {
  return changes.map(({ action, address }) => `${action === "add" ? "+" : "-"} ${address}`);
}

/** Names that nobody else in a test has: `p1@example.com` and so on, from `first` to `last`. */
export function emails(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `p${first + i}@example.com`);
}
