/** `sync.removal_limit`: how many may leave a team in one cycle. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  DEFAULT_MEMBER_STATUSES,
  DEFAULT_REMOVAL_LIMIT,
  type RemovalLimit,
} from "../../src/config/schema.ts";
import { desiredTeams } from "../../src/sync/plan/desired.ts";
import { guard, type Guarded, type GuardOptions } from "../../src/sync/plan/guard.ts";
import {
  complete,
  differenceOf,
  emails,
  failed,
  mapping,
  oktaUser,
  organisationOf,
  orgUser,
  teamOf,
} from "./fixtures.ts";

interface Amounts {
  /** Members of the team now. */
  readonly size: number;
  /** How many of them are in no group any more. */
  readonly leaving: number;
  readonly joining?: number;
  /** One for each mapping of the team. */
  readonly limits?: readonly RemovalLimit[];
}

const LIMIT = DEFAULT_REMOVAL_LIMIT;

function guarded(
  { size, leaving, joining = 0, limits = [LIMIT] }: Amounts,
  options: GuardOptions = {},
  reading = complete(
    oktaUser("pending@example.com"),
    ...emails(leaving + 1, size + joining).map((one) => oktaUser(one)),
  ),
): Guarded {
  const users = emails(1, size + joining).map((one, i) => orgUser(i + 1, one));
  const mappings = limits.map((removal_limit, i) => mapping(`G${i}`, "T", { removal_limit }));
  const readings = new Map(mappings.map(({ okta_group }) => [`name ${okta_group}`, reading]));
  const [desired] = desiredTeams(mappings, readings, DEFAULT_MEMBER_STATUSES);
  if (!desired) throw new TypeError("no mapping");
  const difference = differenceOf(desired, teamOf(...users.slice(0, size)), organisationOf(...users));
  return guard(difference, desired, size, options);
}

/** What became of a plan: how many are added and removed, how many of either are onHold. */
function outcome({ additions, removals, onHold }: Guarded): string {
  const kept = onHold ? `, ${onHold.reason}: -${onHold.removals.length}` : "";
  const waiting = onHold?.additions.length ? ` +${onHold.additions.length}` : "";
  return `+${additions.length} -${removals.length}${kept}${waiting}`;
}

const percent = (value: number, min_team_size = 5): RemovalLimit => ({ percent: value, min_team_size });

const BOUNDARIES: readonly (readonly [says: string, amounts: Amounts, expected: string])[] = [
  ["a team of 4 has no limit", { size: 4, leaving: 4 }, "+0 -4"],
  ["a team of 5 has one", { size: 5, leaving: 3 }, "+0 -0, removal-limit: -3"],
  ["2 of 5 may leave", { size: 5, leaving: 2 }, "+0 -2"],
  ["half of the team may leave", { size: 6, leaving: 3 }, "+0 -3"],
  ["more than half may not", { size: 6, leaving: 4 }, "+0 -0, removal-limit: -4"],
  ["one more than half of a large team may not", { size: 1_000, leaving: 501 }, "+0 -0, removal-limit: -501"],
  ["half of a large team may", { size: 1_000, leaving: 500 }, "+0 -500"],
  ["off lets everybody leave", { size: 9, leaving: 9, limits: ["off"] }, "+0 -9"],
  ["0 % lets nobody leave", { size: 9, leaving: 1, limits: [percent(0)] }, "+0 -0, removal-limit: -1"],
  ["100 % lets everybody leave", { size: 9, leaving: 9, limits: [percent(100)] }, "+0 -9"],
  ["1 of 3 is more than 33 %", { size: 3, leaving: 1, limits: [percent(33, 0)] }, "+0 -0, removal-limit: -1"],
  ["1 of 3 is less than 34 %", { size: 3, leaving: 1, limits: [percent(34, 0)] }, "+0 -1"],
  ["7 of 100 is 7 %", { size: 100, leaving: 7, limits: [percent(7)] }, "+0 -7"],
  ["29 of 100 is 29 %", { size: 100, leaving: 29, limits: [percent(29)] }, "+0 -29"],
  ["30 of 100 is more", { size: 100, leaving: 30, limits: [percent(29)] }, "+0 -0, removal-limit: -30"],
  [
    "min_team_size 0 counts for 1",
    { size: 1, leaving: 1, limits: [percent(50, 0)] },
    "+0 -0, removal-limit: -1",
  ],
  ["a team below min_team_size", { size: 9, leaving: 9, limits: [percent(50, 10)] }, "+0 -9"],
  [
    "a team of min_team_size",
    { size: 10, leaving: 9, limits: [percent(50, 10)] },
    "+0 -0, removal-limit: -9",
  ],
  ["off beside a limit", { size: 6, leaving: 4, limits: ["off", LIMIT] }, "+0 -0, removal-limit: -4"],
  ["a limit beside off", { size: 6, leaving: 4, limits: [LIMIT, "off"] }, "+0 -0, removal-limit: -4"],
  ["off twice", { size: 6, leaving: 6, limits: ["off", "off"] }, "+0 -6"],
  [
    "the strictest of two percentages counts",
    { size: 10, leaving: 2, limits: [percent(90), percent(10)] },
    "+0 -0, removal-limit: -2",
  ],
  [
    "the smallest of two min_team_sizes counts",
    { size: 6, leaving: 4, limits: [percent(50, 100), percent(50, 6)] },
    "+0 -0, removal-limit: -4",
  ],
  ["within both of two limits", { size: 10, leaving: 1, limits: [percent(90), percent(10)] }, "+0 -1"],
  [
    "additions do not make a team larger beforehand",
    { size: 6, leaving: 4, joining: 50 },
    "+1 -0, removal-limit: -4 +49",
  ],
];

