import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_MEMBER_STATUSES, type Mapping, OKTA_USER_STATUSES } from "../../src/config/schema.ts";
import { foldAddress } from "../../src/grafana/directory.ts";
import type { OrgUser } from "../../src/grafana/schema.ts";
import type { OktaUser } from "../../src/okta/schema.ts";
import { foldDesired, type GroupReading } from "../../src/sync/desired.ts";
import { guardPlan } from "../../src/sync/guard.ts";
import { mapping, readingsOf } from "./fixtures.ts";
import { createOrganisation, type CurrentTeam, planTeam, type TeamPlan } from "../../src/sync/plan.ts";

/** Few addresses, in several cases, so that people meet often. */
const address = fc.tuple(fc.constantFrom("ann", "Ann", "ANN", "bo", "Bo", "cy", "di", "zoë"), fc.boolean())
  .map(([name, decomposed]) => `${decomposed ? name.normalize("NFD") : name}@x.org`);
const status = fc.oneof({ weight: 3, arbitrary: fc.constant("ACTIVE" as const) }, {
  weight: 1,
  arbitrary: fc.constantFrom(...OKTA_USER_STATUSES),
});

const okta: fc.Arbitrary<OktaUser> = fc.record({
  id: fc.constantFrom("u1", "u2", "u3", "u4", "u5"),
  status,
  profile: fc.record({ login: address, email: fc.option(address) }),
});
const distinctOkta = fc.uniqueArray(okta, { selector: ({ id }) => id, maxLength: 5 });
const grafana = fc.uniqueArray(
  fc.record({
    userId: fc.integer({ min: 1, max: 8 }),
    email: fc.option(address),
    login: address,
    orgId: fc.constant(1),
  }),
  { selector: ({ userId }) => userId, maxLength: 8 },
);
const reading: fc.Arbitrary<GroupReading> = fc.oneof(
  {
    weight: 5,
    arbitrary: distinctOkta.map((users) => ({ kind: "complete" as const, users, seconds: 0 })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "failed" as const, error: "no", seconds: 0 }) },
);

/** A team, the groups that feed it, and a Grafana whose list may miss some of the team's members. */
interface Scene {
  readonly mappings: readonly Mapping[];
  readonly readings: ReadonlyMap<string, GroupReading>;
  readonly users: readonly OrgUser[];
  readonly current: CurrentTeam;
}

const scene: fc.Arbitrary<Scene> = fc.record({
  groups: fc.array(fc.tuple(reading, fc.boolean()), { minLength: 1, maxLength: 3 }),
  known: grafana,
  inTeam: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  listed: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()), {
    minLength: 8,
    maxLength: 8,
  }),
}).map(({ groups, known, inTeam, listed }) => ({
  mappings: groups.map(([_, allow_empty], i) => mapping(`G${i}`, "T", { allow_empty })),
  readings: readingsOf(Object.fromEntries(groups.map(([one], i) => [`G${i}`, one]))),
  users: known.filter((_, i) => listed[i]),
  current: { id: 1, members: known.filter((_, i) => inTeam[i]).map((user) => ({ ...user, permission: 0 })) },
}));

function desiredOf({ mappings, readings }: Scene) {
  const [desired] = foldDesired(mappings, readings, DEFAULT_MEMBER_STATUSES);
  if (!desired) throw new TypeError("a scene has one team");
  return desired;
}

const planOf = (one: Scene): TeamPlan => planTeam(desiredOf(one), one.current, createOrganisation(one.users));
const idsOf = (changes: TeamPlan["additions"]) => changes.map(({ user }) => user.userId).sort();

/** The team after these changes. */
function applied({ current, users }: Scene, { additions, removals }: TeamPlan): CurrentTeam {
  const gone = new Set(idsOf(removals));
  const staying = current.members.filter(({ userId }) => !gone.has(userId));
  const joining = additions.flatMap(({ user }) => {
    const full = users.find(({ userId }) => userId === user.userId) ??
      current.members.find(({ userId }) => userId === user.userId);
    return full ? [{ ...full, permission: 0 }] : [];
  });
  return { id: 1, members: [...staying, ...joining] };
}

const PARAMETERS = { numRuns: 1_000 };

function property(name: string, holds: (one: Scene) => void): void {
  Deno.test(name, () => fc.assert(fc.property(scene, holds), PARAMETERS));
}

property("nobody is added twice, removed twice, or both added and removed", (one) => {
  const plan = planOf(one);
  const all = [...plan.additions, ...plan.removals].map(({ user }) => user.userId);
  assertEquals(new Set(all).size, all.length);
});

property("only those who are absent are added, only those who are present are removed", (one) => {
  const present = new Set(one.current.members.map(({ userId }) => userId));
  const plan = planOf(one);
  assert(idsOf(plan.additions).every((id) => !present.has(id)));
  assert(idsOf(plan.removals).every((id) => present.has(id)));
});

property("a plan that was carried out leaves nothing to do", (one) => {
  const after = { ...one, current: applied(one, planOf(one)) };
  const again = planOf(after);
  assertEquals([again.additions, again.removals], [[], []]);
});

