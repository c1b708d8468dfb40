/** Who is who: which Grafana user each Okta user was when their addresses were last equal. Pure. */
import { ofKind } from "./plan/actions.ts";
import type { DesiredTeam } from "./plan/desired.ts";
import type { TeamPlan } from "./plan/team.ts";

/** Somebody who was missing in this many full readings is forgotten: memory must not grow, and one reading may be wrong. */
const FORGET_AFTER_READINGS = 100;

/** An Okta user. */
interface Seen {
  /** The groups that held them last. */
  readonly groups: readonly string[];
  /** How many full readings of these groups have missed them since. */
  readonly missed: number;
}

/** Who is who. What changed since the last full cycle stands apart, so that one newcomer does not copy everybody. */
export interface Identities {
  /** Grafana's id by Okta's. */
  readonly accounts: Layered<string, number>;
  /** Okta's id by Grafana's: whose each account is. */
  readonly owners: Layered<number, string>;
  /** By Okta id; of the last full cycle. */
  readonly seen: ReadonlyMap<string, Seen>;
}

/** A map and what has changed in it since; `undefined` for what is not in it any more. */
interface Layered<K, V> {
  readonly base: ReadonlyMap<K, V>;
  readonly recent: ReadonlyMap<K, V | undefined>;
}

function get<K, V>({ base, recent }: Layered<K, V>, key: K): V | undefined {
  return recent.has(key) ? recent.get(key) : base.get(key);
}

function empty<K, V>(): Layered<K, V> {
  return { base: new Map(), recent: new Map() };
}

/** Nobody is known. */
export const nobody: Identities = { accounts: empty(), owners: empty(), seen: new Map() };

/** Looks up Grafana's id of an Okta user. */
export function accountsOf({ accounts }: Identities): { get(oktaId: string): number | undefined } {
  return { get: (oktaId) => get(accounts, oktaId) };
}

/**
 * Adds the people that plans have identified. An account known to be someone's stays theirs, even if another person
 * uses its address for a while.
 */
export function afterPlans(before: Identities, plans: readonly TeamPlan[]): Identities {
  const accounts = new Map(before.accounts.recent);
  const owners = new Map(before.owners.recent);
  const now = {
    accounts: { ...before.accounts, recent: accounts },
    owners: { ...before.owners, recent: owners },
  };
  let hasChanged = false;
  for (const { identities, holds } of plans) {
    const renamed = new Set(
      ofKind(holds, "kept").filter(({ reason }) => reason === "renamed").map(({ change }) =>
        change.user.userId
      ),
    );
    for (const [oktaId, userId] of identities) {
      const known = get(now.accounts, oktaId);
      const isOthers = (get(now.owners, userId) ?? oktaId) !== oktaId;
      if (known === userId || isOthers || known !== undefined && renamed.has(known)) continue;
      if (known !== undefined) owners.set(known, undefined);
      accounts.set(oktaId, userId);
      owners.set(userId, oktaId);
      hasChanged = true;
    }
  }
  return hasChanged ? { ...before, ...now } : before;
}

/** One map of what is known by now, without those that are forgotten. */
function folded<K, V>(
  { base, recent }: Layered<K, V>,
  forgotten: ((key: K, value: V) => boolean) | undefined,
): Layered<K, V> {
  const all = new Map(base);
  for (const [key, value] of recent) {
    if (value === undefined) all.delete(key);
    else all.set(key, value);
  }
  if (forgotten) { for (const [key, value] of all) if (forgotten(key, value)) all.delete(key); }
  return { base: all, recent: new Map() };
}

/**
 * After a full cycle: forgets people who have been missing for long. Only readings of all the groups in which somebody
 * was count: what could not be read, or was skipped, proves no absence.
 */
export function afterFullCycle(before: Identities, teams: readonly DesiredTeam[]): Identities {
  const sources = teams.flatMap((team) => team.sources);
  const read = new Set(sources.map(({ mapping }) => mapping.okta_group));
  for (const { mapping, reading } of sources) {
    if (reading.kind !== "fresh" || reading.doubt) read.delete(mapping.okta_group);
  }
  const seen = new Map<string, Seen>();
  for (const { members } of teams) {
    for (const { user, groups } of members) seen.set(user.id, { groups, missed: 0 });
  }
  const forgotten = new Set<string>();
  for (const [id, { groups, missed }] of before.seen) {
    if (seen.has(id)) continue;
    const isUnread = groups.some((group) => !read.has(group));
    if (isUnread || missed + 1 < FORGET_AFTER_READINGS) {
      seen.set(id, { groups, missed: missed + Number(!isUnread) });
    } else forgotten.add(id);
  }
  if (forgotten.size === 0 && before.accounts.recent.size === 0 && before.owners.recent.size === 0) {
    return { ...before, seen };
  }
  return {
    seen,
    accounts: folded(before.accounts, forgotten.size > 0 ? (id) => forgotten.has(id) : undefined),
    owners: folded(before.owners, forgotten.size > 0 ? (_, id) => forgotten.has(id) : undefined),
  };
}
