/** Members of a group who are on the Grafana server but not in the organisation: adds them to it, once. */
import { addressOf, isAccountOf } from "../grafana/directory.ts";
import type { OrgUser } from "../grafana/schema.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import { createCreationMemory, createMissing, foreseeMissing } from "./create.ts";
import type { DesiredMember } from "./desired.ts";
import { createBreaker } from "./breaker.ts";
import { noteDeparted } from "./departed.ts";
import {
  fieldsOf,
  type JoinMemory,
  type JoinOptions,
  memberEmail,
  noteResult,
  tellUnlisted,
} from "./joining.ts";
import { readOrganisation } from "./organisation.ts";
import { createOrganisation, type Organisation } from "./plan.ts";
import { firstAlone } from "../http/side_by_side.ts";

/** So many are added at once. */
const MOST_AT_ONCE = 8;

/** A memory for a process that begins. */
export function createJoinMemory(): JoinMemory {
  return {
    ...createCreationMemory(),
    tryAgainAt: new Map(),
    unverified: new Map(),
    strangers: new Map(),
    joined: new Map(),
    departed: new Set(),
    failures: new Map(),
  };
}

/** The members who are to be tried now: unknown here, with an address, and not tried lately. */
function dueMembers(members: readonly DesiredMember[], organisation: Organisation, options: JoinOptions) {
  const now = options.monotonic();
  const { tryAgainAt, strangers, failures } = options.memory;
  const due = new Map<string, DesiredMember>();
  const told = new Set<string>();
  for (const member of members) {
    const { id, profile } = member.user;
    const email = memberEmail(member);
    if (email === "" || organisation.directory.match(profile).kind !== "unknown") continue;
    const failure = failures.get(id);
    const at = tryAgainAt.get(id) ?? now;
    const isTime = at <= now;
    // Each try lets the stranger in.
    if (isTime && strangers.get(id) !== email) due.set(id, member);
    else if (failure && !told.has(id)) options.onError(member, failure, true);
    told.add(id);
  }
  return [...due.values()];
}

/**
 * Brings members whom the organisation does not know into it, as `missing_users` says, and gives the
 * organisation as it is afterwards: whom the server knows is added, and whom it does not know is created.
 * A dry run only finds out what would be done.
 */
export async function joinOrganisation(
  members: readonly DesiredMember[],
  organisation: Organisation,
  options: JoinOptions,
): Promise<Organisation> {
  const { settings, dryRun, memory, tryAgainAt } = options;
  if (settings.missing_users === "wait") return organisation;
  noteDeparted(members, organisation, options);
  const due = dueMembers(members, organisation, options);
  if (dryRun) {
    for (const { user } of due) memory.tryAgainAt.set(user.id, tryAgainAt);
    await foreseeMissing(due, organisation, options);
    return organisation;
  }
  return await createMissing(members, await addMembers(due, organisation, options), options);
}

/**
 * Adds members to the organisation, as Viewers, several side by side. Grafana matches logins too, so whoever joined
 * is read back: if the member is not found in that account, it is somebody else's and is taken out again.
 */
async function addMembers(
  due: readonly DesiredMember[],
  organisation: Organisation,
  options: JoinOptions,
): Promise<Organisation> {
  const { grafana, tryAgainAt: nextTryAt, memory: { tryAgainAt, unverified, failures }, onError } = options;
  const breaker = createBreaker();
  const begun = new Set<DesiredMember>();
  const joined: DesiredMember[] = [];
  let hasStopped = false;

  function fail(member: DesiredMember, error: unknown): void {
    const { id } = member.user;
    if (isRequestError(error, "interrupted")) throw error;
    breaker.failed(error);
    // The others that were under way meet the same: they are tried again like those that were not begun.
    if (hasStopped) return void tryAgainAt.delete(id);
    hasStopped = isServiceWide(error) || breaker.reason() !== undefined;
    const untried = hasStopped ? due.length - begun.size : 0;
    const rest = untried > 0 ? ` (${untried} more ${untried === 1 ? "was" : "were"} not tried)` : "";
    const message = `could not add ${memberEmail(member)} to the organisation: ${errorMessage(error)}${rest}`;
    failures.set(id, message);
    onError(member, message);
    if (isRequestError(error, "postponed")) tryAgainAt.delete(id);
    if (isRequestError(error, "forbidden", "quota")) {
      for (const { user } of due) tryAgainAt.set(user.id, nextTryAt);
    }
  }

  async function add(member: DesiredMember): Promise<void> {
    if (hasStopped) return;
    begun.add(member);
    tryAgainAt.set(member.user.id, nextTryAt);
    failures.delete(member.user.id);
    try {
      const result = await grafana.addOrgUser(memberEmail(member));
      if (result !== "unknown") joined.push(member);
      noteResult(member, result, options);
      breaker.succeeded();
    } catch (error) {
      fail(member, error);
    }
  }

  await firstAlone(due, MOST_AT_ONCE, add);
  const present = joined.length > 0 ? await readOrganisation(grafana) : organisation;
  tellUnlisted(joined, present, options);
  return unverified.size > 0 ? await verifyJoined(present, options) : present;
}

/** Looks at who came; the organisation is given without those who are somebody else. */
async function verifyJoined(organisation: Organisation, options: JoinOptions): Promise<Organisation> {
  const { unverified, joined } = options.memory;
  const strangers = new Set<number>();
  for (const [userId, member] of unverified) {
    const user = organisation.byId.get(userId);
    if (user && !isAccountOf(user, member.user.profile)) {
      strangers.add(userId);
      if (!await takeOut(user, member, options)) continue;
    } else if (user) joined.set(member.user.id, userId);
    unverified.delete(userId);
  }
  if (strangers.size === 0) return organisation;
  const others = [...organisation.byId.values()].filter(({ userId }) => !strangers.has(userId));
  return createOrganisation(others, organisation.hidden);
}

/** Takes out somebody who joined only because their login is another person's email; `false` if that failed. */
async function takeOut(user: OrgUser, member: DesiredMember, options: JoinOptions): Promise<boolean> {
  const { grafana, log, onError, memory: { strangers, failures } } = options;
  const address = addressOf(user);
  const why = `${
    memberEmail(member)
  } is the login of another Grafana account, that of ${address} (id ${user.userId})`;
  try {
    await grafana.removeOrgUser(user.orgId, user.userId);
    log.info("Removed user {user} from the organisation", {
      ...fieldsOf(member),
      user: address,
      user_id: user.userId,
      ...audit("leave_organisation", "done"),
      why,
    });
    const message = `${why}: change that login, then restart gots; nobody was put into the team`;
    failures.set(member.user.id, message);
    strangers.set(member.user.id, memberEmail(member));
    onError(member, message);
    return true;
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    onError(member, `${why}; they joined the organisation as Viewer, take them out: ${errorMessage(error)}`);
    return false;
  }
}
