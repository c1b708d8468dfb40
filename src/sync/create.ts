/** Members of a group whom the Grafana server does not know at all: makes their accounts, where that is wanted and safe. */
import type { NewUser } from "../grafana/server.ts";
import { foldAddress } from "../grafana/directory.ts";
import type { ServerUser } from "../grafana/schema.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import { type Creation, decideCreation, describeUndecided, warnOfLockout } from "./creation.ts";
import type { DesiredMember } from "./desired.ts";
import { type CreationMemory, emailOf, fieldsOf, type JoinOptions, whyOf } from "./joining.ts";
import { readOrganisation } from "./organisation.ts";
import type { Organisation } from "./plan.ts";

/** A memory for a process that begins. */
export function createCreationMemory(): CreationMemory {
  return {
    absent: new Set(),
    created: new Map(),
    outlook: new Map(),
    complaints: new Map(),
    creation: undefined,
    isLockoutChecked: false,
  };
}

/** What is decided, read at most once; a decision that is an error to somebody is not kept. */
async function decide({ grafana, log, settings, memory }: JoinOptions): Promise<Creation> {
  if (memory.creation) return memory.creation;
  const creation = await decideCreation(settings, grafana);
  memory.isLockoutChecked = true;
  if (creation.kind === "impossible") return creation;
  if (creation.kind === "create") warnOfLockout(creation.lockout, log);
  return memory.creation = creation;
}

/** Decides for these members; tells the mappings of those for whom it went wrong, each message once. */
async function decideFor(members: readonly DesiredMember[], options: JoinOptions): Promise<Creation> {
  const { settings, log, memory: { complaints }, onMappingError } = options;
  let creation: Creation;
  try {
    creation = await decide(options);
  } catch (error) {
    const message = describeUndecided(error);
    creation = { kind: settings.missing_users === "create" ? "impossible" : "wait", message };
    if (creation.kind === "wait") log.warning("{error}", { error: message, action: "pending" });
  }
  if (creation.kind !== "impossible") complaints.clear();
  else {
    for (const mapping of new Set(members.map((member) => member.mapping))) {
      onMappingError(mapping, creation.message, complaints.get(mapping) === creation.message);
      complaints.set(mapping, creation.message);
    }
  }
  return creation;
}

/** Whom an address belongs to, whatever the case. */
function holderOf(address: string, users: readonly ServerUser[]): ServerUser | undefined {
  const folded = foldAddress(address);
  return users.find(({ email, login }) => [email ?? "", login].map(foldAddress).includes(folded));
}

/**
 * The account to make. A login that is another address than the email may be somebody else's, who could not
 * sign in any more; the email is the login then, as Grafana's own sign-in with Okta has it.
 */
function accountOf(member: DesiredMember, orgId: number): NewUser {
  const { login, firstName, lastName } = member.user.profile;
  const email = emailOf(member);
  const name = [firstName, lastName].map((part) => part?.trim()).filter(Boolean).join(" ");
  const isOwn = login.trim() !== "" && (!login.includes("@") || foldAddress(login) === foldAddress(email));
  return { email, login: isOwn ? login : email, name: name || login, orgId };
}

