/** Which accounts to create for members the Grafana server does not know, and with which roles. */
import type { OrgRole } from "../../config/grafana.ts";
import { addressOf, emailOf, foldAddress, isAccountOf } from "../../grafana/directory.ts";
import type { ServerUser } from "../../grafana/schema.ts";
import type { NewUser } from "../../grafana/server.ts";
import type { People } from "../observe/world.ts";
import { type CreateUser, type JoinOrganisation, type SetRole, whyAdded } from "./actions.ts";
import type { DesiredMember } from "./desired.ts";
import { isUnknown, joinAction, type Joins } from "./join.ts";
import type { Identities } from "./keep.ts";

/**
 * The account to create. A login that is another address than the email may be somebody else's, who could not sign in
 * any more; the email is the login then, as Grafana's own sign-in with Okta has it.
 */
function newUser({ user: { profile } }: DesiredMember, orgId: number): NewUser {
  const { login, firstName, lastName } = profile;
  const email = emailOf(profile);
  const name = [firstName, lastName].map((part) => part?.trim()).filter(Boolean).join(" ");
  const isOwn = login.trim() !== "" && (!login.includes("@") || foldAddress(login) === foldAddress(email));
  return { email, login: isOwn ? login : email, name: name || login, orgId };
}

/** The action that creates a member's account. `orgId` is the organisation's. */
export function createAction(member: DesiredMember, orgId: number): CreateUser {
  const account = newUser(member, orgId);
  const { source } = member;
  return { kind: "create_user", member, account, address: account.email, source, why: whyAdded(member) };
}

/** Who has the address of a member among these users of the server, whatever the case. */
export function holderOf({ user }: DesiredMember, users: readonly ServerUser[]): ServerUser | undefined {
  const folded = foldAddress(emailOf(user.profile));
  return users.find(({ email, login }) => [email ?? "", login].map(foldAddress).includes(folded));
}

/** Whether Grafana adds this account to the organisation when it is asked for the member's email, and it is theirs. */
export function canJoin({ id, email, login }: ServerUser, { user: { profile } }: DesiredMember): boolean {
  return [email, login].includes(emailOf(profile)) && isAccountOf({ userId: id, email, login }, profile);
}

/** Why no account is created for somebody whose address is written otherwise in Grafana. */
export function describeHolder(holder: ServerUser): Error {
  return new Error(
    `Grafana has the user ${
      addressOf(holder)
    } (id ${holder.id}), spelled differently; no second account was ` +
      "created: correct theirs, or add them to the organisation",
  );
}

/** Why no account is created where Grafana says that there is one, and it is not the member's. */
export function describeTaken({ login }: NewUser): Error {
  return new Error(
    `Grafana says that the email or the login ${login} exists already, perhaps in another case or as a deactivated ` +
      "user; nobody was touched: check Administration > Users",
  );
}

/**
 * Members the organisation does not know. Someone renamed in Okta already has an account; a second one
 * would take the new address, and they could no longer sign in.
 */
export function withoutAccount(
  members: readonly DesiredMember[],
  people: People,
  identities: Identities,
): DesiredMember[] {
  return members.filter((member) => {
    const { id, profile } = member.user;
    const account = identities.get(id);
    // Somebody who is not listed may be hidden.
    const isRenamed = account !== undefined && (people.byId.has(account) || people.hidden > 0);
    return emailOf(profile) !== "" && !isRenamed && isUnknown(member, people);
  });
}

/** The first member of each email, so that nobody gets two accounts. */
export function oneForEachEmail(members: readonly DesiredMember[]): DesiredMember[] {
  const byEmail = new Map<string, DesiredMember>();
  for (const member of members) {
    const email = foldAddress(emailOf(member.user.profile));
    if (!byEmail.has(email)) byEmail.set(email, member);
  }
  return [...byEmail.values()];
}

/** What gives created accounts their role: in the organisation by a change, outside it by joining with it. */
export function planRoles(joins: Joins, people: People, role: OrgRole) {
  const actions: (SetRole | JoinOrganisation)[] = [];
  /** Grafana gave it to them by itself. */
  const found: SetRole[] = [];
  for (const { created } of joins.values()) {
    if (!created) continue;
    const { userId, member } = created;
    const user = people.byId.get(userId);
    if (!user) {
      actions.push(joinAction(member, role));
      continue;
    }
    const { source, user: { profile } } = member;
    const why = whyAdded(member);
    (user.role === role ? found : actions)
      .push({ kind: "set_role", member, userId, address: emailOf(profile), role, source, why });
  }
  return { actions, found };
}
