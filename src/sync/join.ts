/**
 * Adds members to Grafana's organisation in steps, since each step changes what the next one sees: add those the server
 * knows, remove strangers added in their place, create accounts for the others, set their roles.
 */
import type { Event } from "./act/events.ts";
import { addKnown, type JoinOptions, noteDepartures, takeOutStrangers } from "./arrivals.ts";
import { createMissing, decideCreation, giveRoles } from "./create.ts";
import type { Creation } from "./observe/creation.ts";
import { unreadable } from "./observe/people.ts";
import type { People } from "./observe/world.ts";
import { withoutAccount } from "./plan/accounts.ts";
import type { DesiredMember } from "./plan/desired.ts";
import { type Joins, note, planJoins } from "./plan/join.ts";
import type { Seen } from "./read.ts";
import { tellEvent } from "./tell/lines.ts";

/** What is kept from one cycle to the next. */
export interface JoinState {
  /** How far bringing people in has come, by Okta id. */
  readonly joins: Joins;
  /** Whether accounts are created, once that was read. */
  readonly creation: Creation | undefined;
}

/** Nobody was brought in yet. */
export const noJoins: JoinState = { joins: new Map(), creation: undefined };

/** What is seen once everybody was brought in who could be. */
export interface World extends Seen {
  /** What came of it. */
  readonly joined: readonly Event[];
  readonly joins: JoinState;
}

/** Brings in those who are due, and takes down in `records` what comes of it. */
async function bringMembersIn(
  members: readonly DesiredMember[],
  before: People,
  known: Creation | undefined,
  options: JoinOptions,
): Promise<{ readonly people: People; readonly creation: Creation | undefined }> {
  const { performer: { isDry }, records, now, retryAt, emit } = options;
  noteDepartures(members, before, options);
  const plan = planJoins({ members, people: before, joins: records, now });
  for (const { action, message } of plan.waiting) {
    emit({ kind: "failed", action, error: new Error(message), untried: 0, isOld: true });
  }
  let people = before;
  let candidates = plan.joins.map(({ member }) => member);
  if (isDry) {
    for (const member of candidates) note(records, member, { tryAgainAt: retryAt, outlook: undefined });
  } else {
    people = await takeOutStrangers(await addKnown(plan.joins, people, options), options);
    candidates = members.filter(({ user }) => {
      const { isAbsent = false, failure } = records.get(user.id) ?? {};
      return isAbsent && !failure;
    });
  }
  const missing = withoutAccount(candidates, people, options.identities);
  const creation = await decideCreation(missing, known, options);
  const created = creation?.kind === "create"
    ? await createMissing(missing, people, options)
    : { people, isForbidden: false };
  return {
    people: await giveRoles(created.people, options),
    creation: created.isForbidden ? undefined : creation,
  };
}

/**
 * Adds members who are not in the organisation yet, as `missing_users` says. A dry run only reports what it would do.
 *
 * @throws {RequestError} of the kind `interrupted`; if people can no longer be read, the result holds the error.
 */
export async function bringIn(
  seen: Seen,
  before: JoinState,
  given: Omit<JoinOptions, "emit" | "records">,
): Promise<World> {
  const { people, desired } = seen;
  const joined: Event[] = [];
  if (people instanceof Error || given.settings.missing_users === "wait") {
    return { ...seen, joined, joins: before };
  }
  const emit = (event: Event) => {
    joined.push(event);
    tellEvent(event, given.log);
  };
  const records = new Map(before.joins);
  const members = desired.flatMap((team) => team.members);
  try {
    const options = { ...given, records, emit };
    const { people: present, creation } = await bringMembersIn(members, people, before.creation, options);
    return { ...seen, people: present, joined, joins: { joins: records, creation } };
  } catch (error) {
    const reason = unreadable("the users of Grafana")(error);
    return { ...seen, people: reason, joined, joins: { ...before, joins: records } };
  }
}
