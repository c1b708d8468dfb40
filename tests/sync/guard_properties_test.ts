/** What holds for every plan that is carried out: after the settings that keep people, and after the guard. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RemovalLimit } from "../../src/config/schema.ts";
import { foldAddress } from "../../src/grafana/directory.ts";
import {
  applied,
  desiredOf,
  guardedOf,
  hasSameProfiles,
  idsOf,
  planOf,
  policedOf,
  property,
  type Scene,
  turned,
} from "./scenes.ts";

/** Everybody whom a plan removes, or would if nothing onHold it. */
const leaving = (
  { removals, onHold }: Pick<ReturnType<typeof guardedOf>, "removals" | "onHold">,
) => [...removals, ...onHold?.removals ?? []];

function isProven({ mappings, readings }: Scene): boolean {
  return mappings.every(({ okta_group, allow_empty }) => {
    const group = readings.get(`name ${okta_group}`);
    if (group?.kind !== "fresh") return false;
    return allow_empty || group.value.users.length > 0;
  });
}

function exceeds(limit: RemovalLimit, removals: number, size: number): boolean {
  return limit !== "off" && size >= limit.min_team_size && removals * 100 > limit.percent * size;
}

function exceedsAny({ mappings }: Scene, removals: number, size: number): boolean {
  return mappings.some(({ removal_limit }) => exceeds(removal_limit, removals, size));
}

property(
  "no removal without complete reads, in this cycle, of groups that are not suspiciously empty",
  (one) => {
    if (guardedOf(one).removals.length > 0) assert(isProven(one));
  },
);

property("the limit holds: removals that exceed any mapping's limit are onHold, all of them", (one) => {
  const { removals, size } = guardedOf(one);
  if (!one.allowRemovals && removals.length > 0) assert(!exceedsAny(one, removals.length, size));
});

property("what is proven and within the limits is not onHold", (one) => {
  const { onHold, size } = guardedOf(one);
  if (!onHold) return;
  const isTooMuch = !one.allowRemovals && exceedsAny(one, onHold.removals.length, size);
  assert(!isProven(one) || isTooMuch);
  assertEquals(onHold.reason === "removal-limit", isProven(one));
});

property(
  "every removal is carried out, kept or onHold, and none of them twice; every addition too",
  (one) => {
    const plan = planOf(one);
    const { additions, removals, kept, onHold } = guardedOf(one);
    assertEquals(
      idsOf([...removals, ...kept.map(({ change }) => change), ...onHold?.removals ?? []]),
      idsOf(plan.removals),
    );
    assertEquals([...additions, ...onHold?.additions ?? []], plan.additions);
    assert(!onHold || removals.length === 0, "either all removals are onHold or none");
  },
);

property("additions and removals are disjoint, whatever is kept or onHold", (one) => {
  const plan = guardedOf(one);
  const all = [
    ...plan.additions,
    ...plan.onHold?.additions ?? [],
    ...leaving(plan),
    ...plan.kept.map(({ change }) => change),
  ];
  assertEquals(new Set(idsOf(all)).size, all.length);
});

property(
  "a plan that was carried out, and planned again, gives nothing, unless removals are onHold",
  (one) => {
    const plan = guardedOf(one);
    const again = guardedOf(applied(one, plan));
    assertEquals(again.removals, []);
    if (!plan.onHold) assertEquals([again.additions, again.onHold], [[], undefined]);
    if (plan.onHold?.reason !== "removal-limit") assertEquals(again.additions, []);
  },
);

property(
  "onHold removals are never let through, however often it is repeated, and the team comes to rest",
  (one) => {
    const first = guardedOf(one);
    if (!first.onHold) return;
    let now = one;
    for (let cycle = 0; cycle < 10; cycle++) now = applied(now, guardedOf(now));
    const last = guardedOf(now);
    assertEquals([last.additions, last.removals], [[], []]);
    assertEquals(idsOf(last.onHold?.removals ?? []), idsOf(first.onHold.removals));
    assertEquals(last.onHold?.reason, first.onHold.reason);
  },
);

