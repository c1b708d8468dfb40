/** What holds for every plan, before anything keeps or holds. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { foldAddress } from "../../src/grafana/directory.ts";
import { peopleOf } from "../../src/sync/observe/world.ts";
import { applied, desiredOf, hasSameProfiles, idsOf, planOf, property, turned } from "./scenes.ts";

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
  const after = applied(one, planOf(one));
  const again = planOf(after);
  assertEquals([again.additions, again.removals], [[], []]);
});

property("the order in which groups, users and members come does not matter", (one) => {
  fc.pre(hasSameProfiles(one));
  const [plan, other] = [planOf(one), planOf(turned(one))];
  assertEquals(idsOf(plan.additions), idsOf(other.additions));
  assertEquals(idsOf(plan.removals), idsOf(other.removals));
  const who = ({ pending }: Pick<typeof plan, "pending">) => pending.map(({ user }) => user.id).sort();
  assertEquals(who(plan), who(other));
});

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
  const after = applied(one, plan);
  const present = new Set(after.current.members.map(({ userId }) => userId));
  const { directory } = peopleOf([
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
