/**
 * The plan of one team. For each person, by whether they belong (one of the team's groups holds them, with a status
 * that makes them a member), whether they are in the team, and what proves it:
 *
 * | belongs | in the team | proof                                | becomes                        |
 * | ------- | ----------- | ------------------------------------ | ------------------------------ |
 * | yes     | no          | any; the group was read in this cycle | add                            |
 * | yes     | no          | Grafana does not know them           | pending                        |
 * | yes     | either      | several accounts could be theirs     | ambiguous, nobody is touched   |
 * | yes     | yes         | any                                  | nothing: in sync               |
 * | no      | yes         | a setting keeps them                 | kept                           |
 * | no      | yes         | every group, read twice              | remove                         |
 * | no      | yes         | a group failed, or shows nobody      | on hold                        |
 * | no      | yes         | proven, but above the removal limit  | on hold, with late additions   |
 */
import { isCurrent, type People, type Team } from "../observe/world.ts";
import { type Action, type Hold, nameGroups, ofKind } from "./actions.ts";
import { compare, type Difference } from "./compare.ts";
import type { DesiredTeam } from "./desired.ts";
import { guard, type Guarded, type GuardOptions } from "./guard.ts";
import { type Keeping, keepPeople } from "./keep.ts";

/** One team and the people who belong in it, as read. */
export interface View {
  /** From the first reading of its groups, and from the second one. */
  readonly desired: readonly [first: DesiredTeam, second?: DesiredTeam];
  readonly team: Team;
  readonly people: People;
  /** The groups were read again for this team. If Okta is down, the readings may still be old. */
  readonly hasReread?: boolean;
  /** Set once the team has been read again, right before the write: only these people may be removed. Grafana ids. */
  readonly removable?: ReadonlySet<number>;
}

/** What has to be read before the plan may be carried out. */
export type Proof =
  /** Groups that are only remembered. */
  | "groups"
  /** The same groups, a second time. */
  | "groups again"
  /** The team, right before it is written. */
  | "team again";

/** What is to be done with one team. */
export interface TeamPlan {
  readonly team: string;
  /** `undefined` if the team is to be created. */
  readonly teamId: number | undefined;
  /** How many members it has now. */
  readonly size: number;
  /** In the order in which they are carried out. */
  readonly actions: readonly Action[];
  readonly holds: readonly Hold[];
  /** Who is who among the members who were found: Okta's id to Grafana's. */
  readonly identities: Difference["identities"];
  /** What has to be read first; `undefined` if everything is proven. */
  readonly missing: Proof | undefined;
}

/** What a plan does and does not do, each kind by itself. */
export function partsOf({ actions, holds }: Pick<TeamPlan, "actions" | "holds">) {
  return {
    additions: ofKind(actions, "add"),
    removals: ofKind(actions, "remove"),
    pending: ofKind(holds, "pending"),
    ambiguous: ofKind(holds, "ambiguous"),
    kept: ofKind(holds, "kept"),
    onHold: ofKind(holds, "on_hold")[0],
  };
}

/** The rules of one team. */
export interface Rules extends GuardOptions {
  readonly keeping: Keeping;
  /** On the monotonic clock, in milliseconds. */
  readonly now: number;
}

function isRead({ sources }: DesiredTeam): boolean {
  return sources.every(({ reading }) => reading.kind === "fresh");
}

/** People in either reading stay. A second reading that failed proves nothing and adds nobody. */
function differenceOf({ desired: [first, second], team, people, removable }: View, { keeping }: Rules) {
  const differ = (desired: DesiredTeam) => {
    const difference = compare(desired, team, people);
    return { ...difference, ...keepPeople(difference, desired, team, keeping) };
  };
  const before = differ(first);
  const last = second && isRead(second) ? differ(second) : before;
  const gone = new Set(before.removals.map(({ user }) => user.userId));
  const isGone = (userId: number) => gone.has(userId) && (removable?.has(userId) ?? true);
  return { ...last, removals: last.removals.filter(({ user }) => isGone(user.userId)) };
}

/**
 * Whether the changes rest on groups that were read in this cycle: a removal, and a team's creation, on all of them, an
 * addition on one that holds the person. Okta does not tell of deleted groups and people.
 */
function restOnFresh(
  { sources }: DesiredTeam,
  { teamId, identities }: TeamPlan,
  { additions, removals, onHold }: Guarded,
  now: number,
): boolean {
  const current = sources.filter(({ reading }) => isCurrent(reading, now));
  if (current.length === sources.length) return true;
  // Before a removal all of them are read again, including those of this cycle.
  if (removals.length > 0 || onHold) return sources.every(({ reading }) => reading.kind !== "remembered");
  if (teamId === undefined) return false;
  const proven = new Set(current.flatMap(({ members }) => members.map(({ id }) => identities.get(id))));
  return additions.every(({ user }) => proven.has(user.userId));
}

/** What to read next. Reading it makes everything read after it in this order stale. */
function missingProof(
  { desired: [first, second], hasReread = false, removable }: View,
  plan: TeamPlan,
  changes: Guarded,
  now: number,
) {
  if (!hasReread && !restOnFresh(first, plan, changes, now)) return "groups";
  if (changes.removals.length > 0 && !second) return "groups again";
  // A team that does not exist cannot have changed.
  const isStale = plan.teamId !== undefined && !removable;
  return isStale && changes.additions.length + changes.removals.length > 0 ? "team again" : undefined;
}

/** Plans one team, and says what has to be read before the plan may be carried out. */
export function planTeam(view: View, rules: Rules): TeamPlan {
  const { desired: [first, second], team } = view;
  const { unresolved, kept, identities, ...wanted } = differenceOf(view, rules);
  const changes = guard(wanted, second ?? first, team.members.length, rules);
  const { additions, removals, onHold } = changes;
  const [source] = first.sources;
  const why = `mapped from ${nameGroups(first.sources.map(({ mapping }) => mapping.okta_group))}`;
  const creation: readonly Action[] = team.id === undefined
    ? [{ kind: "create_team", team: first.name, source, why }]
    : [];
  const plan: TeamPlan = {
    team: first.name,
    teamId: team.id,
    size: team.members.length,
    actions: [...creation, ...additions, ...removals],
    holds: [...unresolved, ...kept, ...onHold ? [onHold] : []],
    identities,
    missing: undefined,
  };
  return { ...plan, missing: missingProof(view, plan, changes, rules.now) };
}

/** The people a plan removes, or would remove if they were not on hold. Grafana ids. */
export function leavingBy({ actions, holds }: TeamPlan): ReadonlySet<number> {
  const onHold = ofKind(holds, "on_hold").flatMap(({ removals }) => removals);
  return new Set([...ofKind(actions, "remove"), ...onHold].map(({ user }) => user.userId));
}