/** Makes one account and gives its id; `undefined` if they have one by now. @throws {Error} that says who is in the way. */
async function createAccount(account: NewUser, { grafana }: JoinOptions): Promise<number | undefined> {
  const { email, login } = account;
  const before = await grafana.searchUsers(email);
  const holder = holderOf(email, before);
  if (holder?.email === email) return undefined;
  if (holder) {
    throw new Error(
      `Grafana has the user ${
        holder.email || holder.login
      } (id ${holder.id}), written otherwise; no second ` +
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

/** The first member of each email, so that nobody gets two accounts. */
function distinct(members: readonly DesiredMember[]): DesiredMember[] {
  const byEmail = new Map<string, DesiredMember>();
  for (const member of members) {
    const email = foldAddress(emailOf(member));
    if (email && !byEmail.has(email)) byEmail.set(email, member);
  }
  return [...byEmail.values()];
}

/** Puts whoever was created into the organisation, if Grafana has not, and gives them their role. */
async function settle(organisation: Organisation, options: JoinOptions): Promise<Organisation> {
  const { grafana, settings: { new_user_role: role }, memory: { created }, onError } = options;
  let joined = false;
  for (const [userId, member] of created) {
    const user = organisation.byId.get(userId);
    try {
      if (!user) joined = await grafana.addOrgUser(emailOf(member), role) !== "unknown" || joined;
      else if (user.role !== role) await grafana.setOrgRole(userId, role);
      created.delete(userId);
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      onError(member, `${emailOf(member)} was created, but is not yet ${role}: ${errorMessage(error)}`);
      if (isServiceWide(error)) break;
    }
  }
  return joined ? await readOrganisation(grafana) : organisation;
}

/**
 * Whether somebody has an account already, under the address that they had before they were renamed in Okta. A
 * second one would take the new address, and they could not sign in any more.
 */
function isRenamed(
  { user }: DesiredMember,
  organisation: Organisation,
  { identities }: JoinOptions,
): boolean {
  return organisation.byId.has(identities.get(user.id) ?? -1);
}

/** The members for whom an account is to be made now: with an email, unknown to the server, and not refused lately. */
function candidatesOf(members: readonly DesiredMember[], organisation: Organisation, options: JoinOptions) {
  const { absent, failures } = options.memory;
  return members.filter((member) => {
    const { id, profile } = member.user;
    return absent.has(id) && !failures.has(id) && emailOf(member) !== "" &&
      !isRenamed(member, organisation, options) &&
      organisation.directory.match(profile).kind === "unknown";
  });
}

/**
 * Makes accounts for members whom the server does not know, if `missing_users` says so, and gives the
 * organisation as it is afterwards.
 */
export async function createMissing(
  members: readonly DesiredMember[],
  organisation: Organisation,
  options: JoinOptions,
): Promise<Organisation> {
  const { grafana, log, settings, memory, onError } = options;
  const candidates = candidatesOf(members, organisation, options);
  const isFirst = settings.missing_users === "create" && !memory.isLockoutChecked;
  const orgId = organisation.byId.values().next().value?.orgId;
  const creation = candidates.length > 0 || isFirst ? await decideFor(candidates, options) : undefined;
  let changed = false;
  for (const member of creation?.kind === "create" ? distinct(candidates) : []) {
    if (orgId === undefined) break;
    const { id } = member.user;
    const account = accountOf(member, orgId);
    try {
      const userId = await createAccount(account, options);
      memory.absent.delete(id);
      if (userId === undefined) memory.tryAgainAt.delete(id);
      else {
        changed = true;
        memory.created.set(userId, member);
        const details = { role: settings.new_user_role, ...audit("create_user", "done"), why: whyOf(member) };
        log.info("Created user {user}", {
          ...fieldsOf(member),
          user: account.email,
          user_id: userId,
          ...details,
        });
      }
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      const message = `could not create ${account.email}: ${errorMessage(error)}`;
      memory.failures.set(id, message);
      onError(member, message);
      if (isRequestError(error, "forbidden")) memory.creation = undefined;
      if (isServiceWide(error)) break;
    }
  }
  const present = changed ? await readOrganisation(grafana) : organisation;
  return memory.created.size > 0 ? await settle(present, options) : present;
}

/** Finds out what {@linkcode createMissing} would do for these members, and says it; it writes nothing. */
export async function foreseeMissing(
  due: readonly DesiredMember[],
  organisation: Organisation,
  options: JoinOptions,
): Promise<void> {
  const members = due.filter((member) => !isRenamed(member, organisation, options));
  const { grafana, log, settings: { new_user_role: role }, memory: { outlook }, onError } = options;
  const creation = members.length > 0 ? await decideFor(members, options) : undefined;
  for (const member of creation?.kind === "create" ? distinct(members) : []) {
    const user = emailOf(member);
    try {
      const holder = holderOf(user, await grafana.searchUsers(user));
      outlook.delete(member.user.id);
      if (holder?.email === user) outlook.set(member.user.id, "would be added to it");
      if (holder) continue;
      outlook.set(member.user.id, `would be created as ${role}`);
      const details = { role, ...audit("create_user", "planned"), why: whyOf(member) };
      log.info("Would create user {user}", { ...fieldsOf(member), user, ...details });
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      onError(member, `could not look for ${user} on the server: ${errorMessage(error)}`);
      if (isServiceWide(error)) break;
    }
  }
}
