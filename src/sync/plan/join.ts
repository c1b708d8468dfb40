/** Who joins Grafana's organisation: group members who are not in it yet. */
import type { OrgRole } from "../../config/grafana.ts";
import { addressOf, emailOf, isAccountOf } from "../../grafana/directory.ts";
import type { People } from "../observe/world.ts";
import { type CreateUser, type JoinOrganisation, type LeaveOrganisation, whyAdded } from "./actions.ts";
import type { DesiredMember } from "./desired.ts";

/** Somebody by Grafana's id, and who of Okta they should be. */
interface Arrival {
  readonly userId: number;
  readonly member: DesiredMember;
}

/** How far bringing one person in has come. */
export interface Joining {
  /** Not tried again before this time, in milliseconds on the monotonic clock. */
  readonly tryAgainAt?: number | undefined;
  /** Why it failed. It counts as an error until it is tried again. */
  readonly failure?: Failure | undefined;
  /** The server did not know them when it was asked last. */
  readonly isAbsent?: boolean | undefined;
  /** They were added, and it is still to be seen who came. */
  readonly unconfirmed?: Arrival | undefined;
  /** Their account was created, and does not have its role yet. */
  readonly created?: Arrival | undefined;
  /** This email of theirs is somebody else's login in Grafana: it is not tried again. */
  readonly strangersLogin?: string | undefined;
  /** They came into the organisation by us, and were seen there. Grafana's id. */
  readonly joinedAs?: number | undefined;
  /** It was said that they left the organisation again. */
  readonly hasLeft?: boolean | undefined;
  /** What is said of them while they are pending: what a dry run would do, or that they left. */
  readonly outlook?: string | undefined;
}

/** Why somebody could not be brought in, and what it was. */
export interface Failure {
  readonly action: JoinOrganisation | CreateUser;
  /** In words: an error would keep alive whatever its stack has seen. */
  readonly message: string;
}

/** How far bringing people in has come, by Okta id. */
export type Joins = ReadonlyMap<string, Joining>;

/** The same of a cycle under way. */
export type Records = Map<string, Joining>;

/** Takes in what is known of bringing somebody in by now. */
export function note(records: Records, { user }: DesiredMember, changes: Joining): void {
  records.set(user.id, { ...records.get(user.id), ...changes });
}

/** What the plan of joining rests on. */
export interface JoinView {
  readonly members: readonly DesiredMember[];
  readonly people: People;
  readonly joins: Joins;
  /** On the monotonic clock, in milliseconds. */
  readonly now: number;
}

/** Whether the organisation does not know a member. */
export function isUnknown(
  { user: { profile } }: Pick<DesiredMember, "user">,
  { directory }: People,
): boolean {
  return directory.match(profile).kind === "unknown";
}

/** The action that brings a member in, with the role they get. */
export function joinAction(member: DesiredMember, role: OrgRole): JoinOrganisation {
  const { source, user: { profile } } = member;
  return {
    kind: "join_organisation",
    member,
    address: emailOf(profile),
    role,
    source,
    why: whyAdded(member),
  };
}

/** Who has left the organisation since we added them, and is not known there under another account. */
export function findDepartures({ members, people, joins }: Omit<JoinView, "now">): DesiredMember[] {
  return members.filter((member) => {
    const { joinedAs } = joins.get(member.user.id) ?? {};
    return joinedAs !== undefined && !people.byId.has(joinedAs) && isUnknown(member, people);
  });
}

/** Who is to be added to the organisation now, and who failed before and has to wait. */
export function planJoins({ members, people, joins, now }: JoinView) {
  const due = new Map<string, JoinOrganisation>();
  const waiting = new Map<string, Failure>();
  for (const member of members) {
    const { id, profile } = member.user;
    const email = emailOf(profile);
    if (email === "" || due.has(id) || !isUnknown(member, people)) continue;
    const { tryAgainAt = now, strangersLogin, failure } = joins.get(id) ?? {};
    // Each try would let the stranger in.
    if (tryAgainAt <= now && strangersLogin !== email) due.set(id, joinAction(member, "Viewer"));
    else if (failure) waiting.set(id, failure);
  }
  return { joins: [...due.values()], waiting: [...waiting.values()] };
}

/** Who came, of those who were added: themselves, or somebody whose login is their email. */
export function judgeArrivals(joins: Joins, people: People) {
  const confirmed: Arrival[] = [];
  const strangers: LeaveOrganisation[] = [];
  for (const { unconfirmed } of joins.values()) {
    const user = unconfirmed && people.byId.get(unconfirmed.userId);
    if (!user) continue;
    const { member } = unconfirmed;
    const { profile } = member.user;
    if (isAccountOf(user, profile)) {
      confirmed.push(unconfirmed);
      continue;
    }
    const address = addressOf(user);
    const why = `the login of ${address} (id ${user.userId}) in Grafana is the email of ${emailOf(profile)}`;
    strangers.push({ kind: "leave_organisation", member, user, address, source: member.source, why });
  }
  return { confirmed, strangers };
}
