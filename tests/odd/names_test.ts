/** Odd data: names of groups and teams. */
import { assert, assertEquals } from "@std/assert";
import { summary, withCycles } from "../sync/cycle_world.ts";

const NAMES: Readonly<Record<string, string>> = {
  "double quotes": 'the "A" team',
  "single quotes": "people's",
  slashes: "a/b\\c//..",
  "a backslash at its end": "domain\\",
  "a quote behind a backslash": 'x\\" or profile.name sw "',
  emoji: "🚀 rocket 👩‍👩‍👧",
  "255 characters": "n".repeat(255),
  "255 emoji": "🚀".repeat(255),
  "a trailing space": "team ",
  "a leading space": " team",
  "two spaces within": "a  b",
  "a percent sign": "100%25 %2F",
  "what a URL is made of": "a&name=b?c#d+e;f=g",
  "HTML": "<b>&amp;</b>",
  "a line break": "a\nb",
  "a tab": "a\tb",
  "another Unicode form": "Zoe\u0308",
  "right-to-left": "\u05e9\u05dc\u05d5\u05dd \u202eabc",
  "the name of a member of every object": "__proto__",
  "what looks like a field of the log": "{grafana_team}",
  "only a dot": ".",
  "only digits": "0123",
};

for (const [says, name] of Object.entries(NAMES)) {
  Deno.test(`a group and a team whose name has ${says} go through the whole cycle`, () =>
    withCycles(
      { mappings: [{ okta_group: name, grafana_team: name }], sync: { policy: "sync" } },
      async ({ world, cycle, writes, messages }) => {
        const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
        const { members } = world.okta.addGroup(name, [alice, bob]);
        world.okta.addGroup(`${name}x`, [bob]);
        assertEquals(summary(await cycle()), [`${name}->${name}: +2 -0`]);
        assertEquals([...world.grafana.state.teams.values()].map((team) => team.name), [name]);
        assertEquals(world.grafana.state.membersOf(name), ["alice@example.com", "bob@example.com"]);
        writes();
        assertEquals(summary(await cycle()), [`${name}->${name}: +0 -0`]);
        assertEquals(writes(), []);
        members.delete(bob);
        assertEquals(summary(await cycle()), [`${name}->${name}: +0 -1`]);
        assertEquals(world.grafana.state.membersOf(name), ["alice@example.com"]);
        assert(messages().every((line) => /^(INFO) /.test(line)));
      },
    ));
}

/** Two names that somebody could take for one. */
const NEAR: Readonly<Record<string, readonly [string, string]>> = {
  "a trailing space": ["team", "team "],
  case: ["team", "Team"],
  "Unicode form": ["Zo\u00eb", "Zoe\u0308"],
};

for (const [says, [one, other]] of Object.entries(NEAR)) {
  Deno.test(`names that differ in ${says} are two groups and two teams`, () =>
    withCycles(
      {
        mappings: [
          { okta_group: one, grafana_team: other },
          { okta_group: other, grafana_team: one },
        ],
      },
      async ({ world, cycle, writes }) => {
        world.okta.addGroup(one, [world.addPerson("alice@example.com")]);
        world.okta.addGroup(other, [world.addPerson("bob@example.com")]);
        await cycle();
        assertEquals(world.grafana.state.membersOf(other), ["alice@example.com"]);
        assertEquals(world.grafana.state.membersOf(one), ["bob@example.com"]);
        writes();
        await cycle();
        assertEquals(writes(), []);
      },
    ));
}