property("whatever waits would make the team so large that a limit were not exceeded any more", (one) => {
  const { additions, onHold, size } = guardedOf(one);
  if (!onHold) return;
  const count = onHold.removals.length;
  const grown = size + additions.length;
  if (onHold.reason === "removal-limit") assert(exceedsAny(one, count, grown));
  else assertEquals(onHold.additions, []);
  if (onHold.additions.length === 0) return;
  const exceeded = one.mappings.filter(({ removal_limit }) => exceeds(removal_limit, count, size));
  assert(exceeded.every(({ removal_limit }) => !exceeds(removal_limit, count, grown + 1)));
});

property("--allow-removals lets through what only the limit puts on hold, and nothing else", (one) => {
  const strict = guardedOf({ ...one, allowRemovals: false });
  const allowed = guardedOf({ ...one, allowRemovals: true });
  if (strict.onHold?.reason === "removal-limit") {
    assertEquals(allowed, { ...policedOf(one), size: allowed.size, onHold: undefined });
  } else assertEquals(allowed, strict);
});

property("protected users stay", (one) => {
  const protectedUsers = new Set(one.keeping.protected_users.map(foldAddress));
  for (const { user } of leaving(guardedOf(one))) {
    assert(!protectedUsers.has(foldAddress(user.login)), user.login);
    assert(!user.email || !protectedUsers.has(foldAddress(user.email)), user.email ?? "");
  }
});

property("team admins stay with keep_team_admins", (one) => {
  const admins = new Set(
    one.current.members.filter(({ permission }) => permission === 4).map(({ userId }) => userId),
  );
  const plan = guardedOf({ ...one, keeping: { ...one.keeping, keep_team_admins: true } });
  assert(leaving(plan).every(({ user }) => !admins.has(user.userId)));
  const without = guardedOf({ ...one, keeping: { ...one.keeping, keep_team_admins: false } });
  assert(without.kept.every(({ reason }) => reason !== "team-admin"));
});

property("add-only removes nobody and puts nothing on hold, if one mapping of the team says so", (one) => {
  const plan = guardedOf(one);
  const isAddOnly = one.mappings.some(({ policy }) => policy === "add-only");
  if (isAddOnly) assertEquals([plan.removals, plan.onHold], [[], undefined]);
  assertEquals(plan.kept.some(({ reason }) => reason === "add-only"), isAddOnly && plan.kept.length > 0);
});

property(
  "nobody leaves who is known to be a member whom Grafana does not know by the new address yet",
  (one) => {
    const plan = guardedOf(one);
    const known = new Set(plan.pending.map(({ user }) => one.keeping.identities.get(user.id)));
    assert(leaving(plan).every(({ user }) => !known.has(user.userId)));
  },
);

property("whoever is kept is kept for a reason that holds", (one) => {
  const { keeping: { protected_users, keep_team_admins, identities }, mappings, current } = one;
  const plan = guardedOf(one);
  const folded = protected_users.map(foldAddress);
  for (const { change: { user }, reason } of plan.kept) {
    const permission = current.members.find(({ userId }) => userId === user.userId)?.permission;
    const holds = {
      "add-only": mappings.some(({ policy }) => policy === "add-only"),
      protected: [user.login, user.email ?? ""].some((name) => folded.includes(foldAddress(name))),
      "team-admin": keep_team_admins && permission === 4,
      renamed: [...identities.values()].includes(user.userId),
    };
    assert(holds[reason], reason);
  }
});

property(
  "the order of inputs does not matter for who leaves, who is kept, what is onHold, how many join",
  (one) => {
    fc.pre(hasSameProfiles(one));
    const [plan, other] = [one, turned(one)].map((scene) => {
      const { additions, removals, kept, onHold } = guardedOf(scene);
      return {
        additions: additions.length,
        removals: idsOf(removals),
        kept: kept.map(({ change, reason }) => `${change.user.userId} ${reason}`).sort(),
        reason: onHold?.reason,
        onHold: idsOf(onHold?.removals ?? []),
      };
    });
    assertEquals(plan, other);
  },
);

property("who belongs is never removed, kept or onHold", (one) => {
  const plan = guardedOf(one);
  const members = new Set(plan.identities.values());
  assertEquals(
    plan.identities.size + plan.pending.length + plan.ambiguous.length,
    desiredOf(one).members.length,
  );
  assert(
    [...leaving(plan), ...plan.kept.map(({ change }) => change)].every(({ user }) =>
      !members.has(user.userId)
    ),
  );
});
