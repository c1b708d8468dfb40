/** What a process remembers from cycle to cycle. */
import type { BulkMemory } from "./bulk.ts";
import { type DesiredTeam, isWhole } from "./desired.ts";
import type { GuardedPlan } from "./guard.ts";
import { createJoinMemory } from "./join.ts";
import type { JoinMemory } from "./joining.ts";
import type { PatienceMemory } from "./patience.ts";
import { createScopeMemory, type ScopeMemory } from "./scope.ts";
import type { ToldMemory } from "./tell.ts";

/** What is kept from one cycle to the next. A process that begins without it knows nobody who was renamed. */
export interface CycleMemory {
  /** How many cycles have begun. */
  cycles: number;
  readonly scope: ScopeMemory;
  readonly bulk: BulkMemory;
  readonly join: JoinMemory;
  readonly told: ToldMemory;
  readonly patience: PatienceMemory;
  /** Which Grafana user each Okta user was when their addresses were last equal. */
  readonly identities: Map<string, number>;
  /** The same the other way round: whose each Grafana user is. */
  readonly owners: Map<number, string>;
  /** In which groups each Okta user was last, and how many readings of them missed them since. */
  readonly lastSeen: Map<string, { readonly groups: readonly string[]; missed: number }>;
  /** Writes that failed when they were last tried; they come last. */
  readonly failing: Set<string>;
  /** Teams whose removals the limit withheld when they were last compared for certain. */
  readonly limited: Set<string>;
  /** Groups and teams that were not asked in the last cycle, because the service was given up, and since which cycle. */
  unasked: ReadonlyMap<string, number>;
}

/** A memory for a process that begins. */
export function createCycleMemory(): CycleMemory {
  return {
    cycles: 0,
    scope: createScopeMemory(),
    bulk: { isUnsupported: false },
    join: createJoinMemory(),
    told: new Map(),
    patience: new Map(),
    identities: new Map(),
    owners: new Map(),
    lastSeen: new Map(),
    failing: new Set(),
    limited: new Set(),
    unasked: new Map(),
  };
}

/**
 * In their order; but first those that were not asked in the last cycle, the longest waiting before the others,
 * and last those that failed: nobody starves behind them.
 */
export function fairly<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  { unasked, patience, cycles }: CycleMemory,
): T[] {
  const rank = (item: T) => {
    const key = keyOf(item);
    return unasked.get(key) ?? (patience.has(key) ? cycles + 1 : cycles);
  };
  return [...items].sort((a, b) => rank(a) - rank(b));
}

/** Notes who was not asked in this cycle. */
export function noteUnasked(memory: CycleMemory, keys: readonly string[]): void {
  memory.unasked = new Map(keys.map((key) => [key, memory.unasked.get(key) ?? memory.cycles]));
}

/** Remembers who is who. An account that is known as somebody's stays theirs, whoever carries its address for a while. */
export function rememberIdentities(
  { identities, owners }: CycleMemory,
  { identities: found, kept }: GuardedPlan,
): void {
  const renamed = new Set(kept.filter(({ reason }) => reason === "renamed").map(({ user }) => user.userId));
  for (const [oktaId, userId] of found) {
    const before = identities.get(oktaId) ?? NaN;
    const isOthers = (owners.get(userId) ?? oktaId) !== oktaId;
    if (isOthers || renamed.has(before)) continue;
    owners.delete(before);
    identities.set(oktaId, userId);
    owners.set(userId, oktaId);
  }
}

/** Whoever was missing in so many readings is forgotten: memory must not grow, and one reading may be wrong. */
const FORGET_AFTER_READINGS = 100;

/** More failed writes than this are not remembered: it is only for their order. */
const MOST_FAILING = 10_000;

/** After a full cycle. Counts only readings of all the groups in which somebody was: what could not be read proves no absence. */
export function forgetLeavers(
  { lastSeen, identities, owners, join, failing }: CycleMemory,
  teams: readonly DesiredTeam[],
): void {
  const unread = new Set(
    teams.flatMap(({ sources }) => sources.filter((source) => !isWhole(source)))
      .map(({ mapping }) => mapping.okta_group),
  );
  const present = new Map(
    teams.flatMap(({ members }) => members.map(({ user, groups }) => [user.id, groups] as const)),
  );
  if (failing.size > MOST_FAILING) failing.clear();
  for (const [id, groups] of present) lastSeen.set(id, { groups, missed: 0 });
  for (const [id, seen] of lastSeen) {
    if (present.has(id) || seen.groups.some((group) => unread.has(group))) continue;
    if (++seen.missed < FORGET_AFTER_READINGS) continue;
    const { tryAgainAt, failures, absent, outlook, strangers, joined, departed } = join;
    owners.delete(identities.get(id) ?? NaN);
    const memories = [
      lastSeen,
      identities,
      tryAgainAt,
      failures,
      absent,
      outlook,
      strangers,
      joined,
      departed,
    ];
    for (const memory of memories) memory.delete(id);
  }
}
