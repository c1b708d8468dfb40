/** Groups and people who are deleted in Okta, of which no list of changes tells: nobody is added from memory. */
import { assertEquals, assertMatch } from "@std/assert";
import { errorsOf, summary } from "./cycle_world.ts";
import { type Settled, settled } from "./settled.ts";

const A = { okta_group: "A", grafana_team: "T" };
const B = { okta_group: "B", grafana_team: "T" };
const OFF = { removal_limit: "off" } as const;

const emptyTeam = ({ world: { grafana: { state } } }: Settled) => state.team("T")?.members.clear();
const deleteTeam = ({ world: { grafana: { state } } }: Settled) =>
  void state.teams.delete(state.team("T")?.id ?? 0);
/** Takes somebody out of the team and out of Grafana's organisation. */
function expelByHand({ world: { grafana: { state } } }: Settled, name: string): void {
  const { id } = state.lookUp(`${name}@example.com`) ?? { id: 0 };
  state.team("T")?.members.delete(id);
  state.users.get(id)?.orgs.delete(1);
}
const deleteGroup = ({ world: { okta } }: Settled, name: string) =>
  void okta.groups.splice(okta.groups.indexOf(okta.group(name)), 1);
/** Deletes a person as Okta does: they are in no group and in no list from then on. */
function deletePerson({ world: { okta }, person }: Settled, name: string): void {
  const gone = person(name);
  okta.users.splice(okta.users.indexOf(gone), 1);
  // Past `delete`, which would move the group's time: whether Okta does so for a deleted user is not documented.
  for (const { members } of okta.groups) Set.prototype.delete.call(members, gone);
}

for (const [what, byHand] of [["emptied", emptyTeam], ["deleted", deleteTeam]] as const) {
  Deno.test(`the group is deleted in Okta, then its team is ${what} by hand: nobody comes back, and the next cycle says why`, () =>
    settled({ A: ["ann", "bob"] }, { mappings: [A] }, async (cycles) => {
      const { world, next, writes } = cycles;
      deleteGroup(cycles, "A");
      byHand(cycles);
      writes();
      for (const isFull of [false, false, true]) {
        const report = await next();
        assertEquals([report.isFull, summary(report)], [isFull, ["A->T: +0 -0, 1 errors"]]);
        assertMatch(errorsOf(report).join(), /^A: Group not found: A/);
      }
      assertEquals(writes(), []);
      assertEquals(world.grafana.state.membersOf("T"), []);
    }));

  Deno.test(`somebody is deleted in Okta, then their team is ${what} by hand: the others come back without them`, () =>
    settled({ A: ["ann", "bob"] }, { mappings: [A] }, async (cycles) => {
      const { world, next } = cycles;
      deletePerson(cycles, "bob");
      byHand(cycles);
      const report = await next();
      assertEquals([report.isFull, summary(report)], [false, ["A->T: +1 -0"]]);
      assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com"]);
    }));
}

Deno.test("the group is deleted in Okta, then one member is taken out of its team by hand: they stay out, and nobody else goes", () =>
  settled({ A: ["ann", "bob"] }, { mappings: [A], sync: OFF }, async (cycles) => {
    const { world: { grafana: { state } }, next, writes } = cycles;
    deleteGroup(cycles, "A");
    state.team("T")?.members.delete(state.lookUp("bob@example.com")?.id ?? 0);
    writes();
    assertMatch(errorsOf(await next()).join(), /^A: Group not found: A/);
    assertEquals([writes(), state.membersOf("T")], [[], ["ann@example.com"]]);
  }));

Deno.test("one of a team's groups is deleted in Okta, then the team is emptied by hand: the members of the other come back alone", () =>
  settled({ A: ["ann"], B: ["bob", "cy"] }, { mappings: [A, B], sync: OFF }, async (cycles) => {
    const { world, next, person } = cycles;
    deleteGroup(cycles, "A");
    emptyTeam(cycles);
    // The other one changes, and is read anyway.
    world.okta.group("B").members.add(person("dee"));
    const report = await next();
    assertEquals([report.isFull, summary(report)], [false, ["A->T: +0 -0, 1 errors", "B->T: +3 -0"]]);
    assertMatch(errorsOf(report).join(), /^A: Group not found: A/);
    assertEquals(
      world.grafana.state.membersOf("T"),
      ["bob", "cy", "dee"].map((name) => `${name}@example.com`),
    );
  }));

Deno.test("somebody is deleted in Okta, then taken out of Grafana's organisation by hand: they are not brought back into it", () =>
  settled({ A: ["ann", "bob"] }, { mappings: [A] }, async (cycles) => {
    const { next, writes } = cycles;
    expelByHand(cycles, "bob");
    deletePerson(cycles, "bob");
    writes();
    const report = await next();
    assertEquals([report.isFull, summary(report), writes()], [false, ["A->T: +0 -0"], []]);
  }));

Deno.test("the group is deleted in Okta, and a person of it in Grafana's organisation by hand: they are not brought back into it", () =>
  settled({ A: ["ann", "bob"] }, { mappings: [A] }, async (cycles) => {
    const { next, writes } = cycles;
    expelByHand(cycles, "bob");
    deleteGroup(cycles, "A");
    writes();
    const report = await next();
    assertMatch(errorsOf(report).join(), /^A: Group not found: A/);
    assertEquals([report.isFull, writes()], [false, []]);
  }));

Deno.test("a team that is emptied by hand costs one reading of its group, and an idle one none", () =>
  settled({ A: ["ann", "bob"] }, { mappings: [A] }, async (cycles) => {
    const { next, requests } = cycles;
    const readings = () => requests().filter((one) => /\/groups\/\w+\/users$/.test(one)).length;
    await next();
    assertEquals(readings(), 0);
    emptyTeam(cycles);
    assertEquals(summary(await next()), ["A->T: +2 -0"]);
    assertEquals(readings(), 1);
  }));

Deno.test("a team of three groups that is emptied by hand costs one request to ask whether the groups still exist", () =>
  settled(
    { A: ["ann"], B: ["bob"], C: ["cy"] },
    { mappings: [A, B, { okta_group: "C", grafana_team: "T" }] },
    async (cycles) => {
      const { world: { okta }, next } = cycles;
      await next();
      emptyTeam(cycles);
      const before = okta.received.length;
      assertEquals(summary(await next()), ["A->T: +1 -0", "B->T: +1 -0", "C->T: +1 -0"]);
      const asked = okta.received.slice(before).filter(({ path }) => path.includes("filter=id"));
      assertEquals(asked.length, 1, asked.map(({ path }) => path).join("\n"));
    },
  ));
