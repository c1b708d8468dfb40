/** Members of a group who are on the Grafana server but not in the organisation: adds them to it, once. */
import type { GrafanaClient } from "../grafana/client.ts";
import { foldAddress } from "../grafana/directory.ts";
import type { OrgUser } from "../grafana/schema.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { DesiredMember } from "./desired.ts";
import { addressOf, createOrganisation, type Organisation } from "./plan.ts";

/** Somebody who could not be found is looked for again after this time, in milliseconds. */
const TRY_AGAIN_MS = 15 * 60_000;

/** What is kept between cycles. */
export interface JoinMemory {
  /** When each Okta user was last tried, in epoch milliseconds. */
  readonly attempts: Map<string, number>;
  /** Who was added to the organisation, by Grafana's id, and has not been read back yet. */
  readonly unverified: Map<number, DesiredMember>;
}

/** What joining needs. */
export interface JoinOptions {
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  readonly now: () => number;
  readonly memory: JoinMemory;
  /** Told of each failure, for the count of the member's mapping. */
  readonly onError: (member: DesiredMember, message: string) => void;
}

/** The members who are to be tried now: unknown here, with an address, and not tried lately. */
function dueMembers(members: readonly DesiredMember[], organisation: Organisation, options: JoinOptions) {
  const now = options.now();
  const due = new Map<string, DesiredMember>();
  for (const member of members) {
    const { id, profile } = member.user;
    if (!profile.email?.trim() || organisation.directory.match({ ...profile }).kind !== "unknown") continue;
    if (now - (options.memory.attempts.get(id) ?? -Infinity) >= TRY_AGAIN_MS) due.set(id, member);
  }
  return [...due.values()];
}

/**
 * Adds members whom the organisation does not know to it, as Viewers, and gives the organisation as it is
 * afterwards. Grafana matches logins too, so whoever joined is read back: if their email is another one,
 * they are somebody else and are taken out again.
 */
export async function joinOrganisation(
  members: readonly DesiredMember[],
  organisation: Organisation,
  options: JoinOptions,
): Promise<Organisation> {
  const { grafana, memory: { attempts, unverified }, now, onError } = options;
  let changed = false;
  for (const member of dueMembers(members, organisation, options)) {
    const email = member.user.profile.email?.trim() ?? "";
    try {
      attempts.set(member.user.id, now());
      const result = await grafana.addOrgUser(email);
      changed ||= result.kind !== "unknown";
      if (result.kind === "joined") unverified.set(result.userId, member);
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      onError(member, `could not add ${email} to the organisation: ${errorMessage(error)}`);
      if (isServiceWide(error)) break;
    }
  }
  const present = changed ? createOrganisation(await grafana.listOrgUsers()) : organisation;
  return unverified.size > 0 ? await verifyJoined(present, options) : present;
}

/** Reads back who joined; the organisation is given without those who are somebody else. */
async function verifyJoined(organisation: Organisation, options: JoinOptions): Promise<Organisation> {
  const { unverified } = options.memory;
  const users: OrgUser[] = [];
  for (const user of organisation.users) {
    const member = unverified.get(user.userId);
    if (member && foldAddress(user.email ?? "") !== foldAddress(member.user.profile.email ?? "")) {
      await takeOut(user, member, options);
      continue;
    }
    users.push(user);
    if (!member) continue;
    const fields = {
      user: addressOf(user),
      action: "join_organisation",
      why: `in Okta group '${member.groups[0]}'`,
    };
    options.log.info("Added user {user} to the organisation", fields);
  }
  unverified.clear();
  return createOrganisation(users);
}

/** Takes out somebody who joined only because their login is another person's address. */
async function takeOut(
  user: OrgUser,
  member: DesiredMember,
  { grafana, log, onError }: JoinOptions,
): Promise<void> {
  const address = addressOf(user);
  const mistaken =
    `the login of ${address} in Grafana is the email of another person in Okta, ${member.user.profile.login}`;
  try {
    await grafana.removeOrgUser(user.orgId, user.userId);
    log.info("Removed user {user} from the organisation", {
      user: address,
      action: "leave_organisation",
      why: mistaken,
    });
    onError(member, `${mistaken}: change that login; nobody was put into the team`);
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    onError(
      member,
      `${mistaken}; they joined the organisation as Viewer, take them out: ${errorMessage(error)}`,
    );
  }
}
