/** Okta's lists of members that end too early, with whatever is left of their `Link` header. */
import { assertEquals, assertMatch } from "@std/assert";
import type { SimulatedOktaUser } from "../../src/simulation/okta_state.ts";
import {
  type CycleSettings,
  type CycleWorld,
  errorsOf,
  fits,
  holdReason,
  summary,
  withCycles,
} from "../sync/cycle_world.ts";
import { emails } from "../sync/fixtures.ts";

const SETTINGS: CycleSettings = {
  mappings: [{ okta_group: "A", grafana_team: "T" }],
  sync: { removal_limit: "off" },
};
const MEMBERS = /^\/api\/v1\/groups\/[^/]+\/users$/;

interface Group extends CycleWorld {
  readonly people: readonly SimulatedOktaUser[];
  /** The next cycle of a process that starts anew. */
  next(): ReturnType<CycleWorld["cycle"]>;
}

/** A group of this size whose members are all in its team. */
function withGroup(size: number, test: (group: Group) => Promise<void>): Promise<void> {
  return withCycles(SETTINGS, async (cycles) => {
    const { world, cycle, writes, messages, restart } = cycles;
    const people = emails(1, size).map((email) => world.addPerson(email));
    world.okta.addGroup("A", people);
    world.okta.limitRate({ limit: 1e6, remaining: 1e6, resetAt: Infinity });
    await cycle();
    writes();
    messages();
    await test({ ...cycles, people, next: () => restart()() });
  });
}

/** Changes the `Link` header of every answer, or of those to requests that fit. */
function relink(
  { world }: CycleWorld,
  link: (request: Request, before: string) => string | undefined,
  path: RegExp = /./,
): void {
  world.okta.intercept = async (request, proceed) => {
    const answer = await proceed();
    if (!fits(request, "GET", path)) return answer;
    const header = link(request, answer.headers.get("link") ?? "");
    if (header === undefined) answer.headers.delete("link");
    else answer.headers.set("link", header);
    return answer;
  };
}

/** Only the list itself, as on a last page. */
const onlySelf = ({ url }: Request) => `<${url}>; rel="self"`;

Deno.test("where a proxy strips every Link header, additions go on and removals are on hold, which says why", () =>
  withGroup(200, async (group) => {
    const { world, people, next, messages } = group;
    world.okta.pageSize = 150;
    relink(group, () => undefined);
    // He is listed, but not yet in the team.
    const first = people[0]?.email ?? "";
    world.grafana.state.team("T")?.members.delete(world.grafana.state.lookUp(first)?.id ?? 0);
    const report = await next();
    assertEquals(summary(report), ["A->T: +1 -0, 50 on hold"]);
    assertEquals(report.plans.map(holdReason)[0], "incomplete-read");
    const said = messages().join("\n");
    assertMatch(
      said,
      /ERROR .*Okta group 'A' may not be whole: .*no Link header: .*if a proxy strips Link headers/,
    );
    assertMatch(
      said,
      /WARNING Okta's responses have no Link header \(GET \S+users\): members may be missing/,
    );
  }));

Deno.test("where a proxy strips every Link header, and nobody is to go, that is said once", () =>
  withGroup(3, async (group) => {
    relink(group, () => undefined);
    const cycle = group.restart();
    for (let i = 0; i < 3; i++) assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
    assertEquals(group.messages().filter((line) => /WARNING.*members may be missing/.test(line)).length, 1);
  }));

Deno.test("somebody who is on hold for a lost Link header goes in the next cycle, if the header is back", () =>
  withGroup(3, async (group) => {
    const { world, people, restart, clock, shutdown } = group;
    relink(group, () => undefined, MEMBERS);
    const cycle = restart();
    for (const user of people.slice(0, 1)) world.okta.group("A").members.delete(user);
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 on hold"]);
    world.okta.intercept = undefined;
    await clock.sleep(60_000, shutdown.signal);
    const report = await cycle();
    assertEquals([report.isFull, ...summary(report)], [false, "A->T: +0 -1"]);
  }));

const LOST: Readonly<Record<string, (request: Request, before: string) => string>> = {
  "is empty": () => "",
  "names only something unrelated": ({ url }) => `<${url}>; rel="alternate"`,
  "names a self that is no address": () => `<self>; rel="self"`,
  "names two next pages": (_, before) => `${before}, <https://company.okta.com/?after=y>; rel="next"`,
};

for (const [what, link] of Object.entries(LOST)) {
  Deno.test(`a full first page whose Link header ${what} is no last page`, () =>
    withGroup(390, async (group) => {
      relink(group, link, MEMBERS);
      const report = await group.next();
      assertEquals(summary(report), ["A->T: +0 -0, 1 errors"]);
      assertMatch(errorsOf(report).join(), /the Link header (?:is missing|names two next pages)/);
      assertEquals(group.writes(), []);
    }));
}

Deno.test("a full first page whose Link header names only self proves nobody's absence: the second reading is cut off elsewhere", () =>
  withGroup(390, async (group) => {
    relink(group, onlySelf, MEMBERS);
    const report = await group.next();
    assertEquals(summary(report), ["A->T: +0 -0, 190 on hold"]);
    assertEquals(report.plans.map(holdReason)[0], "incomplete-read");
    assertMatch(
      group.messages().join("\n"),
      /may not be whole: one of two readings ended at a full page.*200 and 199 members/,
    );
    assertEquals(group.writes(), []);
  }));

for (const [which, limit] of [["first", "200"], ["second", "199"]] as const) {
  Deno.test(`a list that is cut off at a full page in the ${which} reading only removes nobody, and the next cycle removes who left`, () =>
    withGroup(391, async (group) => {
      const { world, people, cycle } = group;
      for (const user of people.slice(0, 1)) world.okta.group("A").members.delete(user);
      relink(group, (request, before) => {
        const isCut = new URL(request.url).searchParams.get("limit") === limit;
        return isCut ? onlySelf(request) : before;
      }, MEMBERS);
      assertMatch(summary(await cycle())[0] ?? "", /^A->T: \+0 -0, 1 on hold$/);
      assertEquals(group.writes(), []);
      world.okta.intercept = undefined;
      assertEquals(summary(await cycle()), ["A->T: +0 -1"]);
    }));
}

for (const size of [199, 200, 398, 400]) {
  Deno.test(`somebody who left a group that has ${size} members now is removed, although a list ends at a full page`, () =>
    withGroup(size + 1, async ({ world, people, next, writes }) => {
      for (const user of people.slice(0, 1)) world.okta.group("A").members.delete(user);
      assertEquals(summary(await next()), ["A->T: +0 -1"]);
      assertEquals(writes().length, 1);
    }));
}
