import { assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_MEMBER_STATUSES, type Mapping } from "../../src/config/schema.ts";
import type { Group, Reading, Team } from "../../src/sync/observe/world.ts";
import type { HoldReason } from "../../src/sync/plan/actions.ts";
import { desiredTeams } from "../../src/sync/plan/desired.ts";
import { guard, type Guarded } from "../../src/sync/plan/guard.ts";
import {
  complete,
  differenceOf,
  failed,
  mapping,
  oktaUser,
  organisationOf,
  orgUser,
  readingsOf,
  signs,
  teamOf,
} from "./fixtures.ts";

const alice = oktaUser("alice@example.com");
const suspended = oktaUser("sue@example.com", { status: "SUSPENDED" });
const [grafanaAlice, grafanaBob] = [orgUser(1, "alice@example.com"), orgUser(2, "bob@example.com")];

/** The guarded plan of team T, in which Bob is too many unless another team is given. */
function guarded(
  mappings: readonly Mapping[],
  readings: Readonly<Record<string, Reading<Group>>>,
  current: Team = teamOf(grafanaBob),
): Guarded {
  const [desired] = desiredTeams(mappings, readingsOf(readings), DEFAULT_MEMBER_STATUSES);
  if (!desired) throw new TypeError("no mapping");
  const difference = differenceOf(desired, current, organisationOf(grafanaAlice, grafanaBob));
  return guard(difference, desired, current.members.length);
}

const [a, b] = [mapping("A", "T"), mapping("B", "T")];

const CASES: readonly {
  readonly name: string;
  readonly mappings: readonly Mapping[];
  readonly readings: Readonly<Record<string, Reading<Group>>>;
  readonly reason: HoldReason | undefined;
  readonly names?: string;
}[] = [
  {
    name: "its only group was read completely",
    mappings: [a],
    readings: { A: complete(alice) },
    reason: undefined,
  },
  {
    name: "both its groups were read completely",
    mappings: [a, b],
    readings: { A: complete(alice), B: complete(alice) },
    reason: undefined,
  },
  {
    name: "its only group failed",
    mappings: [a],
    readings: { A: failed },
    reason: "incomplete-read",
    names: "'A'",
  },
  {
    name: "its first group failed",
    mappings: [a, b],
    readings: { A: failed, B: complete(alice) },
    reason: "incomplete-read",
    names: "'A'",
  },
  {
    name: "its second group failed",
    mappings: [a, b],
    readings: { A: complete(alice), B: failed },
    reason: "incomplete-read",
    names: "'B'",
  },
  {
    name: "both its groups failed",
    mappings: [a, b],
    readings: { A: failed, B: failed },
    reason: "incomplete-read",
    names: "'A', 'B'",
  },
  {
    name: "a group was not read at all",
    mappings: [a, b],
    readings: { A: complete(alice) },
    reason: "incomplete-read",
    names: "'B'",
  },
  {
    name: "its only group is empty",
    mappings: [a],
    readings: { A: complete() },
    reason: "empty-group",
    names: "'A'",
  },
  {
    name: "one of its groups is empty",
    mappings: [a, b],
    readings: { A: complete(alice), B: complete() },
    reason: "empty-group",
    names: "'B'",
  },
  {
    name: "everybody in its group is suspended",
    mappings: [a],
    readings: { A: complete(suspended) },
    reason: undefined,
  },
  {
    name: "its group is empty and may be",
    mappings: [mapping("A", "T", { allow_empty: true })],
    readings: { A: complete() },
    reason: undefined,
  },
  {
    name: "one group is empty and another one may be",
    mappings: [a, mapping("B", "T", { allow_empty: true })],
    readings: { A: complete(), B: complete(alice) },
    reason: "empty-group",
    names: "'A'",
  },
  {
    name: "its group failed, and may be empty",
    mappings: [mapping("A", "T", { allow_empty: true })],
    readings: { A: failed },
    reason: "incomplete-read",
    names: "'A'",
  },
  {
    name: "one group failed and one is empty",
    mappings: [a, b],
    readings: { A: complete(), B: failed },
    reason: "incomplete-read",
    names: "'B'",
  },
];

for (const { name, mappings, readings, reason, names } of CASES) {
  Deno.test(`${reason ? `nobody is removed (${reason})` : "a removal is let through"}: ${name}`, () => {
    const plan = guarded(mappings, readings);
    assertEquals(signs(plan.removals), reason ? [] : ["- bob@example.com"]);
    assertEquals(plan.onHold?.reason, reason);
    assertEquals(signs(plan.onHold?.removals ?? []), reason ? ["- bob@example.com"] : []);
    const groups = names?.includes(",") ? "groups" : "group";
    if (names) assertStringIncludes(plan.onHold?.explanation ?? "", `Okta ${groups} ${names} `);
  });
}

Deno.test("additions go through although removals are on hold", () => {
  const plan = guarded([a, b], { A: complete(alice), B: failed });
  assertEquals(signs(plan.additions), ["+ alice@example.com"]);
  assertEquals(plan.removals, []);
});

Deno.test("where there is nothing to remove, nothing is on hold, whatever was read", () => {
  for (const readings of [{ A: failed }, { A: complete() }]) {
    assertEquals(guarded([a], readings, teamOf()).onHold, undefined);
  }
});

Deno.test("the explanation of an empty group says which setting lets it through", () => {
  assertStringIncludes(
    guarded([a], { A: complete() }).onHold?.explanation ?? "",
    "if that is intended, set allow_empty: true in its mapping",
  );
});
