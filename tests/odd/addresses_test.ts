/** Odd data: addresses that are nearly equal, missing, double, or somebody else's. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { type CycleWorld, errorsOf, summary, withCycles } from "../sync/cycle_world.ts";

const SETTINGS = { mappings: [{ okta_group: "G", grafana_team: "T" }] };
const JANE = "jane@example.com";

interface Names {
  readonly email: string | null;
  readonly login: string;
}

/** What comes of one Okta user in the group and one user of Grafana who is in the team, or not. */
async function meet(okta: Names, grafana: Names, inTeam: boolean): Promise<string> {
  let outcome = "";
  await withCycles(SETTINGS, async ({ world, cycle, writes }) => {
    const bystander = world.addPerson("by@example.com");
    world.okta.addGroup("G", [world.okta.addUser(okta.login, okta), bystander]);
    const { id } = world.grafana.state.addUser({ ...grafana, email: grafana.email ?? "" });
    const { members } = world.grafana.state.addTeam("T");
    if (inTeam) members.set(id, 0);
    outcome = summary(await cycle())[0] ?? "";
    writes();
    await cycle();
    assertEquals(writes(), [], "the second cycle writes nothing");
    outcome = `${members.has(id) ? "in" : "out"}${outcome.replace(/^G->T: \+\d+ -\d+/, "")}`;
  });
  return outcome;
}

/** Whoever is found is in the team afterwards; whoever is not found leaves it, and the Okta user is pending. */
const FOLDED: readonly (readonly [says: string, okta: string, grafana: string, isSame: boolean])[] = [
  ["case", "JANE@Example.com", JANE, true],
  ["case of letters with accents", "ZO\u00cb@example.com", "zo\u00eb@example.com", true],
  ["spaces around it, in Okta", `  ${JANE} `, JANE, true],
  ["spaces around it, in Grafana", JANE, ` ${JANE}\t`, true],
  ["a no-break space around it", `\u00a0${JANE}`, JANE, true],
  ["Unicode form", "zoe\u0308@example.com", "zo\u00eb@example.com", true],
  ["Unicode form and case", "ZOE\u0308@example.com", "zo\u00eb@example.com", true],
  ["a plus-tag in Grafana", JANE, "jane+grafana@example.com", false],
  ["a plus-tag in Okta", "jane+okta@example.com", JANE, false],
  ["two plus-tags", "jane+a@example.com", "jane+b@example.com", false],
  ["a dot", JANE, "j.ane@example.com", false],
  ["a space within", "jane doe@example.com", "janedoe@example.com", false],
  ["a letter that looks alike", "j\u0430ne@example.com", JANE, false],
  ["a ligature", "of\ufb01ce@example.com", "office@example.com", false],
  ["a full-width letter", "\uff4aane@example.com", JANE, false],
  ["the sharp s", "stra\u00dfe@example.com", "strasse@example.com", false],
  ["a soft hyphen", "ja\u00adne@example.com", JANE, false],
  ["the domain", "jane@example.org", JANE, false],
];

for (const [says, okta, grafana, isSame] of FOLDED) {
  Deno.test(`addresses that differ in ${says} are ${isSame ? "one person" : "two people"}`, async () => {
    const names = [{ email: okta, login: okta }, { email: grafana, login: grafana }] as const;
    const expected = isSame ? "in" : "out, 1 pending";
    for (const inTeam of [true, false]) assertEquals(await meet(...names, inTeam), expected);
  });
}

const MISSING: readonly (readonly [says: string, okta: Names, grafana: Names, expected: string])[] = [
  ["is found by their login", { email: null, login: "jane" }, { email: JANE, login: "Jane" }, "in"],
  ["is found by an email of blanks", { email: "  ", login: "jane" }, { email: JANE, login: "jane" }, "in"],
  ["is pending where nobody has the login", { email: null, login: "jane" }, {
    email: JANE,
    login: "js",
  }, "out, 1 pending"],
  ["whose login is the email and the login of a user is that user", { email: null, login: JANE }, {
    email: JANE,
    login: JANE,
  }, "in"],
  ["in Grafana is found by their login", { email: JANE, login: "jane" }, { email: "", login: "jane" }, "in"],
  ["in Grafana is found by a login that is the email", { email: JANE, login: "j" }, {
    email: "",
    login: JANE,
  }, "in"],
  [
    "on either side is found by their login",
    { email: null, login: "jane" },
    { email: "", login: "jane" },
    "in",
  ],
];

for (const [says, okta, grafana, expected] of MISSING) {
  Deno.test(`a member without an email ${says}`, async () => {
    for (const inTeam of [true, false]) assertEquals(await meet(okta, grafana, inTeam), expected);
  });
}

const MALLORY = "mallory@example.com";