for (const [says, amounts, expected] of BOUNDARIES) {
  Deno.test(`removal_limit: ${says}`, () => assertEquals(outcome(guarded(amounts)), expected));
}

const ROOM: readonly (readonly [amounts: Amounts, expected: string])[] = [
  [{ size: 6, leaving: 4, joining: 1 }, "+1 -0, removal-limit: -4"],
  [{ size: 6, leaving: 4, joining: 2 }, "+1 -0, removal-limit: -4 +1"],
  [{ size: 5, leaving: 3, joining: 3 }, "+0 -0, removal-limit: -3 +3"],
  [{ size: 10, leaving: 10, joining: 20 }, "+9 -0, removal-limit: -10 +11"],
  [{ size: 10, leaving: 1, joining: 20, limits: [percent(0)] }, "+20 -0, removal-limit: -1"],
  [
    { size: 10, leaving: 4, joining: 99, limits: [percent(30), percent(10)] },
    "+29 -0, removal-limit: -4 +70",
  ],
  [{ size: 10, leaving: 4, joining: 99, limits: ["off", percent(30)] }, "+3 -0, removal-limit: -4 +96"],
  [{ size: 6, leaving: 3, joining: 99 }, "+99 -3"],
];

for (const [amounts, expected] of ROOM) {
  const { size, leaving, joining, limits = [LIMIT] } = amounts;
  const shown = limits.map((limit) => limit === "off" ? limit : `${limit.percent} %`).join(" and ");
  Deno.test(`${joining} join and ${leaving} leave a team of ${size} at ${shown}: additions that would dilute it wait`, () =>
    assertEquals(outcome(guarded(amounts)), expected));
}

Deno.test("what waits is the end of the additions, in their order", () => {
  const plan = guarded({ size: 6, leaving: 4, joining: 3 });
  assertEquals(plan.additions.map(({ address }) => address), ["p7@example.com"]);
  assertEquals(plan.onHold?.additions.map(({ address }) => address), ["p8@example.com", "p9@example.com"]);
});

Deno.test("the explanation says how many of how many would go", () => {
  const plan = guarded({ size: 6, leaving: 4 });
  assertEquals(
    plan.onHold?.explanation,
    "4 of 6 members would go, 66 %, more than the removal_limit",
  );
});

Deno.test("--allow-removals passes over the limit, and lets the additions through too", () => {
  const allowed = { allowRemovals: true };
  assertEquals(outcome(guarded({ size: 6, leaving: 4, joining: 3 }, allowed)), "+3 -4");
});

for (
  const [reason, reading] of [["incomplete-read", failed], ["empty-group", complete()]] as const
) {
  Deno.test(`--allow-removals does not override ${reason}`, () => {
    const { onHold, removals } = guarded({ size: 6, leaving: 6 }, { allowRemovals: true }, reading);
    assertEquals([onHold?.reason, removals.length, onHold?.removals.length], [reason, 0, 6]);
  });
  Deno.test(`${reason} goes before removal-limit, and says what it takes`, () => {
    const { onHold } = guarded({ size: 6, leaving: 6 }, {}, reading);
    assertEquals(onHold?.reason, reason);
    assertStringIncludes(onHold?.explanation ?? "", "Okta group 'G0' ");
  });
}
