/** One account on the Grafana server: who has it, and making one. */
import type { GrafanaClient } from "../grafana/client.ts";
import { addressOf, foldAddress, isAccountOf } from "../grafana/directory.ts";
import type { ServerUser } from "../grafana/schema.ts";
import type { NewUser } from "../grafana/server.ts";
import type { DesiredMember } from "./desired.ts";
import { memberEmail } from "./joining.ts";

/** Whom an address belongs to, whatever the case. */
export function holderOf(address: string, users: readonly ServerUser[]): ServerUser | undefined {
  const folded = foldAddress(address);
  return users.find(({ email, login }) => [email ?? "", login].map(foldAddress).includes(folded));
}

/**
 * The account to make. A login that is another address than the email may be somebody else's, who could not
 * sign in any more; the email is the login then, as Grafana's own sign-in with Okta has it.
 */
export function accountOf(member: DesiredMember, orgId: number): NewUser {
  const { login, firstName, lastName } = member.user.profile;
  const email = memberEmail(member);
  const name = [firstName, lastName].map((part) => part?.trim()).filter(Boolean).join(" ");
  const isOwn = login.trim() !== "" && (!login.includes("@") || foldAddress(login) === foldAddress(email));
  return { email, login: isOwn ? login : email, name: name || login, orgId };
}

/** Whether Grafana adds this account to the organisation when it is asked for the member's email, and it is theirs. */
export function canJoin({ id, email, login }: ServerUser, member: DesiredMember): boolean {
  const isFound = [email, login].includes(memberEmail(member));
  return isFound && isAccountOf({ userId: id, email, login }, member.user.profile);
}

/** Makes one account and gives its id; `undefined` if they have one by now. @throws {Error} that says who is in the way. */
export async function createAccount(
  account: NewUser,
  member: DesiredMember,
  grafana: GrafanaClient,
): Promise<number | undefined> {
  const { email, login } = account;
  const holder = holderOf(email, await grafana.searchUsers(email));
  if (holder && canJoin(holder, member)) return undefined;
  if (holder) {
    throw new Error(
      `Grafana has the user ${addressOf(holder)} (id ${holder.id}), written otherwise; no second ` +
        "account was made: correct theirs, or add them to the organisation",
    );
  }
  const result = await grafana.createUser(account);
  if (result !== "exists") return result;
  // The answer to the first attempt may have been lost, and the next one have found its work.
  const own = (await grafana.searchUsers(email)).find((user) => user.email === email && user.login === login);
  if (own) return own.id;
  throw new Error(
    `Grafana says that the email or the login ${login} exists already, perhaps in other case or as a ` +
      "deactivated user; nobody was touched: look at Administration > Users",
  );
}