property(
  "a guarded plan that was carried out adds nobody again, and still removes nobody it withheld",
  (one) => {
    const guarded = guardPlan({ ...planOf(one), kept: [] }, desiredOf(one));
    const after = { ...one, current: applied(one, guarded) };
    const again = guardPlan({ ...planOf(after), kept: [] }, desiredOf(after));
    assertEquals([again.additions, again.removals], [[], []]);
    assertEquals(idsOf(again.withheld?.removals ?? []), idsOf(guarded.withheld?.removals ?? []));
  },
);

property("the order in which groups, users and members come does not matter", (one) => {
  const backwards = <T>(items: readonly T[]) => [...items].reverse();
  const turned: Scene = {
    mappings: backwards(one.mappings),
    readings: new Map(
      Array.from(
        one.readings,
        ([name, group]) =>
          [name, group.kind === "complete" ? { ...group, users: backwards(group.users) } : group] as const,
      ),
    ),
    users: backwards(one.users),
    current: { ...one.current, members: backwards(one.current.members) },
  };
  // Somebody whose profile differs between two readings would make the order matter.
  fc.pre(sameProfiles(one));
  const [plan, other] = [planOf(one), planOf(turned)];
  assertEquals(idsOf(plan.additions), idsOf(other.additions));
  assertEquals(idsOf(plan.removals), idsOf(other.removals));
  const who = ({ pending }: TeamPlan) => pending.map(({ user }) => user.id).sort();
  assertEquals(who(plan), who(other));
});

function sameProfiles({ readings }: Scene): boolean {
  const profiles = new Map<string, string>();
  for (const group of readings.values()) {
    for (const { id, profile } of group.kind === "complete" ? group.users : []) {
      const shown = JSON.stringify(profile);
      if ((profiles.get(id) ?? shown) !== shown) return false;
      profiles.set(id, shown);
    }
  }
  return true;
}

property("nobody is removed who alone carries the email of somebody who belongs", (one) => {
  const removed = new Set(idsOf(planOf(one).removals));
  const people = [
    ...new Map([...one.users, ...one.current.members].map((user) => [user.userId, user])).values(),
  ];
  for (const { user: { profile } } of desiredOf(one).members) {
    if (!profile.email) continue;
    const wanted = foldAddress(profile.email);
    const theirs = people.filter(({ email }) => email && foldAddress(email) === wanted);
    if (theirs.length === 1) assert(!removed.has(theirs[0]?.userId ?? 0), `${wanted} was removed`);
  }
});

property(
  "nobody is removed who carries the login of somebody who belongs and whose email nobody has",
  (one) => {
    const removed = new Set(idsOf(planOf(one).removals));
    const people = [
      ...new Map([...one.users, ...one.current.members].map((user) => [user.userId, user])).values(),
    ];
    for (const { user: { profile } } of desiredOf(one).members) {
      const mail = profile.email && foldAddress(profile.email);
      if (mail && people.some(({ email }) => email && foldAddress(email) === mail)) continue;
      const theirs = people.filter(({ login }) => foldAddress(login) === foldAddress(profile.login));
      if (theirs.length === 1) assert(!removed.has(theirs[0]?.userId ?? 0), `${profile.login} was removed`);
    }
  },
);

property("of everybody who belongs, each is in the team afterwards, pending, or ambiguous", (one) => {
  const plan = planOf(one);
  const unresolved = new Set(
    [...plan.pending, ...plan.ambiguous.map(({ member }) => member)].map(({ user }) => user.id),
  );
  const after = { ...one, current: applied(one, plan) };
  const present = new Set(after.current.members.map(({ userId }) => userId));
  const { directory } = createOrganisation([
    ...one.users,
    ...one.current.members.map((member) => ({ ...member, orgId: 1 })),
  ]);
  for (const member of desiredOf(one).members) {
    if (unresolved.has(member.user.id)) continue;
    const match = directory.match({ ...member.user.profile });
    assert(match.kind === "found" && present.has(match.user.userId));
  }
});

property("users who cannot be told apart are neither added nor removed on that account", (one) => {
  const plan = planOf(one);
  const removed = new Set(idsOf(plan.removals));
  for (const { users } of plan.ambiguous) {
    for (const { userId } of users) assert(!removed.has(userId));
  }
});

property(
  "there is no removal unless every group was read completely and none is empty that may not be",
  (one) => {
    const desired = desiredOf(one);
    const plan = planOf(one);
    const guarded = guardPlan({ ...plan, kept: [] }, desired);
    const proven = one.mappings.every(({ okta_group, allow_empty }) => {
      const group = one.readings.get(`name ${okta_group}`);
      if (group?.kind !== "complete") return false;
      return allow_empty || group.users.some((user) => DEFAULT_MEMBER_STATUSES.includes(user.status));
    }) && !(one.current.members.length >= 5 && plan.removals.length * 2 > one.current.members.length);
    assertEquals(idsOf(guarded.removals), proven ? idsOf(plan.removals) : []);
    assertEquals(
      idsOf([...guarded.removals, ...guarded.withheld?.removals ?? []]),
      idsOf(plan.removals),
    );
    assertEquals([...guarded.additions, ...guarded.withheld?.additions ?? []], plan.additions);
  },
);
