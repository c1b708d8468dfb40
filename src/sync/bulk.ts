/** Writes a team's whole membership with one request, where that says the same as one request a change. */
import type { GrafanaClient, TeamEmails } from "../grafana/client.ts";
import { TEAM_ADMIN, type TeamMember } from "../grafana/schema.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
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

/** After these it may have been carried out nevertheless, or may succeed another time. */
const UNCERTAIN = [
  "server-error",
  "rate-limited",
  "timeout",
  "unreachable",
  "too-large",
  "unexpected-shape",
  "not-json",
] as const;

/** A bulk write that failed: nobody knows whether it was carried out, so the team is to be compared anew. */
export class BulkError extends Error {
  constructor(cause: unknown) {
    super(`its members could not be written at once, and are written one by one: ${errorMessage(cause)}`, {
      cause,
    });
    this.name = "BulkError";
  }
}

/** What a bulk write did. */
export interface BulkWritten {
  /** The changes that are written, and are to be told of before anything else; the rest is not. */
  readonly written: ReadonlySet<Change>;
  /** After this nothing more is to be written: {@linkcode BulkError}, or why it could not be read back what came of it. */
  readonly failure?: Error;
}

/** Reads who is in the team, and gives the changes of the plan that this shows. */
async function readBack(
  { additions, removals }: GuardedPlan,
  teamId: number,
  grafana: GrafanaClient,
): Promise<ReadonlySet<Change> | Error> {
  try {
    const present = new Set((await grafana.listTeamMembers(teamId)).map(({ userId }) => userId));
    return new Set([
      ...additions.filter(({ user }) => present.has(user.userId)),
      ...removals.filter(({ user }) => !present.has(user.userId)),
    ]);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * Writes the changes of a plan with one request and reads back what came of it. `current` must have been read right
 * before; if the team was created since, its members are read here.
 *
 * @throws {RequestError} if nothing was written.
 */
export async function writeBulk(
  desired: DesiredTeam,
  plan: GuardedPlan,
  current: CurrentTeam,
  teamId: number,
  { grafana, bulk, keeping }: BulkOptions,
): Promise<BulkWritten> {
  const nothing = new Set<Change>();
  if (bulk.isUnsupported || !isWorthwhile(plan)) return { written: nothing };
  if (!isOpen(desired, plan) || !keepsNobody(keeping)) return { written: nothing };
  const isNew = current.id === undefined;
  const members = isNew ? await grafana.listTeamMembers(teamId) : current.members;
  const emails = expressTeam({ ...current, members }, plan);
  if (!emails) return { written: nothing };
  try {
    const result = await grafana.setTeamMembers(teamId, emails);
    if (result === "unsupported") bulk.isUnsupported = true;
    if (result !== "set") return { written: nothing };
  } catch (error) {
    if (!isRequestError(error, ...UNCERTAIN)) throw error;
    const done = await readBack(plan, teamId, grafana);
    return { written: done instanceof Error ? nothing : done, failure: new BulkError(error) };
  }
  const done = await readBack(plan, teamId, grafana);
  if (!(done instanceof Error)) return { written: done };
  return { written: new Set([...plan.additions, ...plan.removals]), failure: done };
}
