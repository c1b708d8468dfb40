/** Decides which removals may be carried out. Pure: no fetch, no clock, no log. */
import type { DesiredTeam, Source } from "./desired.ts";
import type { Change, TeamPlan } from "./plan.ts";

/** Why removals are withheld: a closed set of words. */
export const WITHHOLDING_REASONS = ["incomplete-read", "empty-group"] as const;

/** Why a removal is withheld. */
export type WithholdingReason = (typeof WITHHOLDING_REASONS)[number];

/** Removals that are not carried out. */
export interface Withheld {
  readonly reason: WithholdingReason;
  readonly removals: readonly Change[];
  /** What it takes, in words: the groups, and what to do. */
  readonly explanation: string;
}

/** A plan that may be carried out as it is. */
export interface GuardedPlan extends TeamPlan {
  /** `undefined` if nothing is withheld. */
  readonly withheld: Withheld | undefined;
}

function names(sources: readonly Source[]): string {
  return sources.map(({ mapping }) => `'${mapping.okta_group}'`).join(", ");
}

function reasonFor(desired: DesiredTeam): Pick<Withheld, "reason" | "explanation"> | undefined {
  const failed = desired.sources.filter(({ reading }) => reading.kind === "failed");
  if (failed.length > 0) {
    return {
      reason: "incomplete-read",
      explanation: `Okta group ${names(failed)} could not be read to its end, so nobody is known to be gone`,
    };
  }
  const empty = desired.sources.filter(({ mapping, members }) =>
    members.length === 0 && !mapping.allow_empty
  );
  if (empty.length > 0) {
    return {
      reason: "empty-group",
      explanation: `Okta group ${
        names(empty)
      } has no member who counts; if that is meant, set allow_empty: true in its mapping`,
    };
  }
  return undefined;
}

/**
 * Takes the removals out of a plan unless they are proven: every group that feeds the team was read to its
 * last page in this cycle, and none is suspiciously empty.
 */
export function guardPlan(plan: TeamPlan, desired: DesiredTeam): GuardedPlan {
  const withholding = plan.removals.length > 0 ? reasonFor(desired) : undefined;
  if (!withholding) return { ...plan, withheld: undefined };
  return { ...plan, removals: [], withheld: { ...withholding, removals: plan.removals } };
}
