/** Random teams, groups, users and settings, for what holds in all of them. */
import fc from "fast-check";
import {
  DEFAULT_MEMBER_STATUSES,
  type Mapping,
  OKTA_USER_STATUSES,
  type RemovalLimit,
} from "../../src/config/schema.ts";
import type { OrgUser } from "../../src/grafana/schema.ts";
import type { OktaUser } from "../../src/okta/schema.ts";
import { type GroupReadings, peopleOf, type Team } from "../../src/sync/observe/world.ts";
import type { Change } from "../../src/sync/plan/actions.ts";
import { compare } from "../../src/sync/plan/compare.ts";
import { desiredTeams } from "../../src/sync/plan/desired.ts";
import { guard } from "../../src/sync/plan/guard.ts";
import { type Keeping, keepPeople } from "../../src/sync/plan/keep.ts";
import { complete, differenceOf, failed, mapping, readingsOf } from "./fixtures.ts";

/** Few addresses, in several cases, so that people meet often. */
const address = fc.tuple(
  fc.constantFrom("ann", "Ann", "ANN", "bo", "Bo", "cy", "di", "el", "fay", "zoë"),
  fc.boolean(),
)
  .map(([name, decomposed]) => `${decomposed ? name.normalize("NFD") : name}@x.org`);
const status = fc.oneof({ weight: 3, arbitrary: fc.constant("ACTIVE" as const) }, {
  weight: 1,
  arbitrary: fc.constantFrom(...OKTA_USER_STATUSES),
});

const oktaId = fc.constantFrom("u1", "u2", "u3", "u4", "u5");

const okta: fc.Arbitrary<OktaUser> = fc.record({
  id: oktaId,
  status,
  profile: fc.record({ login: address, email: fc.option(address) }),
});
const distinctOkta = fc.uniqueArray(okta, { selector: ({ id }) => id, maxLength: 5 });
const grafana = fc.uniqueArray(
  fc.record({
    userId: fc.integer({ min: 1, max: 12 }),
    email: fc.option(address),
    login: address,
    orgId: fc.constant(1),
  }),
  { selector: ({ userId }) => userId, minLength: 3, maxLength: 12 },
);
const fresh = distinctOkta.map((users) => complete(...users));
const reading = fc.oneof(
  { weight: 5, arbitrary: fresh },
  {
    weight: 1,
    arbitrary: fresh.map((one) =>
      one.kind === "fresh" ? { kind: "remembered" as const, value: one.value } : one
    ),
  },
  { weight: 1, arbitrary: fc.constant(failed) },
);

const limit: fc.Arbitrary<RemovalLimit> = fc.oneof(
  { weight: 1, arbitrary: fc.constant("off" as const) },
  {
    weight: 4,
    arbitrary: fc.record({ percent: fc.integer({ min: 0, max: 100 }), min_team_size: fc.nat(7) }),
  },
);
/** A setting that is mostly the one way. */
const rarely = fc.nat(4).map((value) => value === 0);

const group = fc.record({
  reading,
  allow_empty: fc.boolean(),
  policy: fc.oneof({ weight: 12, arbitrary: fc.constant("sync" as const) }, {
    weight: 1,
    arbitrary: fc.constant("add-only" as const),
  }),
  removal_limit: limit,
});

/** A team, the groups that feed it, what keeps people in it, and a Grafana whose list may miss some of its members. */
export interface Scene {
  readonly mappings: readonly Mapping[];
  readonly readings: GroupReadings;
  readonly users: readonly OrgUser[];
  readonly current: Team;
  readonly keeping: Keeping & { readonly identities: ReadonlyMap<string, number> };
  readonly allowRemovals: boolean;
}

/** A team with these members, as Grafana shows it. */
function teamOf(members: Team["members"]): Team {
  return { id: 1, memberCount: members.length, members };
}

const flags = (one: fc.Arbitrary<boolean>) => fc.array(one, { minLength: 12, maxLength: 12 });

