/** Planning changes nothing that it is given: every argument is frozen, and any write to one would throw. */
import { assertEquals, assertThrows } from "@std/assert";
import { knowNothing } from "../../src/sync/observe/known.ts";
import { peopleOf } from "../../src/sync/observe/world.ts";
import { planRoles, withoutAccount } from "../../src/sync/plan/accounts.ts";
import { dueMappings } from "../../src/sync/plan/due.ts";
import { findDepartures, judgeArrivals, planJoins } from "../../src/sync/plan/join.ts";
import { noSetbacks } from "../../src/sync/plan/setbacks.ts";
import { leavingBy, planTeam } from "../../src/sync/plan/team.ts";
import { freeze } from "../frozen.ts";
import { desiredOf, property, type Scene } from "./scenes.ts";

Deno.test("a frozen map, set, list or object refuses every write", () => {
  const { map, set, list, deep } = freeze({
    map: new Map([[1, [2]]]),
    set: new Set([1]),
    list: [1],
    deep: { a: { b: 1 } },
  });
  for (
    const write of [
      () => map.set(2, []),
      () => map.get(1)?.push(3),
      () => set.clear(),
      () => list.push(2),
      () => deep.a.b = 2,
    ]
  ) assertThrows(write, TypeError);
});

/** What a scene's team is planned from. */
function viewOf(one: Scene) {
  const { current, users, keeping, allowRemovals } = one;
  return freeze({
    view: { desired: [desiredOf(one)] as const, team: current, people: peopleOf(users) },
    rules: { keeping, allowRemovals, wasLimited: true, now: 0 },
  });
}

property("planning a team, reading by reading, changes none of its arguments", (one) => {
  const { view, rules } = viewOf(one);
  const plan = freeze(planTeam(view, rules));
  const again = freeze({ ...view, desired: [...view.desired, desiredOf(one)] as const });
  const leaving = leavingBy(freeze(planTeam(again, rules)));
  planTeam(freeze({ ...again, removable: new Set(leaving) }), rules);
  assertEquals(planTeam(view, rules), plan, "and the same arguments give the same plan");
});

property("planning who joins changes none of its arguments", (one) => {
  const { view: { desired: [{ members }], people } } = viewOf(one);
  const [first] = members;
  const joins = new Map(
    first ? [[first.user.id, { created: { userId: 1, member: first }, joinedAs: 99 }]] : [],
  );
  const input = freeze({ members, people, joins, now: 0, retryAt: 1 });
  planJoins(input);
  findDepartures(input);
  judgeArrivals(input.joins, people);
  planRoles(input.joins, people, "Viewer");
  withoutAccount(members, people, one.keeping.identities);
});

property("choosing what is due changes none of its arguments", (one) => {
  const known = freeze({
    ...knowNothing(0),
    teams: new Map([["T", { id: 1, memberCount: 0, pending: [] }]]),
  });
  const failing = new Map([["name G0", { failures: 2, nextCycle: 3 }]]);
  const { mappings, setbacks } = freeze({ mappings: one.mappings, setbacks: { ...noSetbacks, failing } });
  const due = dueMappings(mappings, known, setbacks, 3);
  assertEquals([due.known.teams.size, known.teams.size], [0, 1], "a team is retried with its group");
});
