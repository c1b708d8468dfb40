/** Who comes into the organisation, who came in their place, and who has left it again. */
import type { Config } from "../config/schema.ts";
import type { GrafanaReads } from "../grafana/client.ts";
import { addressOf, emailOf } from "../grafana/directory.ts";
import { isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import { carryOut } from "./act/carry_out.ts";
import type { Emit } from "./act/events.ts";
import type { Performer } from "./act/performer.ts";
import { readPeople } from "./observe/people.ts";
import { type People, peopleOf } from "./observe/world.ts";
import type { JoinOrganisation } from "./plan/actions.ts";
import type { DesiredMember } from "./plan/desired.ts";
import {
  findDepartures,
  isUnknown,
  joinAction,
  type Joining,
  judgeArrivals,
  note,
  type Records,
} from "./plan/join.ts";
import type { Identities } from "./plan/keep.ts";
import type { News } from "./tell/news.ts";
import { tellDeparted, tellUnlisted } from "./tell/notices.ts";

/** What bringing people in needs. */
export interface JoinOptions {
  readonly settings: Pick<Config["grafana"], "missing_users" | "new_user_role">;
  readonly grafana: GrafanaReads;
  readonly performer: Performer;
  readonly identities: Identities;
  /** What comes of it is taken down here. */
  readonly records: Records;
  /** On the monotonic clock, in milliseconds. */
  readonly now: number;
  /** When somebody who is tried now is tried again, on the same clock. */
  readonly retryAt: number;
  readonly emit: Emit;
  readonly news: News;
  readonly log: Logger;
}

/** Says once who left. They are added again, but not before the next full cycle: Grafana's sign-in may go on removing them. */
export function noteDepartures(
  members: readonly DesiredMember[],
  people: People,
  { records, retryAt, log }: JoinOptions,
): void {
  const departures = findDepartures({ members, people, joins: records });
  const news = departures.filter(({ user }) => !records.get(user.id)?.hasLeft);
  const outlook = "left the organisation after gots added them";
  for (const { user } of members.filter((member) => !isUnknown(member, people))) {
    const record = records.get(user.id);
    if (record?.hasLeft && record.outlook) records.set(user.id, { ...record, outlook: undefined });
  }
  for (const member of departures) {
    note(records, member, { joinedAs: undefined, tryAgainAt: retryAt, outlook, hasLeft: true });
  }
  tellDeparted(news.map(({ user }) => addressOf(user.profile)), log);
}

/** What is said of somebody who is in the organisation although Grafana does not list them. */
const UNLISTED = "is in it, but Grafana does not list them";

/** After this many outages in a row nobody else is added in this cycle. */
const MOST_OUTAGES = 3;

/** Adds the people the server knows. */
export async function addKnown(
  joins: readonly JoinOrganisation[],
  people: People,
  { performer, grafana, records, emit, retryAt, log }: JoinOptions,
): Promise<People> {
  const came: DesiredMember[] = [];
  const stoppedBy = await carryOut(joins, performer, MOST_OUTAGES, (event) => {
    if (!("action" in event) || event.action.kind !== "join_organisation") return;
    // That they are in it is said once.
    const isUnlisted = records.get(event.action.member.user.id)?.outlook === UNLISTED;
    if (event.kind !== "found" || !isUnlisted) emit(event);
    const { action, action: { member } } = event;
    const outlook = event.kind === "found" && isUnlisted ? UNLISTED : undefined;
    const tried: Joining = { tryAgainAt: retryAt, failure: undefined, outlook };
    if (event.kind === "failed") {
      const { error } = event;
      const tryAgainAt = isRequestError(error, "postponed") ? undefined : retryAt;
      note(records, member, { tryAgainAt, outlook, failure: { action, message: error.message } });
    } else if (event.kind === "unknown") note(records, member, { ...tried, isAbsent: true });
    else {
      came.push(member);
      const unconfirmed = event.kind === "done" && event.id !== undefined
        ? { userId: event.id, member }
        : undefined;
      note(records, member, { ...tried, isAbsent: false, unconfirmed });
    }
  });
  if (isRequestError(stoppedBy, "forbidden", "quota")) {
    for (const { member } of joins) note(records, member, { tryAgainAt: retryAt });
  }
  if (came.length === 0) return people;
  const present = await readPeople(grafana);
  for (const member of came.filter((one) => present.hidden > 0 && isUnknown(one, present))) {
    if (records.get(member.user.id)?.outlook !== UNLISTED) tellUnlisted(member, log);
    note(records, member, { outlook: UNLISTED });
  }
  return present;
}

/** Looks at who came, and takes out again who came only because their login is another person's email. */
export async function takeOutStrangers(
  people: People,
  { performer, records, emit }: JoinOptions,
): Promise<People> {
  const { confirmed, strangers } = judgeArrivals(records, people);
  for (const { member, userId } of confirmed) {
    note(records, member, { unconfirmed: undefined, joinedAs: userId });
  }
  if (strangers.length === 0) return people;
  for (const stranger of strangers) {
    const event = await performer.perform(stranger);
    emit(event);
    if (event.kind === "failed") continue;
    const { member } = stranger;
    const email = emailOf(member.user.profile);
    const message =
      `this is the login of ${stranger.address} (id ${stranger.user.userId}) in Grafana: change that login, then restart gots`;
    const failure = { action: joinAction(member, "Viewer"), message };
    note(records, member, { unconfirmed: undefined, strangersLogin: email, failure });
    const told = new Error(`could not add ${email} to the organisation: ${message}`);
    emit({ kind: "blocked", source: member.source, error: told, address: email, isOld: false });
  }
  const out = new Set(strangers.map(({ user }) => user.userId));
  return peopleOf([...people.byId.values()].filter(({ userId }) => !out.has(userId)), people.hidden);
}
