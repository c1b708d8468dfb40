/** Decides which removals may be carried out. Pure: no fetch, no clock, no log. */
import type { RemovalLimit } from "../config/schema.ts";
import { errorMessage } from "../http/error.ts";
import type { DesiredTeam, Source } from "./desired.ts";
import { type Change, nameGroups } from "./plan.ts";
import type { PolicedPlan } from "./policy.ts";

/** Why removals are withheld: a closed set of words. */
export const WITHHOLDING_REASONS = ["incomplete-read", "empty-group", "removal-limit"] as const;

/** Why a removal is withheld. */
export type WithholdingReason = (typeof WITHHOLDING_REASONS)[number];

/** Removals that are not carried out, one at least. */
export interface Withheld {
  readonly reason: WithholdingReason;
  readonly removals: readonly Change[];
  /** Additions that would make the team so large that the same removals were below the limit in the next cycle. */
  readonly additions: readonly Change[];
  /** The groups that are the reason; none for the limit. */
  readonly groups: readonly string[];
  /** What it takes, in words: the groups, and what to do. */
  readonly explanation: string;
}

/** A plan that may be carried out as it is. */
export interface GuardedPlan extends PolicedPlan {
  /** `undefined` if nothing is withheld. */
  readonly withheld: Withheld | undefined;
}

/** What an operator lets through for one cycle. */
export interface GuardOptions {
  /** The removal limit does not count for this team. The other reasons to withhold do. @default {false} */
  readonly allowRemovals?: boolean;
  /** The limit withheld removals before: additions go on waiting for it while nothing is proven. @default {false} */
  readonly wasLimited?: boolean;
}

function groupsOf(sources: readonly Source[]): string[] {
  return sources.map(({ mapping }) => mapping.okta_group);
}

/** A name as a shell takes it. */
function shellQuote(name: string): string {
  return /^[\w@%+:,./][\w@%+=:,./-]*$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

/** The command that lets a team's removals through once. */
export function allowCommand(team: string, config = ""): string {
  const option = team.startsWith("-")
    ? `--allow-removals=${shellQuote(team)}`
    : `--allow-removals ${shellQuote(team)}`;
  return `gots sync ${option}${config && ` ${shellQuote(config)}`}`;
}

/** Why removals are withheld, and how many additions are let through nevertheless. */
interface Verdict extends Pick<Withheld, "reason" | "groups" | "explanation"> {
  readonly room: number;
}

/** How large a team may become with the same removals still beyond the limit; `undefined` if they are not. */
function largestSize(limit: RemovalLimit, removals: number, size: number): number | undefined {
  if (limit === "off" || size < limit.min_team_size) return undefined;
  const largest = Math.ceil(removals * 100 / limit.percent) - 1;
  return largest >= size ? largest : undefined;
}

function judgeProof({ sources }: Pick<DesiredTeam, "sources">, room: number): Verdict | undefined {
  const failed = sources.filter(({ reading }) => reading.kind === "failed");
  const [first] = failed;
  if (first?.reading.kind === "failed") {
    const explanation =
      `${nameGroups(groupsOf(failed))} could not be read to its end, so nobody is known to be gone ` +
      `(${errorMessage(first.reading.error)})`;
    return { reason: "incomplete-read", groups: groupsOf(failed), explanation, room };
  }
  const remembered = sources.filter(({ reading }) => reading.kind === "complete" && reading.isRemembered);
  if (remembered.length > 0) {
    const explanation = `${nameGroups(groupsOf(remembered))} was not read in this cycle`;
    return { reason: "incomplete-read", groups: groupsOf(remembered), explanation, room };
  }
  const unproven = sources.filter(({ reading }) => reading.kind === "complete" && reading.unproven);
  const [doubtful] = unproven;
  if (doubtful?.reading.kind === "complete") {
    const explanation = `${nameGroups(groupsOf(unproven))} may not be whole: ${doubtful.reading.unproven}`;
    return { reason: "incomplete-read", groups: groupsOf(unproven), explanation, room };
  }
  // People whose status does not belong are shown with it: that is proof.
  const empty = sources.filter(({ mapping, reading }) =>
    reading.kind === "complete" && reading.users.length === 0 && !mapping.allow_empty
  );
  if (empty.length === 0) return undefined;
  const explanation = `${
    nameGroups(groupsOf(empty))
  } has no members; if that is meant, set allow_empty: true in its mapping`;
  return { reason: "empty-group", groups: groupsOf(empty), explanation, room };
}

function judgeAmount({ size, removals }: PolicedPlan, { sources }: DesiredTeam): Verdict | undefined {
  const sizes = sources.flatMap(({ mapping }) =>
    largestSize(mapping.removal_limit, removals.length, size) ?? []
  );
  if (sizes.length === 0) return undefined;
  const percent = Math.floor(removals.length * 100 / size);
  const explanation =
    `${removals.length} of ${size} members would go, ${percent} %, more than the removal_limit`;
  return { reason: "removal-limit", groups: [], explanation, room: Math.max(...sizes) - size };
}

/**
 * Whether the groups alone decide who is in this team: a write of the whole membership removes whoever came in the
 * same moment, and must do nothing that the next cycle would not do, or set right.
 */
export function isOpen({ sources }: DesiredTeam, { kept, withheld, ambiguous }: GuardedPlan): boolean {
  const isProven = judgeProof({ sources }, 0) === undefined;
  const isSynced = sources.every(({ mapping }) => mapping.policy === "sync");
  return isProven && isSynced && !withheld && kept.length === 0 && ambiguous.length === 0;
}

/**
 * Takes the removals out of a plan, all of them, unless they are proven and few: every group that feeds the
 * team was read to its last page in this cycle, none is suspiciously empty, and no mapping's limit is exceeded.
 */
export function guardPlan(plan: PolicedPlan, desired: DesiredTeam, options: GuardOptions = {}): GuardedPlan {
  const { removals, additions } = plan;
  if (removals.length === 0) return { ...plan, withheld: undefined };
  const amount = judgeAmount(plan, desired);
  const roomWithoutProof = options.wasLimited && amount ? amount.room : Infinity;
  const verdict = judgeProof(desired, roomWithoutProof) ?? (options.allowRemovals ? undefined : amount);
  if (!verdict) return { ...plan, withheld: undefined };
  const { room, ...why } = verdict;
  return {
    ...plan,
    additions: additions.slice(0, room),
    removals: [],
    withheld: { ...why, removals, additions: additions.slice(room) },
  };
}
