/** A team that is written at once, where Grafana can do that and it says the same as one request a change. */
import { assertEquals, assertMatch } from "@std/assert";
import { type CycleSettings, type CycleWorld, fits, summary, withCycles } from "./cycle_world.ts";
import { emails } from "./fixtures.ts";

const BULK = /^\/api\/teams\/\d+\/members$/;

/** Group A with eight people for team T, in a Grafana of this version. */
async function eight(
  test: (
    cycles: CycleWorld & { readonly people: ReturnType<CycleWorld["world"]["addPerson"]>[] },
  ) => Promise<void>,
  settings: Partial<CycleSettings> = {},
  version = "11.1.0",
): Promise<void> {
  const mappings = [{ okta_group: "A", grafana_team: "T" }];
  await withCycles({ mappings, network: (world) => world.fetch, ...settings }, async (cycles) => {
    cycles.world.grafana.state.version = version;
    const people = emails(1, 8).map((email) => cycles.world.addPerson(email));
    cycles.world.okta.addGroup("A", people);
    await test({ ...cycles, people });
  });
}

/** How many requests of each method were sent to the members of teams. */
function memberWrites(writes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const write of writes.filter((one) => one.includes("/members"))) {
    const method = write.split(" ")[0] ?? "";
    counts[method] = (counts[method] ?? 0) + 1;
  }
  return counts;
}

Deno.test("a new team is filled with one request, and every member has a line in the log", () =>
  eight(async ({ world, cycle, writes, captured }) => {
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(memberWrites(writes()), { PUT: 1 });
    assertEquals(world.grafana.state.membersOf("T"), emails(1, 8));
    const lines = captured.lines().filter(({ action }) => action === "add");
    assertEquals(
      lines.map(({ user, why }) => [user, why]),
      emails(1, 8).map((email) => [email, "in Okta group 'A'"]),
    );
  }));

Deno.test("additions and removals go together, and a team's admins stay admins", () =>
  eight(async ({ world, cycle, writes, people }) => {
    await cycle();
    const { state } = world.grafana;
    const members = state.team("T")?.members;
    const admin = state.lookUp("p1@example.com")?.id ?? 0;
    members?.set(admin, 4);
    const { members: group } = world.okta.group("A");
    for (const user of people.slice(6)) group.delete(user);
    for (const email of emails(9, 11)) group.add(world.addPerson(email));
    writes();
    assertEquals(summary(await cycle()), ["A->T: +3 -2"]);
    assertEquals(memberWrites(writes()), { PUT: 1 });
    assertEquals(state.membersOf("T"), [...emails(1, 6), ...emails(9, 11)].sort());
    assertEquals(members?.get(admin), 4);
  }));

Deno.test("where Grafana is older than 11.1, that is tried once, and changes are written one by one", () =>
  eight(
    async ({ world, cycle, writes }) => {
      assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
      assertEquals(memberWrites(writes()), { PUT: 1, POST: 8 });
      for (const email of emails(9, 14)) world.okta.group("A").members.add(world.addPerson(email));
      assertEquals(summary(await cycle()), ["A->T: +6 -0"]);
      assertEquals(memberWrites(writes()), { POST: 6 });
    },
    {},
    "11.0.4",
  ));

Deno.test("a few changes of a large team are written one by one", () =>
  eight(async ({ world, cycle, writes }) => {
    for (const email of emails(9, 120)) world.okta.group("A").members.add(world.addPerson(email));
    await cycle();
    for (const email of emails(121, 125)) world.okta.group("A").members.add(world.addPerson(email));
    writes();
    assertEquals(summary(await cycle()), ["A->T: +5 -0"]);
    assertEquals(memberWrites(writes()), { POST: 5 });
  }));

type Prepare = (cycles: CycleWorld) => unknown;

/** Puts somebody into team T before the first cycle. */
const withMember = (email: string, permission = 0): Prepare => ({ world: { grafana: { state } } }) => {
  const team = state.team("T") ?? state.addTeam("T");
  team.members.set(state.addUser({ login: `login of ${email}`, email }).id, permission);
};

interface OneByOne {
  readonly why: string;
  readonly prepare?: Prepare;
  readonly settings?: Partial<CycleSettings>;
  /** Additions besides the eight. */
  readonly more?: number;
}

const A = { okta_group: "A", grafana_team: "T" };

