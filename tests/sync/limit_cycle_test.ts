/** `sync.removal_limit` and `--allow-removals` in whole cycles. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import {
  type CycleSettings,
  type CycleWorld,
  holdReason,
  refuse,
  summary,
  withCycles,
} from "./cycle_world.ts";
import { emails } from "./fixtures.ts";

const A = { okta_group: "A", grafana_team: "T" };
const B = { okta_group: "B", grafana_team: "U" };

/** A world whose groups had six members each at the end of the first cycle; then four of A's left. */
function afterExodus(settings: CycleSettings, test: (cycles: CycleWorld) => Promise<void>): Promise<void> {
  return withCycles(settings, async (cycles) => {
    const people = emails(1, 6).map((email) => cycles.world.addPerson(email));
    for (const { okta_group = "" } of settings.mappings) {
      if (!cycles.world.okta.groups.some(({ name }) => name === okta_group)) {
        cycles.world.okta.addGroup(okta_group, people);
      }
    }
    await cycles.cycle();
    for (const user of people.slice(0, 4)) cycles.world.okta.group("A").members.delete(user);
    cycles.writes();
    cycles.messages();
    await test(cycles);
  });
}

Deno.test("more removals than the limit are all on hold, of that team only, with the command that lets them through", () =>
  afterExodus({ mappings: [A, B] }, async ({ world, cycle, messages, writes }) => {
    world.okta.group("B").members.delete(world.okta.users[0] ?? world.addPerson("x"));
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +0 -0, 4 on hold", "B->U: +0 -1"]);
    assertEquals(report.mappings.map(isSuccess), [false, true]);
    assertEquals(report.plans.map(holdReason), ["removal-limit", undefined]);
    assertEquals(writes().length, 1);
    assertEquals(world.grafana.state.membersOf("T"), emails(1, 6));
    assertEquals(messages().filter((line) => line.startsWith("ERROR")), [
      "ERROR Team T: 4 removals on hold (removal-limit): 4 of 6 members would go, 66 %, more than the " +
      `removal_limit. Still in the team: ${
        emails(1, 4).join(", ")
      }. If that is intended, run once with this ` +
      "configuration: gots sync --allow-removals T",
    ]);
  }));

Deno.test("--allow-removals lets one team through, once; another one stays on hold", () =>
  afterExodus({ mappings: [A, { ...A, grafana_team: "U" }] }, async ({ world, cycle }) => {
    assertEquals(summary(await cycle({ allowRemovals: new Set(["T"]) })), [
      "A->T: +0 -4",
      "A->U: +0 -0, 4 on hold",
    ]);
    assertEquals(summary(await cycle()), ["A->T: +0 -0", "A->U: +0 -0, 4 on hold"]);
    assertEquals(world.grafana.state.membersOf("T"), emails(5, 6));
  }));

Deno.test("--allow-removals does not let removals through that are not proven", () =>
  afterExodus({ mappings: [A] }, async ({ world, cycle, writes }) => {
    const allowRemovals = new Set(["T"]);
    const { id, members } = world.okta.group("A");
    world.okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), 500);
    await cycle({ allowRemovals });
    world.okta.intercept = undefined;
    members.clear();
    const report = await cycle({ allowRemovals });
    assertEquals(report.plans.map(holdReason), ["empty-group"]);
    assertEquals(writes(), []);
  }));

Deno.test("cycles that repeat never let removals on hold through, whoever joins meanwhile", () =>
  afterExodus({ mappings: [A] }, async ({ world, cycle }) => {
    for (const email of emails(7, 26)) world.okta.group("A").members.add(world.addPerson(email));
    const seen = [];
    for (let i = 0; i < 6; i++) {
      if (i === 3) world.okta.group("A").members.add(world.addPerson("late@example.com"));
      seen.push(...summary(await cycle()));
    }
    assertEquals(seen, ["A->T: +1 -0, 4 on hold", ...Array(5).fill("A->T: +0 -0, 4 on hold")]);
    for (const email of emails(1, 6)) assertStringIncludes(world.grafana.state.membersOf("T").join(), email);
    assertEquals(summary(await cycle({ allowRemovals: new Set(["T"]) })), ["A->T: +20 -4"]);
    assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
  }));

