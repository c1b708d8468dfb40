/** Writes a team's whole membership with one request, where that says the same as one request a change. */
import type { GrafanaClient, TeamEmails } from "../grafana/client.ts";
import { TEAM_ADMIN, type TeamMember } from "../grafana/schema.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { DesiredTeam } from "./desired.ts";
import { type GuardedPlan, isOpen } from "./guard.ts";
import type { Change, CurrentTeam } from "./plan.ts";
import type { Keeping } from "./policy.ts";

/** Fewer changes than this are written one by one. */
const LEAST_CHANGES = 4;

/** What is remembered of Grafana's bulk write. */
export interface BulkMemory {
  /** This Grafana knows no such request. */
  isUnsupported: boolean;
}

/** What a bulk write needs. */
export interface BulkOptions {
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  readonly bulk: BulkMemory;
  readonly keeping: Pick<Keeping, "protected_users" | "keep_team_admins">;
}

/** Somebody who is to be in the team, with their permission in it. */
type Future = Pick<TeamMember, "email" | "permission">;

/**
 * The emails that express the team as the plan wants it; `undefined` if somebody has no email of their own, or a
 * permission that is neither a member's nor an admin's, or if Grafana does not show all members.
 */
export function expressTeam(
  current: CurrentTeam,
  { additions, removals }: GuardedPlan,
): TeamEmails | undefined {
  if (current.memberCount !== current.members.length) return undefined;
  const gone = new Set(removals.map(({ user }) => user.userId));
  const future: Future[] = [
    ...current.members.filter(({ userId }) => !gone.has(userId)),
    ...additions.map(({ user: { email } }) => ({ email, permission: 0 })),
  ];
  const emails = new Set(future.map(({ email }) => email));
  const isExpressible = emails.size === future.length &&
    future.every(({ email, permission }) => email?.trim() && (permission === 0 || permission === TEAM_ADMIN));
  if (!isExpressible) return undefined;
  const withPermission = (wanted: number) =>
    future.flatMap(({ email, permission }) => permission === wanted && email ? [email] : []);
  return { members: withPermission(0), admins: withPermission(TEAM_ADMIN) };
}

/** Whether no setting keeps people whom no group names: they could come in the moment of the write, and would be removed. */
function keepsNobody({ protected_users, keep_team_admins }: BulkOptions["keeping"]): boolean {
  return protected_users.length === 0 && !keep_team_admins;
}

/** Whether one request is less work than many, for us and for Grafana. */
function isWorthwhile({ additions, removals, size }: GuardedPlan): boolean {
  return additions.length + removals.length >= Math.max(LEAST_CHANGES, size / 20);
}

/**
 * Writes the changes of a plan with one request and reads back what came of it. `current` must have been read right
 * before.
 *
 * @returns the changes that are written; none if that was not possible, and the rest is to be written one by one.
 * @throws {RequestError} if Grafana is of no use at the moment.
 */
export async function writeBulk(
  desired: DesiredTeam,
  plan: GuardedPlan,
  current: CurrentTeam,
  teamId: number,
  { grafana, log, bulk, keeping }: BulkOptions,
): Promise<ReadonlySet<Change>> {
  const none = new Set<Change>();
  if (bulk.isUnsupported || !isWorthwhile(plan)) return none;
  if (!isOpen(desired, plan) || !keepsNobody(keeping)) return none;
  const emails = expressTeam(current, plan);
  if (!emails) return none;
  try {
    const result = await grafana.setTeamMembers(teamId, emails);
    if (result === "unsupported") bulk.isUnsupported = true;
    if (result !== "set") return none;
  } catch (error) {
    if (!isRequestError(error, "server-error", "timeout", "too-large", "unexpected-shape")) throw error;
    log.warning(
      "Team {grafana_team}: its members could not be written at once, and are written one by one: {_error}",
      {
        grafana_team: plan.team,
        _error: errorMessage(error),
      },
    );
    return none;
  }
  const present = new Set((await grafana.listTeamMembers(teamId)).map(({ userId }) => userId));
  return new Set([
    ...plan.additions.filter(({ user }) => present.has(user.userId)),
    ...plan.removals.filter(({ user }) => !present.has(user.userId)),
  ]);
}
