/** Decides what is to be done with one team: reads what that takes, compares, guards. */
import type { Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import type { GrafanaTeam, TeamMember } from "../grafana/schema.ts";
import { type DesiredTeam, type GroupReading, isCurrent, isRemembered, MOST_AGE_MS } from "./desired.ts";
import { type GuardedPlan, type GuardOptions, guardPlan } from "./guard.ts";
import { type Change, type CurrentTeam, type Organisation, planTeam } from "./plan.ts";
import { type Keeping, keepPeople } from "./policy.ts";

/** What deciding needs. */
export interface DecideOptions extends GuardOptions {
  readonly grafana: GrafanaClient;
  readonly monotonic: () => number;
  readonly dryRun: boolean;
  readonly keeping: Keeping;
  /** The team as it was read ahead. */
  readonly peek: () => Promise<CurrentTeam>;
  /** Reads those of the team's groups that are remembered, or were read too long ago, and folds all. */
  readonly readWhole: (desired: DesiredTeam) => Promise<DesiredTeam>;
  /** Reads all of the team's groups once more, in place of what was read of them in this cycle, and folds them. */
  readonly readAnew: (desired: DesiredTeam) => Promise<DesiredTeam>;
  /** Reads all of the team's groups once more, beside what was read of them, and folds them. */
  readonly readAgain: (desired: DesiredTeam) => Promise<DesiredTeam>;
  /** Told of a group that could not be read once more. */
  readonly onUnread: (mapping: Mapping, reading: GroupReading) => void;
  readonly onReading?: (what: string, count: number) => void;
}

/** A team whose members something else writes. */
export class ForeignTeamError extends Error {
  constructor(team: string, by: string) {
    super(
      `Grafana team '${team}' is ${by}: gots left it alone; take its mappings out of the configuration, or end ` +
        "the other sync",
    );
    this.name = "ForeignTeamError";
  }
}

/** What else writes a team's members, in words; `undefined` if Grafana names nothing. */
export function describeForeign(team: GrafanaTeam, members: readonly TeamMember[]): string | undefined {
  if (team.isProvisioned) return "provisioned";
  const labels = new Set(members.flatMap((member) => member.labels ?? []));
  return labels.size > 0 ? `synced by ${[...labels].join(", ")}` : undefined;
}

/**
 * Reads who is in a team; one that does not exist has nobody in it.
 *
 * @throws {ForeignTeamError} if Grafana says that the team is provisioned, or synced by something else.
 * @throws {RequestError}
 */
export async function readMembers(
  name: string,
  team: GrafanaTeam | undefined,
  { grafana, onReading }: Pick<DecideOptions, "grafana" | "onReading">,
): Promise<CurrentTeam> {
  if (!team) return { id: undefined, memberCount: 0, members: [] };
  onReading?.(`Grafana team ${name}`, 0);
  const members = team.isProvisioned ? [] : await grafana.listTeamMembers(team.id);
  const foreign = describeForeign(team, members);
  if (foreign) throw new ForeignTeamError(name, foreign);
  return { id: team.id, memberCount: team.memberCount, members };
}

/** What is to be done with a team, and what that rests on. */
export interface Decision {
  readonly plan: GuardedPlan;
  readonly current: CurrentTeam;
  readonly desired: DesiredTeam;
  /** How many members Grafana counted before: the next cycle sees by that whether somebody came meanwhile. */
  readonly countBefore: number;
  /** After this time nothing of it is written any more, by `monotonic`. */
  readonly goodUntil: number;
}

/** So much time has passed since it was decided what is to be done with a team that it is decided anew. */
export class OutdatedError extends Error {
  constructor() {
    super(`what was to be done was decided more than ${MOST_AGE_MS / 1_000} s ago`);
    this.name = "OutdatedError";
  }
}

/**
 * The plan that one reading of the groups, or two of them, make for a team: who is in either stays. `mayGo` are those
 * who may be removed at all.
 */
function planFrom(
  [first, again]: readonly [DesiredTeam, (DesiredTeam | undefined)?],
  current: CurrentTeam,
  organisation: Organisation,
  options: DecideOptions,
  mayGo?: ReadonlySet<number>,
): GuardedPlan {
  const plan = (desired: DesiredTeam) =>
    keepPeople(planTeam(desired, current, organisation), desired, current, options.keeping);
  const one = plan(first);
  // A second reading that failed proves nothing, and brings nobody.
  const isWhole = again?.sources.every(({ reading }) => reading.kind === "complete") ?? false;
  const last = again && isWhole ? plan(again) : one;
  const gone = new Set(one.removals.map(({ user }) => user.userId));
  const isGone = ({ user: { userId } }: Change) => gone.has(userId) && (mayGo?.has(userId) ?? true);
  return guardPlan({ ...last, removals: last.removals.filter(isGone) }, again ?? first, options);
}

function tellUnread({ sources }: DesiredTeam, { onUnread }: DecideOptions): void {
  for (const { mapping, reading } of sources) if (reading.kind === "failed") onUnread(mapping, reading);
}

function changesIn({ additions, removals }: GuardedPlan): number {
  return additions.length + removals.length;
}

/** Whether a plan rests on groups that were just read: each removal on all of them, each addition on one. */
function isProven({ sources }: DesiredTeam, plan: GuardedPlan, nowMs: number): boolean {
  if (sources.every(({ reading }) => isCurrent(reading, nowMs))) return true;
  // Before a removal they are all read once more, those of this cycle as well.
  if (plan.removals.length > 0 || plan.withheld) return !sources.some(isRemembered);
  if (plan.teamId === undefined) return false;
  const read = new Set(
    sources.filter(({ reading }) => isCurrent(reading, nowMs))
      .flatMap(({ members }) => members.map(({ id }) => plan.identities.get(id))),
  );
  return plan.additions.every(({ user }) => read.has(user.userId));
}

/**
 * Reads the groups of a team that were not read in this cycle, or too long ago, if anything is to be done on the
 * strength of them: Okta does not tell of deleted groups and people.
 */
export async function prove(
  known: DesiredTeam,
  organisation: Organisation,
  options: DecideOptions,
): Promise<DesiredTeam> {
  const plan = planFrom([known], await options.peek(), organisation, options);
  return isProven(known, plan, options.monotonic()) ? known : await options.readWhole(known);
}

/**
 * Decides what is to be done with a team that is proven. Before anybody is removed, all groups are read once more:
 * whoever is in either reading stays. So nobody is lost who moved from one page to another while the group was read,
 * or who came while the cycle waited for a rate limit. Before anything is written the team is read again, for it was
 * read ahead; who came into it meanwhile is left to the next cycle.
 */
export async function decide(
  desired: DesiredTeam,
  organisation: Organisation,
  options: DecideOptions,
): Promise<Decision> {
  const peeked = await options.peek();
  const countBefore = peeked.memberCount;
  let goodUntil = options.monotonic() + MOST_AGE_MS;
  let plan = planFrom([desired], peeked, organisation, options);
  let again: DesiredTeam | undefined;
  if (plan.removals.length > 0) {
    again = await options.readAgain(desired);
    goodUntil = options.monotonic() + MOST_AGE_MS;
    tellUnread(again, options);
    plan = planFrom([desired, again], peeked, organisation, options);
  }
  // A team that does not exist cannot have been changed meanwhile.
  const isFinal = changesIn(plan) === 0 || options.dryRun || peeked.id === undefined;
  if (isFinal) return { plan, current: peeked, desired: again ?? desired, countBefore, goodUntil };
  const mayGo = new Set([...plan.removals, ...plan.withheld?.removals ?? []].map(({ user }) => user.userId));
  const current = await readMembers(desired.name, await options.grafana.findTeam(desired.name), options);
  plan = planFrom([desired, again], current, organisation, options, mayGo);
  if (again || plan.removals.length === 0) {
    return { plan, current, desired: again ?? desired, countBefore, goodUntil };
  }
  // The limit withheld these, but would not of the team as it is by now: they were read only once.
  return await decide(desired, organisation, { ...options, peek: () => Promise.resolve(current) });
}
