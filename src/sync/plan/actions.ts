/** What a plan consists of: what is to be done, and what is not, with the reason. */
import type { OrgRole } from "../../config/grafana.ts";
import type { NewUser } from "../../grafana/server.ts";
import type { GrafanaUser } from "../../grafana/schema.ts";
import type { DesiredMember, Source } from "./desired.ts";

/** The mapping that something counts on. */
export type CountedOn = Pick<Source, "key" | "mapping">;

/** What every action says of itself, for the audit. */
interface Stated {
  readonly source: CountedOn;
  /** Why, in words. */
  readonly why: string;
}

/** A change to the membership of a team. */
export interface Change<K extends "add" | "remove" = "add" | "remove"> extends Stated {
  readonly kind: K;
  readonly user: GrafanaUser;
  /** How the person is named: by email, or by login if they have none. */
  readonly address: string;
}

/** A team that does not exist yet. */
export interface CreateTeam extends Stated {
  readonly kind: "create_team";
  readonly team: string;
}

/** Our own account, which Grafana puts into a team that it creates with a password. */
export interface RemoveCreator extends Stated {
  readonly kind: "remove_creator";
  readonly userId: number;
  readonly address: string;
}

/** Somebody on the server who is not in the organisation. */
export interface JoinOrganisation extends Stated {
  readonly kind: "join_organisation";
  readonly member: DesiredMember;
  readonly address: string;
  readonly role: OrgRole;
}

/** Somebody who joined in another person's place. */
export interface LeaveOrganisation extends Stated {
  readonly kind: "leave_organisation";
  readonly member: DesiredMember;
  readonly user: GrafanaUser & { readonly orgId: number };
  readonly address: string;
}

/** Someone the server does not know. */
export interface CreateUser extends Stated {
  readonly kind: "create_user";
  readonly member: DesiredMember;
  readonly account: NewUser;
  readonly address: string;
}

/** The role of somebody who was created. */
export interface SetRole extends Stated {
  readonly kind: "set_role";
  readonly member: DesiredMember;
  readonly userId: number;
  readonly address: string;
  readonly role: OrgRole;
}

/** What is to be written to Grafana. A new kind of access is a new member of this union. */
export type Action =
  | Change<"add">
  | Change<"remove">
  | CreateTeam
  | RemoveCreator
  | JoinOrganisation
  | LeaveOrganisation
  | CreateUser
  | SetRole;

/** Why removals are on hold. */
export const HOLD_REASONS = ["incomplete-read", "empty-group", "removal-limit"] as const;

/** Why removals are on hold. */
export type HoldReason = (typeof HOLD_REASONS)[number];

/** Removals of one team that are not carried out, for safety. */
export interface OnHold {
  readonly kind: "on_hold";
  readonly reason: HoldReason;
  /** At least one. */
  readonly removals: readonly Change<"remove">[];
  /** Additions that would make the team so large that the next cycle finds the same removals below the limit. */
  readonly additions: readonly Change<"add">[];
  /** The groups that are the reason; none for the limit. */
  readonly groups: readonly string[];
  /** The reason in words, with what to do. */
  readonly explanation: string;
}

/** Why somebody in no mapped group stays. */
export type KeepReason = "add-only" | "protected" | "team-admin" | "renamed";

/** A removal that the configuration does not want. It is no failure. */
export interface Kept {
  readonly kind: "kept";
  readonly reason: KeepReason;
  readonly change: Change<"remove">;
}

/** Someone who belongs in the team but is not in this organisation yet. */
export interface Pending {
  readonly kind: "pending";
  readonly member: DesiredMember;
}

/** Somebody who belongs in the team and cannot be told apart. */
export interface Ambiguous {
  readonly kind: "ambiguous";
  readonly member: DesiredMember;
  readonly users: readonly GrafanaUser[];
}

/** What is not done, and why. */
export type Hold = OnHold | Kept | Pending | Ambiguous;

/** Those of one kind. */
export function ofKind<T extends { readonly kind: string }, K extends T["kind"]>(
  items: readonly T[],
  kind: K,
): Extract<T, { readonly kind: K }>[] {
  return items.filter((item): item is Extract<T, { readonly kind: K }> => item.kind === kind);
}

/** Groups in words: `Okta groups 'A', 'B'`. */
export function nameGroups(groups: readonly string[]): string {
  return `Okta group${groups.length > 1 ? "s" : ""} ${groups.map((group) => `'${group}'`).join(", ")}`;
}

/** Why somebody gets into a team, or for its sake into Grafana, in words. */
export function whyAdded({ groups }: Pick<DesiredMember, "groups">): string {
  return `in ${nameGroups(groups)}`;
}
