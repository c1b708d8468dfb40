/** What joining the organisation and creating accounts share. */
import type { Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import type { Logger } from "../observability/log.ts";
import type { Creation, NewUserSettings } from "./creation.ts";
import type { DesiredMember } from "./desired.ts";
import { quoteAll } from "./plan.ts";
import type { Identities } from "./policy.ts";

/** What creating accounts keeps between cycles. */
export interface CreationMemory {
  /** The Okta users whom the server did not know when they were last looked for. */
  readonly absent: Set<string>;
  /** Who was created, by Grafana's id, until they are in the organisation with their role. */
  readonly created: Map<number, DesiredMember>;
  /** What a dry run would do for Okta users, in words. */
  readonly outlook: Map<string, string>;
  /** What was last said of each mapping. */
  readonly complaints: Map<Mapping, string>;
  /** `undefined` until it is needed, and after an error. */
  creation: Creation | undefined;
  /** Whether the warning that comes with `create` had its chance. */
  isLockoutChecked: boolean;
}

/** What is kept between cycles. */
export interface JoinMemory extends CreationMemory {
  /** When each Okta user is to be tried again, in epoch milliseconds. */
  readonly tryAgainAt: Map<string, number>;
  /** Who was added to the organisation, by Grafana's id, until it is certain that they are the right ones. */
  readonly unverified: Map<number, DesiredMember>;
  /** Why somebody could not be added or created, by Okta's id, until it is tried again. */
  readonly failures: Map<string, string>;
}

/** What joining needs. */
export interface JoinOptions {
  readonly grafana: GrafanaClient;
  readonly settings: NewUserSettings;
  readonly log: Logger;
  readonly now: () => number;
  /** When whoever is tried in this cycle is to be tried again, in epoch milliseconds. */
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
export function emailOf({ user }: DesiredMember): string {
  return user.profile.email?.trim() ?? "";
}

/** Why somebody gets into Grafana, in words. */
export function whyOf({ groups }: DesiredMember): string {
  return `in Okta group ${quoteAll(groups)}`;
}
