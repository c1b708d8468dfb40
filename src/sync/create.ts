/** Members of a group whom the Grafana server does not know at all: makes their accounts, where that is wanted and safe. */
import { foldAddress } from "../grafana/directory.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import { accountOf, canJoin, createAccount, holderOf } from "./account.ts";
import { type Creation, decideCreation, describeUndecided, warnOfLockout } from "./creation.ts";
import type { DesiredMember } from "./desired.ts";
import { type CreationMemory, fieldsOf, type JoinOptions, memberEmail } from "./joining.ts";
import { readOrganisation } from "./organisation.ts";
import { type Organisation, whyAdded } from "./plan.ts";
import { settleCreated } from "./settle.ts";

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
    if (creation.kind === "wait") log.warning("{_error}", { _error: message, action: "pending" });
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

/** The first member of each email, so that nobody gets two accounts. */
function distinct(members: readonly DesiredMember[]): DesiredMember[] {
  const byEmail = new Map<string, DesiredMember>();
  for (const member of members) {
    const email = foldAddress(memberEmail(member));
    if (email && !byEmail.has(email)) byEmail.set(email, member);
  }
  return [...byEmail.values()];
}

/**
 * Whether somebody has an account already, under the address that they had before they were renamed in Okta. A
 * second one would take the new address, and they could not sign in any more. Who is not listed may be hidden.
 */
function isRenamed(
  { user }: DesiredMember,
  organisation: Organisation,
  { identities }: JoinOptions,
): boolean {
  const userId = identities.get(user.id);
  return userId !== undefined && (organisation.byId.has(userId) || organisation.hidden > 0);
}

/** The members for whom an account is to be made now: with an email, unknown to the server, and not refused lately. */
function candidatesOf(members: readonly DesiredMember[], organisation: Organisation, options: JoinOptions) {
  const { absent, failures } = options.memory;
  return members.filter((member) => {
    const { id, profile } = member.user;
    return absent.has(id) && !failures.has(id) && memberEmail(member) !== "" &&
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
      const userId = await createAccount(account, member, grafana);
      memory.absent.delete(id);
      if (userId === undefined) memory.tryAgainAt.delete(id);
      else {
        changed = true;
        memory.created.set(userId, member);
        log.info("Created user {user}", {
          ...fieldsOf(member),
          user: account.email,
          user_id: userId,
          ...audit("create_user", "done"),
          why: whyAdded(member),
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
  return memory.created.size > 0 ? await settleCreated(present, options) : present;
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
    const user = memberEmail(member);
    try {
      const holder = holderOf(user, await grafana.searchUsers(user));
      outlook.delete(member.user.id);
      if (holder && canJoin(holder, member)) outlook.set(member.user.id, "would be added to it");
      if (holder) continue;
      outlook.set(member.user.id, `would be created as ${role}`);
      const details = { role, ...audit("create_user", "planned"), why: whyAdded(member) };
      log.info("Would create user {user}", { ...fieldsOf(member), user, ...details });
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      onError(member, `could not look for ${user} on the server: ${errorMessage(error)}`);
      if (isServiceWide(error)) break;
    }
  }
}
