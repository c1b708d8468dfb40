import { assert, assertEquals, assertMatch } from "@std/assert";
import { isSuccess, totals } from "../../src/sync/tell/report.ts";
import { refuse, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";

const ENGINEERS = mapping("Engineering", "Engineers");
const SCIENTISTS = mapping("Data Science", "Data Scientists");

Deno.test("the first cycle creates the teams and fills them; the second one writes nothing", () =>
  withCycles({ mappings: [ENGINEERS, SCIENTISTS] }, async ({ world, cycle, writes }) => {
    const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
    world.okta.addGroup("Engineering", [alice, bob]);
    world.okta.addGroup("Data Science", [bob]);

    const first = await cycle();
    assertEquals(summary(first), ["Engineering->Engineers: +2 -0", "Data Science->Data Scientists: +1 -0"]);
    assertEquals(first.mappings.map(({ groupMembers, teamMembers }) => [groupMembers, teamMembers]), [
      [2, 2],
      [1, 1],
    ]);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com", "bob@example.com"]);
    assertEquals(world.grafana.state.membersOf("Data Scientists"), ["bob@example.com"]);
    assertEquals(writes().length, 5);

    const second = await cycle();
    assertEquals(summary(second), ["Engineering->Engineers: +0 -0", "Data Science->Data Scientists: +0 -0"]);
    assertEquals(writes(), []);
    assertEquals([first.cycle, second.cycle], [1, 2]);
  }));

Deno.test("the log says what GOTS's log said, in its order, once a mapping", () =>
  withCycles({ mappings: [ENGINEERS, SCIENTISTS] }, async ({ world, cycle, messages }) => {
    const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
    const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
    world.okta.addGroup("Engineering", [alice, bob]);
    world.okta.addGroup("Data Science", [bob]);
    world.grafana.state.addTeam("Engineers").members.set(carol.id, 0);

    await cycle();
    assertEquals(messages(), [
      "INFO Starting sync: Engineering -> Engineers",
      "INFO Found 2 members in Okta group 'Engineering'",
      "INFO Found 1 members in Grafana team 'Engineers'",
      "INFO Sync diff: 2 to add, 1 to remove",
      "INFO Added user alice@example.com to team Engineers",
      "INFO Added user bob@example.com to team Engineers",
      "INFO Removed user carol@example.com from team Engineers",
      "INFO Sync completed: +2 users, -1 users, 0 errors, 0.00s",
      "INFO Created team Data Scientists",
      "INFO Starting sync: Data Science -> Data Scientists",
      "INFO Found 1 members in Okta group 'Data Science'",
      "INFO Found 0 members in Grafana team 'Data Scientists'",
      "INFO Sync diff: 1 to add, 0 to remove",
      "INFO Added user bob@example.com to team Data Scientists",
      "INFO Sync completed: +1 users, -0 users, 0 errors, 0.00s",
    ]);
  }));

Deno.test("every change of a team is one line that tells who, where, why, and in which cycle", () =>
  withCycles({ mappings: [ENGINEERS] }, async ({ world, cycle, captured }) => {
    const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
    world.grafana.state.addTeam("Engineers").members.set(carol.id, 0);
    const sue = world.addPerson("sue@example.com");
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com"), sue]);
    await cycle();
    sue.status = "SUSPENDED";
    await cycle();

    const audit = captured.lines().filter(({ audit }) => audit === 1);
    const ids = new Map([...world.grafana.state.users.values()].map(({ id, email }) => [email, id]));
    const common = {
      level: "INFO",
      audit: 1,
      outcome: "done",
      okta_group: "Engineering",
      grafana_team: "Engineers",
      team_id: 1,
    };
    const people = (email: string) => ({ user: email, user_id: ids.get(email) });
    const added = { ...common, action: "add", why: "in Okta group 'Engineering'", cycle: 1 };
    assertEquals(audit.map(({ timestamp: _, message: __, run: ___, ...fields }) => fields), [
      { ...added, ...people("alice@example.com") },
      { ...added, ...people("sue@example.com") },
      {
        ...common,
        action: "remove",
        ...people("carol@example.com"),
        why: "not in Okta group 'Engineering'",
        cycle: 1,
      },
      { ...common, action: "remove", ...people("sue@example.com"), why: "SUSPENDED in Okta", cycle: 2 },
    ]);
  }));

Deno.test("the cycles of one process share a run, and those of the next process have another", () =>
  withCycles({ mappings: [ENGINEERS] }, async ({ world, cycle, restart, captured }) => {
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    await cycle();
    await cycle();
    await restart()();
    const completed = captured.lines().filter(({ message }) =>
      String(message).startsWith("Found 1 members in O")
    );
    const [first, ...others] = new Set(captured.lines().map(({ run }) => run));
    assertEquals(completed.map(({ run, cycle }) => [run, cycle]), [[first, 1], [first, 2], [others[0], 1]]);
    assertEquals([typeof first, others.length], ["string", 1]);
  }));

Deno.test("a JSON line says each thing once, and its numbers are numbers", () =>
  withCycles({
    mappings: [ENGINEERS, SCIENTISTS, mapping("Missing", "Nobody"), mapping("Empty", "Kept")],
    sync: { protected_users: ["kim@example.com"] },
  }, async ({ world, cycle, captured }) => {
    const { okta, grafana: { state } } = world;
    const { members } = state.addTeam("Kept");
    for (const login of ["kim", "lee"]) {
      members.set(state.addUser({ login, email: `${login}@example.com` }).id, 0);
    }
    okta.addGroup("Engineering", [world.addPerson("alice@example.com"), okta.addUser("new@example.com")]);
    okta.addGroup("Data Science", [world.addPerson("bob@example.com")]);
    okta.addGroup("Empty", []);
    let asked = 0;
    okta.intercept = (_, proceed) =>
      ++asked === 1 ? Response.json({}, { status: 429, headers: { "retry-after": "7" } }) : proceed();
    world.grafana.intercept = refuse("POST", /members/, 400, { message: "the team is closed today" });
    await cycle();
    await cycle();
    const names = new Set(["message", "okta_group", "grafana_team", "user"]);
    for (const { level, ...line } of captured.lines().filter(({ level }) => level !== "DEBUG")) {
      for (const [field, value] of Object.entries(line)) {
        const isSentence = typeof value === "string" && value.includes(" ") && !names.has(field);
        assert(!isSentence || !String(line.message).includes(value), `${field} of ${level} ${line.message}`);
        assert(typeof value !== "string" || !/^-?[\d.]+$/.test(value), `${field} of ${line.message}`);
        assert(!field.startsWith("_"), field);
      }
    }
    const said = captured.messages().join("\n");
    for (
      const words of [
        /pending/,
        /on hold/,
        /still on hold/,
        /kept/,
        /waiting 7\.0 s/,
        /could not add/,
        /Group not/,
      ]
    ) {
      assertMatch(said, words);
    }
  }));

Deno.test("a dry run writes nothing, not even a team, and shows the same diff", () =>
  withCycles({ mappings: [ENGINEERS, SCIENTISTS] }, async ({ world, cycle, writes, messages }) => {
    const alice = world.addPerson("alice@example.com");
    const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
    world.grafana.state.addUser({ login: "out", email: "out@example.com", orgId: null });
    world.grafana.state.addTeam("Engineers").members.set(carol.id, 0);
    world.okta.addGroup("Engineering", [alice]);
    world.okta.addGroup("Data Science", [alice, world.okta.addUser("out@example.com")]);

    const report = await cycle({ dryRun: true });
    assertEquals(writes(), []);
    assertEquals(world.grafana.state.team("Data Scientists"), undefined);
    assertEquals([report.dryRun, totals(report).added, totals(report).removed], [true, 0, 0]);
    const diffs = (lines: string[]) => lines.filter((line) => line.includes("Sync diff"));
    const dry = messages();
    assertEquals(dry.filter((line) => /Would|not known/.test(line)), [
      "INFO Would add user alice@example.com to team Engineers",
      "INFO Would remove user carol@example.com from team Engineers",
      "INFO Would create team Data Scientists",
      "INFO Would add user alice@example.com to team Data Scientists",
      "INFO Team Data Scientists: 1 user is not known in this organisation: out@example.com. They join " +
      "the team in the first cycle after they have signed in to Grafana once",
    ]);

    world.okta.group("Data Science").members.forEach((user) =>
      user === alice || world.okta.group("Data Science").members.delete(user)
    );
    await cycle({ dryRun: false });
    assertEquals(diffs(messages()), diffs(dry));
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
  }));

Deno.test("sync.dry_run makes every cycle a dry run", () =>
  withCycles({ mappings: [ENGINEERS], sync: { dry_run: true } }, async ({ world, cycle, writes }) => {
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    assert((await cycle()).dryRun);
    assertEquals(writes(), []);
  }));

Deno.test("a group that feeds two teams is read once a cycle", () =>
  withCycles({ mappings: [ENGINEERS, mapping("Engineering", "Everybody")] }, async ({ world, cycle }) => {
    const { id } = world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    for (let expected = 1; expected <= 2; expected++) {
      await cycle();
      const reads = world.okta.received.filter(({ path }) => path.startsWith(`/api/v1/groups/${id}/users`));
      assertEquals(reads.length, expected);
    }
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
    assertEquals(world.grafana.state.membersOf("Everybody"), ["alice@example.com"]);
  }));

Deno.test("two groups that feed one team are their union; nobody flaps between them", () =>
  withCycles({ mappings: [mapping("A", "T"), mapping("B", "T")] }, async ({ world, cycle, writes }) => {
    const people = ["alice", "bob", "carol"].map((name) => world.addPerson(`${name}@example.com`));
    const dave = world.grafana.state.addUser({ login: "dave", email: "dave@example.com" });
    world.grafana.state.addTeam("T").members.set(dave.id, 0);
    world.okta.addGroup("A", people.slice(0, 2));
    world.okta.addGroup("B", people.slice(1));

    assertEquals(summary(await cycle()), ["A->T: +2 -1", "B->T: +1 -0"]);
    const all = ["alice@example.com", "bob@example.com", "carol@example.com"];
    assertEquals(world.grafana.state.membersOf("T"), all);
    writes();
    assertEquals(summary(await cycle()), ["A->T: +0 -0", "B->T: +0 -0"]);
    assertEquals(writes(), []);
  }));

Deno.test("whoever leaves one of two groups stays, and is removed when they have left both", () =>
  withCycles({ mappings: [mapping("A", "T"), mapping("B", "T")] }, async ({ world, cycle }) => {
    const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
    world.okta.addGroup("A", [alice, bob]);
    world.okta.addGroup("B", [alice, bob]);
    await cycle();
    world.okta.group("A").members.delete(bob);
    assertEquals(summary(await cycle()), ["A->T: +0 -0", "B->T: +0 -0"]);
    world.okta.group("B").members.delete(bob);
    assertEquals(summary(await cycle()), ["A->T: +0 -1", "B->T: +0 -0"]);
    assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com"]);
  }));

Deno.test("okta.member_statuses decides who belongs", () =>
  withCycles(
    { mappings: [ENGINEERS], okta: { member_statuses: ["ACTIVE", "SUSPENDED"] } },
    async ({ world, cycle }) => {
      const people = ["alice", "sue", "prue"].map((name) => world.addPerson(`${name}@example.com`));
      world.okta.addGroup("Engineering", people);
      Object.assign(people[1] ?? {}, { status: "SUSPENDED" });
      Object.assign(people[2] ?? {}, { status: "PROVISIONED" });
      await cycle();
      assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com", "sue@example.com"]);
    },
  ));

Deno.test("an empty group removes nobody, and says so, unless allow_empty lets it", async () => {
  for (const allowed of [false, true]) {
    const mappings = [mapping("Engineering", "Engineers", { allow_empty: allowed })];
    await withCycles({ mappings }, async ({ world, cycle, messages }) => {
      const alice = world.addPerson("alice@example.com");
      world.okta.addGroup("Engineering", [alice]);
      await cycle();
      messages();
      world.okta.group("Engineering").members.clear();
      const report = await cycle();

      assertEquals(world.grafana.state.membersOf("Engineers"), allowed ? [] : ["alice@example.com"]);
      assertEquals(summary(report), [`Engineering->Engineers: +0 -${allowed ? "1" : "0, 1 on hold"}`]);
      assertEquals(report.mappings.map(isSuccess), [allowed]);
      assertEquals(
        messages().filter((line) => line.startsWith("ERROR")),
        allowed ? [] : [
          "ERROR Team Engineers: 1 removal on hold (empty-group): Okta group 'Engineering' is empty; " +
          "if that is intended, set allow_empty: true in its mapping. Still in the team: alice@example.com",
        ],
      );
    });
  }
});

Deno.test("each removal that is on hold is one line that tells who, where and why, once", () =>
  withCycles({ mappings: [ENGINEERS] }, async ({ world, cycle, captured }) => {
    const alice = world.addPerson("alice@example.com");
    world.okta.addGroup("Engineering", [alice]);
    await cycle();
    world.okta.group("Engineering").members.clear();
    await cycle();
    await cycle();
    const lines = captured.lines().filter(({ audit, outcome }) => audit === 1 && outcome === "on_hold");
    assertEquals(
      lines.map(({ action, user, grafana_team, reason, why, cycle }) => [
        action,
        user,
        grafana_team,
        reason,
        why,
        cycle,
      ]),
      [["remove", "alice@example.com", "Engineers", "empty-group", "not in Okta group 'Engineering'", 2]],
    );
  }));

Deno.test("whoever watches is told what is read and which mapping came to its end", () =>
  withCycles({ mappings: [ENGINEERS] }, async ({ world, cycle }) => {
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    const read: string[] = [];
    const ended: string[] = [];
    await cycle({
      onReading: (what, count) => read.push(`${what}: ${count}`),
      onMapping: ({ mapping, added }, dryRun) => ended.push(`${mapping.grafana_team} +${added} ${dryRun}`),
    });
    assertEquals(read, [
      "Grafana users: 2",
      "Okta group Engineering: 0",
      "Okta group Engineering: 1",
    ]);
    assertEquals(ended, ["Engineers +1 false"]);
  }));
