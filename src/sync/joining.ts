/** What joining the organisation and creating accounts share. */
import type { Mapping } from "../config/schema.ts";
import type { OrgRole } from "../config/grafana.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { emailOf } from "../grafana/directory.ts";
import { audit } from "../observability/audit.ts";
import type { Logger } from "../observability/log.ts";
import type { Creation, NewUserSettings } from "./creation.ts";
import type { DesiredMember } from "./desired.ts";
import { type Organisation, whyAdded } from "./plan.ts";
import type { Identities } from "./policy.ts";

/** What creating accounts keeps between cycles. */
export interface CreationMemory {
  /** The Okta users whom the server did not know when they were last looked for. */
  readonly absent: Set<string>;
  /** Who was created, by Grafana's id, until they are in the organisation with their role. */
  readonly created: Map<number, DesiredMember>;
  /** What is said of pending Okta users besides, in words: what a dry run would do for them, or that they left. */
  readonly outlook: Map<string, string>;
  /** What was last said of each mapping. */
  readonly complaints: Map<Mapping, string>;
  /** `undefined` until it is needed, and after an error. */
  creation: Creation | undefined;
  /** Whether the warning that comes with `create` had its chance. */
  isLockoutChecked: boolean;
}

/** What is kept between cycles, besides. */
export interface JoinMemory extends CreationMemory {
  /** When each Okta user is to be tried again, by `monotonic`. */
  readonly tryAgainAt: Map<string, number>;
  /** Who was added to the organisation, by Grafana's id, until it is certain that they are the right ones. */
  readonly unverified: Map<number, DesiredMember>;
  /** The email of each Okta user, by their id, that is the login of somebody else in Grafana: it is not tried again. */
  readonly strangers: Map<string, string>;
  /** Who came into the organisation by us and was seen there: Okta's id to Grafana's. */
  readonly joined: Map<string, number>;
  /** The Okta users of whom it was said that they left the organisation again. */
  readonly departed: Set<string>;
  /** Why somebody could not be added or created, by Okta's id, until it is tried again. */
  readonly failures: Map<string, string>;
}

/** What joining needs. */
export interface JoinOptions {
  readonly grafana: GrafanaClient;
  readonly settings: NewUserSettings;
  readonly log: Logger;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  /** When whoever is tried in this cycle is to be tried again, by `monotonic`. */
  readonly tryAgainAt: number;
  readonly dryRun: boolean;
  readonly memory: JoinMemory;
  /** Which Grafana user each Okta user was when their addresses were last equal. */
  readonly identities: Identities;
  /** Told of each failure, for the count of the member's mapping; `again` if it was logged in an earlier cycle. */
  readonly onError: (member: DesiredMember, message: string, again?: boolean) => void;
  /** Told of what keeps all the missing members of a mapping from being created. */
  readonly onMappingError: (mapping: Mapping, message: string, again: boolean) => void;
}

/** The mapping, for the audit. */
export function fieldsOf({ mapping: { okta_group, grafana_team } }: DesiredMember) {
  return { okta_group, grafana_team };
}

/** The member's email; empty if they have none. */
export function memberEmail({ user }: DesiredMember): string {
  return emailOf(user.profile);
}

/** Says who was added to the organisation, and with which role. `userId` is Grafana's. */
export function tellJoined(member: DesiredMember, userId: number, role: OrgRole, log: Logger): void {
  log.info("Added user {user} to the organisation", {
    ...fieldsOf(member),
    user: memberEmail(member),
    user_id: userId,
    role,
    ...audit("join_organisation", "done"),
    why: whyAdded(member),
  });
}

/** What is said of somebody who is in the organisation although Grafana does not list them. */
const UNLISTED = "is in it, but Grafana does not list them";

/** Says once who joined and is not listed: nobody can tell whose account that is. */
export function tellUnlisted(
  joined: readonly DesiredMember[],
  { directory, hidden }: Organisation,
  { log, memory: { outlook } }: JoinOptions,
): void {
  for (const member of joined) {
    const { id, profile } = member.user;
    if (hidden === 0 || directory.match(profile).kind !== "unknown") outlook.delete(id);
    else if (outlook.get(id) !== UNLISTED) {
      outlook.set(id, UNLISTED);
      log.warning(
        "User {user} is pending: they are in the organisation, but Grafana does not list them, so gots cannot tell " +
          "whose account it is: take them out of hidden_users in Grafana's configuration, or put them into team " +
          "{grafana_team} by hand",
        { ...fieldsOf(member), user: memberEmail(member), action: "pending" },
      );
    }
  }
}

/** Remembers whether the server knows somebody, and says who is in the organisation from now on, or was already. */
export function noteResult(
  member: DesiredMember,
  result: number | "present" | "unknown",
  { log, memory: { absent, outlook, unverified } }: JoinOptions,
): void {
  const { id } = member.user;
  if (result === "present" && outlook.get(id) === UNLISTED) return;
  outlook.delete(id);
  if (result === "unknown") return void absent.add(id);
  absent.delete(id);
  if (typeof result === "number") {
    unverified.set(result, member);
    return tellJoined(member, result, "Viewer", log);
  }
  const message =
    "User {user} is in the organisation already: by a request whose answer was lost, or by other hands";
  log.info(message, {
    ...fieldsOf(member),
    user: memberEmail(member),
    ...audit("join_organisation", "found"),
  });
}
