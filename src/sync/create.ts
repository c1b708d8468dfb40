/** Creates accounts for members the Grafana server does not know, if configured and safe. */
import { asError, isRequestError, isServiceWide } from "../http/error.ts";
import type { Event } from "./act/events.ts";
import type { JoinOptions } from "./arrivals.ts";
import { type Creation, readCreation } from "./observe/creation.ts";
import { readPeople } from "./observe/people.ts";
import type { People } from "./observe/world.ts";
import {
  canJoin,
  createAction,
  describeHolder,
  describeTaken,
  holderOf,
  oneForEachEmail,
  planRoles,
} from "./plan/accounts.ts";
import type { Action } from "./plan/actions.ts";
import type { DesiredMember } from "./plan/desired.ts";
import { note } from "./plan/join.ts";
import { warnOfLockout } from "./tell/notices.ts";

/** Whether to create accounts for these members; reports what prevents it. */
export async function decideCreation(
  members: readonly DesiredMember[],
  before: Creation | undefined,
  { settings: { missing_users }, grafana, emit, news, log }: JoinOptions,
): Promise<Creation | undefined> {
  // A plain `create` warns at the start, even if nobody is missing.
  if (members.length === 0 && (before || missing_users !== "create")) return before;
  if (before?.kind === "create" || before?.kind === "wait") return before;
  const creation = await readCreation(missing_users, grafana);
  const isBlocked = creation.kind === "impossible" ||
    creation.kind === "undecided" && missing_users === "create";
  const text = isBlocked ? creation.message : "";
  // Reported once, however many mappings it affects.
  let isTold = false;
  for (const [key, source] of new Map(members.map(({ source }) => [source.key, source]))) {
    const isNew = news.isNew(`creation ${key}`, text);
    if (isBlocked) emit({ kind: "blocked", source, error: new Error(text), isOld: isTold || !isNew });
    isTold ||= isNew;
  }
  if (creation.kind === "create") warnOfLockout(creation.lockout, log);
  if (creation.kind === "undecided" && !isBlocked) {
    log.warning("{_error}", { _error: creation.message, action: "pending" });
  }
  return creation.kind === "undecided" ? undefined : creation;
}

function failedBy(action: Action, error: Error): Event {
  return { kind: "failed", action, error, untried: 0 };
}

/** Creates one account, unless its holder is on the server by now. */
async function createAccount(
  member: DesiredMember,
  orgId: number,
  options: JoinOptions,
): Promise<Event | undefined> {
  const { grafana, performer } = options;
  const action = createAction(member, orgId);
  try {
    const holder = holderOf(member, await grafana.searchUsers(action.address));
    if (holder) return canJoin(holder, member) ? undefined : failedBy(action, describeHolder(holder));
    const event = await performer.perform(action);
    if (event.kind !== "found") return event;
    // The answer to the first attempt may have been lost, and the next one have found its work.
    const users = await grafana.searchUsers(action.address);
    const own = users.find(({ email, login }) =>
      email === action.account.email && login === action.account.login
    );
    return own ? { kind: "done", action, id: own.id } : failedBy(action, describeTaken(action.account));
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    return failedBy(action, asError(error));
  }
}

/** Creates accounts for members the server does not know; a dry run only reports them. */
export async function createMissing(
  members: readonly DesiredMember[],
  people: People,
  options: JoinOptions,
): Promise<{ readonly people: People; readonly isForbidden: boolean }> {
  const { performer: { isDry }, settings: { new_user_role: role }, grafana, records, emit } = options;
  const orgId = people.byId.values().next().value?.orgId;
  let [hasChanged, isForbidden] = [false, false];
  for (const member of oneForEachEmail(members)) {
    if (orgId === undefined) break;
    const event = await createAccount(member, orgId, options);
    if (event) emit(event);
    if (!event) {
      const joins = isDry ? { outlook: "would be added to it" } : { isAbsent: false, tryAgainAt: undefined };
      note(records, member, joins);
    } else if (event.kind === "planned") note(records, member, { outlook: `would be created as ${role}` });
    else if (event.kind === "done" && event.id !== undefined) {
      hasChanged = true;
      note(records, member, { isAbsent: false, created: { userId: event.id, member } });
    } else if (event.kind === "failed") {
      const { action, error } = event;
      if (!isDry && action.kind === "create_user") {
        note(records, member, { failure: { action, message: error.message } });
      }
      isForbidden ||= isRequestError(error, "forbidden");
      if (isServiceWide(error)) break;
    }
  }
  return { people: hasChanged ? await readPeople(grafana) : people, isForbidden };
}

/** Gives created accounts their role. Those that fail are tried again in the next cycle. */
export async function giveRoles(people: People, options: JoinOptions): Promise<People> {
  const { performer, grafana, settings, records, emit } = options;
  const { actions, found } = planRoles(records, people, settings.new_user_role);
  for (const action of found) {
    emit({ kind: "found", action });
    note(records, action.member, { created: undefined, joinedAs: action.userId });
  }
  let hasJoined = false;
  for (const action of actions) {
    const event = await performer.perform(action);
    if (event.kind !== "unknown") emit(event);
    if (event.kind === "failed") {
      if (isServiceWide(event.error)) break;
      continue;
    }
    hasJoined ||= action.kind === "join_organisation";
    // They signed in meanwhile. The next cycle checks their role.
    if (event.kind === "found") continue;
    const joinedAs = action.kind === "set_role"
      ? action.userId
      : event.kind === "done"
      ? event.id
      : undefined;
    note(records, action.member, { created: undefined, joinedAs });
  }
  return hasJoined ? await readPeople(grafana) : people;
}