const ONE_BY_ONE: readonly OneByOne[] = [
  { why: "a policy of add-only", settings: { sync: { policy: "add-only" } } },
  {
    why: "protected users, of whom one could come in the same moment",
    settings: { sync: { protected_users: ["x@example.com"] } },
  },
  {
    why: "admins that are kept, of whom one could come in the same moment",
    settings: { sync: { keep_team_admins: true } },
  },
  {
    why: "a member without an email",
    prepare({ world: { okta, grafana: { state } } }) {
      state.addUser({ login: "nomail", email: "" });
      okta.group("A").members.add(okta.addUser("", { login: "nomail", email: null }));
    },
    more: 1,
  },
  {
    why: "removals that are on hold",
    prepare(cycles) {
      cycles.world.okta.addGroup("Empty");
      withMember("x@example.com")(cycles);
    },
    settings: { mappings: [A, { okta_group: "Empty", grafana_team: "T" }] },
  },
  {
    why: "a member who cannot be told apart",
    prepare({ world: { okta, grafana: { state } } }) {
      for (const email of ["Y@example.com", "y@example.com"]) {
        state.addUser({ login: `login ${email}`, email });
      }
      okta.group("A").members.add(okta.addUser("y@Example.com"));
    },
  },
  {
    why: "a mapping of add-only beside one that removes",
    prepare: ({ world }) => world.okta.addGroup("B", [world.addPerson("b@example.com")]),
    settings: { mappings: [A, { okta_group: "B", grafana_team: "T", policy: "add-only" }] },
    more: 1,
  },
  {
    why: "two members whose accounts have one email, which names only one of them",
    prepare({ world: { okta, grafana: { state } } }) {
      for (const login of ["one", "two"]) {
        state.addUser({ login, email: "shared@example.com" });
        okta.group("A").members.add(okta.addUser("", { login, email: null }));
      }
    },
    more: 2,
  },
  {
    why: "a permission that is neither a member's nor an admin's",
    prepare(cycles) {
      withMember("p9@example.com", 2)(cycles);
      cycles.world.okta.group("A").members.add(cycles.world.okta.addUser("p9@example.com"));
    },
  },
];

for (const { why, prepare, settings, more = 0 } of ONE_BY_ONE) {
  Deno.test(`no bulk write with ${why}`, () =>
    eight(async (cycles) => {
      prepare?.(cycles);
      await cycles.cycle();
      assertEquals(memberWrites(cycles.writes()), { POST: 8 + more });
    }, settings));
}

Deno.test("no bulk write while somebody is kept who was renamed in Okta", () =>
  eight(async ({ world, cycle, writes, people: [jane] }) => {
    await cycle();
    Object.assign(jane ?? {}, { login: "jane@example.com", email: "jane@example.com" });
    for (const email of emails(9, 14)) world.okta.group("A").members.add(world.addPerson(email));
    writes();
    assertEquals(summary(await cycle()), ["A->T: +6 -0, 1 pending"]);
    assertEquals(memberWrites(writes()), { POST: 6 });
    assertEquals(world.grafana.state.membersOf("T"), emails(1, 14).sort());
  }));

Deno.test("no bulk write where Grafana counts more members than it shows", () =>
  eight(async ({ world, cycle, writes }) => {
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (!fits(request, "GET", /teams\/search$/)) return answer;
      const page = await answer.json();
      return Response.json({
        ...page,
        teams: page.teams.map((team: object) => ({ ...team, memberCount: 77 })),
      }, answer);
    };
    world.grafana.state.addTeam("T");
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(memberWrites(writes()), { POST: 8 });
  }));

Deno.test("no bulk write while one of the team's groups was not read in this cycle", () =>
  eight(async ({ world, cycle, clock, writes }) => {
    world.okta.clock = () => clock.now() - 86_400_000;
    world.okta.addGroup("B", [world.addPerson("b@example.com")]);
    world.okta.clock = clock.now;
    await cycle();
    await clock.sleep(300_000, new AbortController().signal);
    for (const email of emails(9, 14)) world.okta.group("A").members.add(world.addPerson(email));
    writes();
    const report = await cycle();
    assertEquals([report.isFull, summary(report).sort()], [false, ["A->T: +6 -0", "B->T: +0 -0"]]);
    assertEquals(memberWrites(writes()), { POST: 6 });
  }, { mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "T" }] }));

for (
  const [what, status] of [["refuses it", 400], [
    "knows one of them under another email by now",
    404,
  ]] as const
) {
  Deno.test(`where Grafana ${what}, the changes are written one by one`, () =>
    eight(async ({ world, cycle, writes }) => {
      world.grafana.intercept = (request, proceed) =>
        fits(request, "PUT", BULK) ? Response.json({ message: "user not found" }, { status }) : proceed();
      assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
      assertEquals(memberWrites(writes()), { PUT: 1, POST: 8 });
      world.grafana.intercept = undefined;
      for (const email of emails(9, 14)) world.okta.group("A").members.add(world.addPerson(email));
      assertEquals(summary(await cycle()), ["A->T: +6 -0"]);
      assertEquals(memberWrites(writes()), { PUT: 1 }, "it is tried again for other changes");
    }));
}

