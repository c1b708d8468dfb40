/** Decides which removals may be carried out: those that are proven, and few. */
import type { RemovalLimit } from "../../config/schema.ts";
import { type Change, nameGroups, type OnHold } from "./actions.ts";
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

function groupsOf(sources: readonly Source[]): string[] {
  return sources.map(({ mapping }) => mapping.okta_group);
}

/** Why nobody is known to have left; `undefined` if every group was read and none is suspiciously empty. */
function judgeProof({ sources }: Pick<DesiredTeam, "sources">, room: number): Verdict | undefined {
  for (const { reading } of sources) {
    if (reading.kind !== "failed") continue;
    const groups = groupsOf(sources.filter((source) => source.reading.kind === "failed"));
    const explanation = `${nameGroups(groups)} could not be read to its end, so nobody is known to have ` +
      `left (${reading.error.message})`;
    return { reason: "incomplete-read", groups, explanation, room };
  }
  const remembered = groupsOf(sources.filter(({ reading }) => reading.kind === "remembered"));
  if (remembered.length > 0) {
    const explanation = `${nameGroups(remembered)} was not read in this cycle`;
    return { reason: "incomplete-read", groups: remembered, explanation, room };
  }
  const doubtful = sources.filter(({ reading }) => reading.kind === "fresh" && reading.doubt);
  for (const { reading } of doubtful) {
    if (reading.kind !== "fresh") continue;
    const groups = groupsOf(doubtful);
    return {
      reason: "incomplete-read",
      groups,
      explanation: `${nameGroups(groups)} may not be whole: ${reading.doubt}`,
      room,
    };
  }
  const empty = groupsOf(
    sources.filter(({ mapping, reading }) =>
      reading.kind === "fresh" && reading.value.users.length === 0 && !mapping.allow_empty
    ),
  );
  if (empty.length === 0) return undefined;
  const explanation = `${nameGroups(empty)} is empty; if that is intended, set allow_empty: true in ` +
    "its mapping";
  return { reason: "empty-group", groups: empty, explanation, room };
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