/** The Okta user is in the group, the Grafana user is another person. They stay where they are, and it is reported. */
const ATTACKS: readonly (readonly [says: string, okta: Names, grafana: Names])[] = [
  ["an Okta user chose a Grafana user's email for a login", { email: MALLORY, login: JANE }, {
    email: JANE,
    login: "jane",
  }],
  ["an Okta user chose a Grafana user's email and login for a login", { email: MALLORY, login: JANE }, {
    email: JANE,
    login: JANE,
  }],
  ["an Okta user chose a Grafana user's login", { email: MALLORY, login: "jane" }, {
    email: JANE,
    login: "jane",
  }],
  ["an Okta user without an email chose a Grafana user's email", { email: null, login: JANE }, {
    email: JANE,
    login: "jane",
  }],
  ["a Grafana user chose an Okta user's email for a login", { email: JANE, login: "jane" }, {
    email: MALLORY,
    login: JANE,
  }],
  ["a Grafana user chose an Okta user's login", { email: JANE, login: "jane" }, {
    email: MALLORY,
    login: "jane",
  }],
  ["a Grafana user chose it in another case", { email: JANE, login: "jane" }, {
    email: MALLORY,
    login: "JANE@EXAMPLE.COM",
  }],
];

for (const [says, okta, grafana] of ATTACKS) {
  Deno.test(`an address that is someone else's login, ${says}: nobody gets in by it, nobody is removed for it, it is reported`, async () => {
    assertEquals(await meet(okta, grafana, false), "out, 1 errors");
    assertEquals(await meet(okta, grafana, true), "in, 1 errors");
  });
}

/** Jane belongs and is in the team; Mallory is in Grafana, too. Gives the cycle and who is in the team after it. */
async function withMallory(
  inGrafana: Names,
  test: (cycles: CycleWorld & { emailsIn: () => string[] }) => Promise<void>,
) {
  await withCycles(SETTINGS, async (cycles) => {
    const { state } = cycles.world.grafana;
    const jane = cycles.world.okta.addUser(JANE, { login: "jane" });
    state.addUser({ email: JANE, login: "j.smith" });
    cycles.world.okta.addGroup("G", [jane]);
    await cycles.cycle();
    state.addUser({ ...inGrafana, email: inGrafana.email ?? "" });
    await test({ ...cycles, emailsIn: () => state.membersOf("T") });
  });
}

for (const login of [JANE, "jane"]) {
  Deno.test(`a Grafana user with the login ${login} does not take the place of her who has the email`, () =>
    withMallory({ email: MALLORY, login }, async ({ cycle, emailsIn }) => {
      const report = await cycle();
      assertEquals([summary(report), emailsIn()], [["G->T: +0 -0"], [JANE]]);
      assertEquals(report.mappings.map(isSuccess), [true]);
    }));
}

Deno.test("an Okta user of the group with somebody's email for a login is matched by their own email", () =>
  withMallory({ email: MALLORY, login: "mallory" }, async ({ world, cycle, emailsIn }) => {
    world.okta.group("G").members.add(world.okta.addUser(MALLORY, { login: JANE }));
    assertEquals([summary(await cycle()), emailsIn()], [["G->T: +1 -0"], [JANE, MALLORY]]);
  }));

Deno.test("what is reported names both sides and what to do", () =>
  withCycles(SETTINGS, async ({ world, cycle, captured }) => {
    world.okta.addGroup("G", [world.okta.addUser(JANE)]);
    world.grafana.state.addUser({ email: MALLORY, login: JANE });
    const [error = ""] = errorsOf(await cycle());
    assertMatch(
      error,
      /the Grafana user with the login jane@example\.com has another email than jane@example\.com, mallory@example\.com \(id \d+\); they were not touched: correct one of the two$/,
    );
    assert(captured.messages().some((line) => line.startsWith("ERROR Team T: ") && line.includes(MALLORY)));
  }));

const TWINS: readonly (readonly [emails: readonly [string, string], found: number | undefined])[] = [
  [["JANE@example.com", "Jane@example.com"], undefined],
  [["Jane@example.com", JANE], 1],
  [[JANE, "JANE@example.com"], 0],
];

for (const [[first, second], found] of TWINS) {
  Deno.test(`two Grafana users for one address, ${first} and ${second}: ${found === undefined ? "neither is touched" : "the exactly equal one wins"}`, () =>
    withCycles(SETTINGS, async ({ world, cycle }) => {
      const { state } = world.grafana;
      const ids = [first, second].map((email, i) => state.addUser({ email, login: `j${i}` }).id);
      world.okta.addGroup("G", [world.okta.addUser(JANE), world.addPerson("by@example.com")]);
      const { members } = state.addTeam("T");
      const report = await cycle();
      assertEquals(ids.map((id) => members.has(id)), [found === 0, found === 1]);
      assertEquals(report.mappings.map(isSuccess), [found !== undefined]);

      for (const id of ids) members.set(id, 0);
      await cycle();
      const both = found === undefined;
      assertEquals(ids.map((id) => members.has(id)), [both || found === 0, both || found === 1]);
    }));
}