/** Any scene. */
export const scene: fc.Arbitrary<Scene> = fc.record({
  groups: fc.array(group, { minLength: 1, maxLength: 3 }),
  known: grafana,
  inTeam: flags(fc.nat(2).map((value) => value > 0)),
  isAdmin: flags(rarely),
  isMissed: flags(rarely),
  protected_users: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, {
    weight: 1,
    arbitrary: fc.array(address, { maxLength: 2 }),
  }),
  keep_team_admins: fc.boolean(),
  identities: fc.array(fc.tuple(oktaId, fc.integer({ min: 1, max: 12 })), { maxLength: 6 }),
  allowRemovals: rarely,
}).map(({ groups, known, inTeam, isAdmin, isMissed, identities, allowRemovals, ...keeping }) => ({
  mappings: groups.map(({ reading: _, ...settings }, i) => mapping(`G${i}`, "T", settings)),
  readings: readingsOf(Object.fromEntries(groups.map((one, i) => [`G${i}`, one.reading]))),
  users: known.filter((_, i) => !isMissed[i]),
  current: teamOf(
    known.flatMap((user, i) => inTeam[i] ? [{ ...user, permission: isAdmin[i] ? 4 : 0 }] : []),
  ),
  keeping: { ...keeping, identities: new Map(identities) },
  allowRemovals,
}));

/** Who belongs into the team. */
export function desiredOf({ mappings, readings }: Scene) {
  const [desired] = desiredTeams(mappings, readings, DEFAULT_MEMBER_STATUSES);
  if (!desired) throw new TypeError("a scene has one team");
  return desired;
}

/** What makes the team equal to its groups. */
export function planOf(one: Scene) {
  return differenceOf(desiredOf(one), one.current, peopleOf(one.users));
}

/** The same after the settings that keep people. */
export function policedOf(one: Scene) {
  const { pending, ambiguous, identities, ...difference } = planOf(one);
  const desired = desiredOf(one);
  const kept = keepPeople(
    compare(desired, one.current, peopleOf(one.users)),
    desired,
    one.current,
    one.keeping,
  );
  return { ...difference, pending, ambiguous, identities, ...kept };
}

/** The same after the guard. */
export function guardedOf(one: Scene) {
  const policed = policedOf(one);
  const size = one.current.members.length;
  return { ...policed, size, ...guard(policed, desiredOf(one), size, one) };
}

/** Whom changes concern, sorted. */
export function idsOf(changes: readonly Change[]): number[] {
  return changes.map(({ user }) => user.userId).sort();
}

/** The scene after a plan was carried out. */
export function applied(
  one: Scene,
  { additions, removals }: { readonly additions: readonly Change[]; readonly removals: readonly Change[] },
): Scene {
  const { current, users } = one;
  const gone = new Set(idsOf(removals));
  const staying = current.members.filter(({ userId }) => !gone.has(userId));
  const joining = additions.flatMap(({ user }) => {
    const full = [...users, ...current.members].find(({ userId }) => userId === user.userId);
    return full ? [{ ...full, permission: 0 }] : [];
  });
  return { ...one, current: teamOf([...staying, ...joining]) };
}

/** The same scene, everything in it the other way round. */
export function turned(one: Scene): Scene {
  const backwards = <T>(items: readonly T[]) => [...items].reverse();
  return {
    ...one,
    mappings: backwards(one.mappings),
    readings: new Map(
      Array.from(
        one.readings,
        ([name, group]) =>
          [
            name,
            group.kind === "failed"
              ? group
              : { ...group, value: { ...group.value, users: backwards(group.value.users) } },
          ] as const,
      ),
    ),
    users: backwards(one.users),
    current: { ...one.current, members: backwards(one.current.members) },
    keeping: { ...one.keeping, protected_users: backwards(one.keeping.protected_users) },
  };
}

/** Whether every group shows each user alike; otherwise it would matter which one is read first. */
export function hasSameProfiles({ readings }: Scene): boolean {
  const profiles = new Map<string, string>();
  for (const group of readings.values()) {
    for (const { id, profile } of group.kind === "failed" ? [] : group.value.users) {
      const shown = JSON.stringify(profile);
      if ((profiles.get(id) ?? shown) !== shown) return false;
      profiles.set(id, shown);
    }
  }
  return true;
}

/** A test that something holds in any scene. */
export function property(name: string, holds: (one: Scene) => void): void {
  Deno.test(name, () => fc.assert(fc.property(scene, holds), { numRuns: 2_000 }));
}