Deno.test("a new process does not let removals on hold through either", () =>
  afterExodus({ mappings: [A] }, async ({ world, restart }) => {
    for (const email of emails(7, 26)) world.okta.group("A").members.add(world.addPerson(email));
    for (let i = 0; i < 3; i++) {
      assertEquals(summary(await restart()())[0]?.endsWith(" -0, 4 on hold"), true);
    }
    assertEquals(world.grafana.state.membersOf("T").length, 7);
  }));

Deno.test("when they are back in the group, nothing is on hold any more and those who waited join", () =>
  afterExodus({ mappings: [A] }, async ({ world, cycle }) => {
    for (const email of emails(7, 9)) world.okta.group("A").members.add(world.addPerson(email));
    assertEquals(summary(await cycle()), ["A->T: +1 -0, 4 on hold"]);
    for (const user of world.okta.users.slice(0, 4)) world.okta.group("A").members.add(user);
    assertEquals(summary(await cycle()), ["A->T: +2 -0"]);
  }));

const SETTINGS: readonly (readonly [says: string, CycleSettings, expected: string])[] = [
  ["sync.removal_limit off", { mappings: [A], sync: { removal_limit: "off" } }, "A->T: +0 -4"],
  [
    "sync.removal_limit.percent 70",
    { mappings: [A], sync: { removal_limit: { percent: 70 } } },
    "A->T: +0 -4",
  ],
  ["min_team_size 7", { mappings: [A], sync: { removal_limit: { min_team_size: 7 } } }, "A->T: +0 -4"],
  ["a mapping's own off", { mappings: [{ ...A, removal_limit: "off" }] }, "A->T: +0 -4"],
  [
    "a mapping's own limit, sync's being off",
    { mappings: [{ ...A, removal_limit: {} }], sync: { removal_limit: "off" } },
    "A->T: +0 -0, 4 on hold",
  ],
  [
    "a mapping's percent with sync's min_team_size",
    { mappings: [{ ...A, removal_limit: { percent: 1 } }], sync: { removal_limit: { min_team_size: 7 } } },
    "A->T: +0 -4",
  ],
];

for (const [says, settings, expected] of SETTINGS) {
  Deno.test(`four of six leave under ${says}: ${expected}`, () =>
    afterExodus(settings, async ({ cycle }) => assertEquals(summary(await cycle()), [expected])));
}

Deno.test("of a team with two mappings the strictest limit counts", () =>
  afterExodus(
    { mappings: [{ ...A, removal_limit: "off" }, { okta_group: "B", grafana_team: "T" }] },
    async ({ world, cycle }) => {
      for (const user of world.okta.users.slice(0, 4)) world.okta.group("B").members.delete(user);
      assertEquals(summary(await cycle()), ["A->T: +0 -0, 4 on hold", "B->T: +0 -0"]);
    },
  ));

Deno.test("when the limit puts nothing on hold any more, a group that fails later holds up no additions", () =>
  afterExodus({ mappings: [A, { okta_group: "B", grafana_team: "T" }] }, async ({ world, cycle }) => {
    const { id, members } = world.okta.group("B");
    for (const user of world.okta.users.slice(0, 4)) members.delete(user);
    assertEquals(summary(await cycle())[0], "A->T: +0 -0, 4 on hold");
    for (const user of world.okta.users.slice(0, 4)) members.add(user);
    assertEquals(summary(await cycle())[0], "A->T: +0 -0");
    for (const email of emails(7, 26)) world.okta.group("A").members.add(world.addPerson(email));
    world.okta.intercept = refuse("GET", new RegExp(`/groups/${id}/users`), 500);
    assertEquals(summary(await cycle())[0], "A->T: +20 -0, 4 on hold");
  }));

Deno.test("a group that fails after the limit has put removals on hold does not let waiting additions undo it", () =>
  afterExodus({ mappings: [A, { okta_group: "B", grafana_team: "T" }] }, async ({ world, cycle }) => {
    for (const user of world.okta.users.slice(0, 4)) world.okta.group("B").members.delete(user);
    for (const email of emails(7, 26)) world.okta.group("A").members.add(world.addPerson(email));
    const reasons = async () => (await cycle()).plans.map(holdReason);
    assertEquals(await reasons(), ["removal-limit"]);
    world.okta.intercept = refuse("GET", new RegExp(`/groups/${world.okta.group("B").id}/users`), 500);
    assertEquals(await reasons(), ["incomplete-read"]);
    world.okta.intercept = undefined;
    assertEquals(await reasons(), ["removal-limit"]);
  }));