Deno.test("where a bulk write fails, that is told, the team is compared anew, and the changes are written one by one", () =>
  eight(async ({ world, cycle, writes, messages }) => {
    world.grafana.intercept = (request, proceed) =>
      fits(request, "PUT", BULK)
        ? Response.json({ message: "database is locked" }, { status: 500 })
        : proceed();
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(memberWrites(writes()), { PUT: 1, POST: 8 });
    assertMatch(
      messages().join("\n"),
      /WARNING Team T: its members could not be written at once, and are written one by one: database is locked .*; checking it again/,
    );
  }));

Deno.test("what a bulk write did not do, though Grafana says so, is done one by one", () =>
  eight(async ({ world, cycle, writes }) => {
    const { state } = world.grafana;
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (fits(request, "PUT", BULK)) {
        state.team("T")?.members.delete(state.lookUp("p3@example.com")?.id ?? 0);
      }
      return answer;
    };
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(memberWrites(writes()), { PUT: 1, POST: 1 });
    assertEquals(state.membersOf("T"), emails(1, 8));
  }));

Deno.test("somebody whom a bulk write left in the team, though Grafana says it is done, is removed by a request", () =>
  eight(async ({ world, cycle, writes, people, captured }) => {
    await cycle();
    const { state } = world.grafana;
    for (const user of people.slice(5)) world.okta.group("A").members.delete(user);
    for (const email of emails(9, 11)) world.okta.group("A").members.add(world.addPerson(email));
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (fits(request, "PUT", BULK)) {
        state.team("T")?.members.set(state.lookUp("p8@example.com")?.id ?? 0, 0);
      }
      return answer;
    };
    writes();
    assertEquals(summary(await cycle()), ["A->T: +3 -3"]);
    assertEquals(memberWrites(writes()), { PUT: 1, DELETE: 1 });
    assertEquals(state.membersOf("T"), [...emails(1, 5), ...emails(9, 11)].sort());
    const removed = captured.lines().filter(({ action, outcome }) =>
      action === "remove" && outcome === "done"
    );
    assertEquals(removed.map(({ user }) => user), emails(6, 8));
  }, { sync: { removal_limit: "off" } }));

Deno.test("somebody who comes into the team by hand after it was read ahead is not removed by a bulk write", () =>
  eight(async ({ world, cycle, writes }) => {
    const { state } = world.grafana;
    const team = state.addTeam("T");
    const guest = state.addUser({ login: "guest", email: "guest@example.com" });
    let readings = 0;
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (fits(request, "GET", BULK) && ++readings === 1) team.members.set(guest.id, 0);
      return answer;
    };
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(memberWrites(writes()), { PUT: 1 });
    assertEquals(state.membersOf("T"), ["guest@example.com", ...emails(1, 8)]);
    assertEquals(summary(await cycle()), ["A->T: +0 -1"], "the next cycle sees them");
  }));

Deno.test("a team that somebody else has just created is not written at once: nobody has read who is in it", () =>
  eight(async ({ world, cycle, writes, captured }) => {
    const { state } = world.grafana;
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "POST", /^\/api\/teams$/)) {
        state.addTeam("T").members.set(state.addUser({ login: "x", email: "x@example.com" }).id, 0);
      }
      return proceed();
    };
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(memberWrites(writes()), { POST: 8 });
    const told = captured.lines().filter(({ action }) => action === "create_team");
    assertEquals(told.map(({ outcome }) => outcome), ["found"]);
  }));

Deno.test("several groups of a team are counted each on its own mapping", () =>
  eight(async ({ world, cycle, writes, people }) => {
    world.okta.addGroup("B", [...people.slice(6), world.addPerson("b@example.com")]);
    assertEquals(summary(await cycle()), ["A->T: +8 -0", "B->T: +1 -0"]);
    assertEquals(memberWrites(writes()), { PUT: 1 });
  }, { mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "T" }] }));

Deno.test("a dry run writes nothing, not even at once", () =>
  eight(async ({ cycle, writes }) => {
    await cycle({ dryRun: true });
    assertEquals(writes(), []);
  }));

Deno.test("somebody whose account is replaced in the moment of a bulk write is told with the account that came", () =>
  eight(async ({ world, cycle, captured }) => {
    const { state } = world.grafana;
    let id = 0;
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "PUT", BULK)) {
        state.users.delete(state.lookUp("p1@example.com")?.id ?? 0);
        ({ id } = state.addUser({ login: "p1@example.com", email: "p1@example.com" }));
      }
      return proceed();
    };
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    const line = captured.lines().find(({ action, user }) => action === "add" && user === "p1@example.com");
    assertEquals([line?.outcome, line?.user_id], ["done", id]);
  }));
