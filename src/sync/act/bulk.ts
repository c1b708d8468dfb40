/** Decides whether a team's whole membership is written with one request, and with which emails. Pure. */
import type { TeamEmails } from "../../grafana/client.ts";
import { TEAM_ADMIN, type TeamMember } from "../../grafana/schema.ts";
import type { People, Team } from "../observe/world.ts";
import { ofKind } from "../plan/actions.ts";
import type { DesiredTeam } from "../plan/desired.ts";
import { isProven } from "../plan/guard.ts";
import type { Keeping } from "../plan/keep.ts";
import type { TeamPlan } from "../plan/team.ts";

/** Fewer changes than this are written one by one. */
const LEAST_CHANGES = 4;

/**
 * Whether one request is less work than many, for us and for Grafana, and may say the same: the groups alone must
 * decide who is in this team. A write of the whole membership removes anyone who came in the same moment, and must do
 * nothing that the next cycle would not do, or set right.
 */
export function isBulkWorthwhile(
  { actions, holds, size }: TeamPlan,
  desired: DesiredTeam,
  { protected_users, keep_team_admins }: Keeping,
  { hidden }: People,
): boolean {
  const changes = ofKind(actions, "add").length + ofKind(actions, "remove").length;
  if (changes < Math.max(LEAST_CHANGES, size / 20)) return false;
  const keepsNobody = protected_users.length === 0 && !keep_team_admins;
  const isSynced = desired.sources.every(({ mapping }) => mapping.policy === "sync");
  // It would remove hidden members.
  return hidden === 0 && keepsNobody && isSynced && isProven(desired) &&
    holds.every(({ kind }) => kind === "pending");
}

/**
 * The emails that express a team as its plan wants it; `undefined` if somebody has no email of their own, or a
 * permission that is neither a member's nor an admin's, or if Grafana does not show all members.
 */
export function expressTeam({ memberCount, members }: Team, { actions }: TeamPlan): TeamEmails | undefined {
  if (memberCount !== members.length) return undefined;
  const gone = new Set(ofKind(actions, "remove").map(({ user }) => user.userId));
  const future: readonly Pick<TeamMember, "email" | "permission">[] = [
    ...members.filter(({ userId }) => !gone.has(userId)),
    ...ofKind(actions, "add").map(({ user: { email } }) => ({ email, permission: 0 })),
  ];
  const emails = new Set(future.map(({ email }) => email));
  const isExpressible = emails.size === future.length &&
    future.every(({ email, permission }) => email?.trim() && (permission === 0 || permission === TEAM_ADMIN));
  if (!isExpressible) return undefined;
  const withPermission = (wanted: number) =>
    future.flatMap(({ email, permission }) => permission === wanted && email ? [email] : []);
  return { members: withPermission(0), admins: withPermission(TEAM_ADMIN) };
}
