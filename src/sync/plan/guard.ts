/** Decides which removals may be carried out: those that are proven, and few. */
import type { RemovalLimit } from "../../config/schema.ts";
import { type Change, type HoldReason, nameGroups, type OnHold } from "./actions.ts";
import type { DesiredTeam, Source } from "./desired.ts";

/** What was decided for this team outside the plan. */
export interface GuardOptions {
  /** An operator lets the removals of this team through, whatever the limit says. @default {false} */
  readonly allowRemovals?: boolean;
  /** The limit held removals before: additions go on waiting for it while nothing is proven. @default {false} */
  readonly wasLimited?: boolean;
  /** Members who were removed from this team earlier in this cycle: they count for the limit. @default {0} */
  readonly removedBefore?: number;
}

/** What may be carried out, and what may not. */
export interface Guarded {
  readonly additions: readonly Change<"add">[];
  readonly removals: readonly Change<"remove">[];
  /** `undefined` if nothing is on hold. */
  readonly onHold: OnHold | undefined;
}

/** Why removals are on hold, and how many additions go through nevertheless. */
interface Verdict extends Pick<OnHold, "reason" | "groups" | "explanation"> {
  readonly room: number;
}

/** Why a group does not prove that somebody is not in it; the lower the rank, the graver. */
function flawOf({ mapping, reading }: Source) {
  const flaw = (rank: number, words: string, reason: HoldReason = "incomplete-read") => (
    { group: mapping.okta_group, rank, words, reason }
  );
  if (reading.kind === "failed") {
    const { message } = reading.error;
    return flaw(1, `could not be read to its end, so nobody is known to have left (${message})`);
  }
  if (reading.kind === "remembered") return flaw(2, "was not read in this cycle");
  if (reading.doubt) return flaw(3, `may not be whole: ${reading.doubt}`);
  const isSuspicious = reading.value.users.length === 0 && !mapping.allow_empty;
  const words = "is empty; if that is intended, set allow_empty: true in its mapping";
  return isSuspicious ? flaw(4, words, "empty-group") : undefined;
}

/** Why nobody is known to have left; `undefined` if every group was read and none is suspiciously empty. */
function judgeProof({ sources }: Pick<DesiredTeam, "sources">, room: number): Verdict | undefined {
  const flaws = sources.flatMap((source) => flawOf(source) ?? []).sort((a, b) => a.rank - b.rank);
  const [gravest] = flaws;
  if (!gravest) return undefined;
  const { rank, reason, words } = gravest;
  const groups = flaws.filter((flaw) => flaw.rank === rank).map(({ group }) => group);
  return { reason, groups, explanation: `${nameGroups(groups)} ${words}`, room };
}

/** How large a team may become with the same removals still above the limit; `undefined` if they are not above it. */
function largestSize(limit: RemovalLimit, removals: number, size: number): number | undefined {
  if (limit === "off" || size < limit.min_team_size) return undefined;
  const largest = Math.ceil(removals * 100 / limit.percent) - 1;
  return largest >= size ? largest : undefined;
}

function judgeAmount(removals: number, size: number, { sources }: DesiredTeam): Verdict | undefined {
  const sizes = sources.flatMap(({ mapping }) => largestSize(mapping.removal_limit, removals, size) ?? []);
  if (sizes.length === 0) return undefined;
  const percent = Math.floor(removals * 100 / size);
  const explanation = `${removals} of ${size} members would go, ${percent} %, more than the removal_limit`;
  return { reason: "removal-limit", groups: [], explanation, room: Math.max(...sizes) - size };
}

/** Whether every group of a team is proof that somebody is not in it. */
export function isProven(desired: DesiredTeam): boolean {
  return judgeProof(desired, 0) === undefined;
}

/**
 * Puts removals on hold, all of them, unless they are proven and few: every group that feeds the team was read to its
 * last page in this cycle, none is suspiciously empty, and no mapping's limit is exceeded.
 *
 * @param size How many members the team has.
 */
export function guard(
  { additions, removals }: Omit<Guarded, "onHold">,
  desired: DesiredTeam,
  size: number,
  { allowRemovals = false, wasLimited = false, removedBefore = 0 }: GuardOptions = {},
): Guarded {
  const nothing = { additions, removals, onHold: undefined };
  if (removals.length === 0) return nothing;
  const amount = judgeAmount(removals.length + removedBefore, size + removedBefore, desired);
  const roomWithoutProof = wasLimited && amount ? amount.room : Infinity;
  const verdict = judgeProof(desired, roomWithoutProof) ?? (allowRemovals ? undefined : amount);
  if (!verdict) return nothing;
  const { room, ...why } = verdict;
  return {
    additions: additions.slice(0, room),
    removals: [],
    onHold: { kind: "on_hold", ...why, removals, additions: additions.slice(room) },
  };
}
