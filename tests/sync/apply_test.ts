import { assert, assertEquals, assertMatch } from "@std/assert";
import { type CycleWorld, errorsOf, fits, refuse, summary, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";

const MAPPINGS = [mapping("A", "T")];
const MEMBERS = /^\/api\/teams\/\d+\/members$/;
const MEMBER = /^\/api\/teams\/\d+\/members\/\d+$/;

/** Group A with these people, all known to Grafana. */
function fill({ world }: CycleWorld, ...names: readonly string[]): void {
  world.okta.addGroup("A", names.map((name) => world.addPerson(`${name}@example.com`)));
}

/** The id that the next request to a team's members is about, counted from the first person of the world. */
function userId({ world }: CycleWorld, name: string): number {
  return world.grafana.state.lookUp(`${name}@example.com`)?.id ?? 0;
}

Deno.test("a user whose addition fails is reported by name, and the rest goes on", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    fill(cycles, "alice", "bob", "carol");
    const { world, cycle, messages } = cycles;
    const bob = userId(cycles, "bob");
    world.grafana.intercept = async (request, proceed) =>
      fits(request, "POST", MEMBERS) && (await request.clone().json()).userId === bob
        ? Response.json({ message: "Failed to add Member to Team" }, { status: 500 })
        : await proceed();
    const report = await cycle();
    world.grafana.intercept = undefined;
    assertEquals(summary(report), ["A->T: +2 -0, 1 errors"]);
    assertEquals(report.mappings[0]?.errors[0]?.user, "bob@example.com");
    assertEquals(report.mappings[0]?.teamMembers, 2);
    assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com", "carol@example.com"]);
    const errors = messages().filter((line) => line.startsWith("ERROR"));
    assertEquals(errors.length, 1);
    assertMatch(
      errors[0] ?? "",
      /^ERROR Team T: could not add bob@example\.com: Failed to add Member to Team /,
    );

    assertEquals(summary(await cycle()), ["A->T: +1 -0"], "the next cycle makes up for it");
  }));

Deno.test("a user who vanished from Grafana in the middle of a cycle is an error of their own", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    fill(cycles, "alice", "bob");
    const { world, cycle } = cycles;
    const id = userId(cycles, "alice");
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "POST", MEMBERS)) world.grafana.state.users.delete(id);
      return proceed();
    };
    assertEquals(summary(await cycle()), ["A->T: +1 -0, 1 errors"]);
    assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com"]);
  }));

for (const status of [401, 403]) {
  Deno.test(`a Grafana that answers changes with ${status} ends those of the team with one line`, () =>
    withCycles({ mappings: MAPPINGS }, async (cycles) => {
      fill(cycles, "alice", "bob", "carol");
      const { world, cycle, messages } = cycles;
      world.grafana.intercept = refuse("POST", MEMBERS, status, { message: "no" });
      const report = await cycle();
      assertEquals(summary(report), ["A->T: +0 -0, 1 errors"]);
      assertMatch(
        errorsOf(report)[0] ?? "",
        /^A: could not add alice@example\.com: .* \(2 more were not tried\)$/,
      );
      assertEquals(
        world.grafana.received.filter(({ method, path }) => method === "POST" && MEMBERS.test(path)).length,
        1,
      );
      const lines = messages();
      assertEquals(lines.filter((line) => line.startsWith("ERROR")).length, 1);
      assertEquals(lines.at(-1), "INFO Sync completed: +0 users, -0 users, 1 errors, 0.00s");
    }));
}

Deno.test("failures between successes do not end the changes of a team, however many they are", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    const { world, cycle } = cycles;
    fill(cycles, ...Array.from({ length: 16 }, (_, i) => `p${i}`));
    world.grafana.intercept = async (request, proceed) =>
      fits(request, "POST", MEMBERS) && (await request.clone().json()).userId % 2 === 0
        ? Response.json({ message: "no" }, { status: 500 })
        : await proceed();
    assertEquals(summary(await cycle()), ["A->T: +8 -0, 8 errors"]);
  }));

Deno.test("an addition that somebody else has made meanwhile is a success", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    fill(cycles, "alice");
    const { world, cycle } = cycles;
    const statuses: number[] = [];
    world.grafana.intercept = async (request, proceed) => {
      const isAddition = fits(request, "POST", MEMBERS);
      if (isAddition) world.grafana.state.team("T")?.members.set(userId(cycles, "alice"), 0);
      const answer = await proceed();
      if (isAddition) statuses.push(answer.status);
      return answer;
    };
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
    assertEquals(statuses, [400]);
    assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com"]);
  }));

Deno.test("a removal that somebody else has made meanwhile is a success", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    fill(cycles, "alice");
    const { world, cycle } = cycles;
    const bob = world.grafana.state.addUser({ login: "bob", email: "bob@example.com" });
    const team = world.grafana.state.addTeam("T");
    team.members.set(bob.id, 0);
    const statuses: number[] = [];
    world.grafana.intercept = async (request, proceed) => {
      const isRemoval = fits(request, "DELETE", MEMBER);
      if (isRemoval) team.members.delete(bob.id);
      const answer = await proceed();
      if (isRemoval) statuses.push(answer.status);
      return answer;
    };
    assertEquals(summary(await cycle()), ["A->T: +1 -1"]);
    assertEquals(statuses, [404]);
  }));

const REJECTED = [
  ["add alice", "POST", MEMBERS, 400, "Team memberships cannot be updated for provisioned teams"],
  ["remove bob", "DELETE", MEMBER, 404, "Team not found"],
] as const;

for (const [what, method, path, status, message] of REJECTED) {
  Deno.test(`a ${status} that says "${message}" is a failure, not a success of somebody else`, () =>
    withCycles({ mappings: MAPPINGS }, async (cycles) => {
      fill(cycles, "alice");
      const { world, cycle, captured } = cycles;
      const { id } = world.grafana.state.addUser({ login: "bob", email: "bob@example.com" });
      world.grafana.state.addTeam("T").members.set(id, 0);
      world.grafana.intercept = refuse(method, path, status, { message });
      assertMatch(errorsOf(await cycle()).join(), new RegExp(`could not ${what}@example\\.com: ${message}`));
      const done = captured.lines().filter(({ outcome }) => outcome === "done").map(({ action }) => action);
      assertEquals(done, [method === "POST" ? "remove" : "add"]);
    }));
}

Deno.test("whoever was taken out of the team in Grafana comes back in the next cycle", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    fill(cycles, "alice", "bob");
    const { world, cycle } = cycles;
    await cycle();
    world.grafana.state.team("T")?.members.delete(userId(cycles, "bob"));
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
    world.grafana.state.teams.clear();
    assertEquals(summary(await cycle()), ["A->T: +2 -0"], "so does a whole team");
    assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com", "bob@example.com"]);
  }));

Deno.test("a cycle that is stopped between two writes ends as interrupted, and the next run does the rest", () =>
  withCycles({ mappings: MAPPINGS }, async (cycles) => {
    fill(cycles, "alice", "bob", "carol");
    const { world, cycle, shutdown, restart, writes, messages } = cycles;
    world.grafana.intercept = (request, proceed) => {
      if (fits(request, "POST", MEMBERS)) shutdown.abort();
      return proceed();
    };
    const report = await cycle();
    assertEquals([report.interrupted, summary(report)], [true, ["A->T: +1 -0"]]);
    assertEquals(
      world.grafana.state.membersOf("T"),
      ["alice@example.com"],
      "the write under way was finished",
    );
    assertEquals(writes().length, 2);
    assertEquals(messages().filter((line) => /ERROR|completed/.test(line)), []);

    world.grafana.intercept = undefined;
    const next = await restart()();
    assertEquals([next.interrupted, summary(next)], [false, ["A->T: +2 -0"]]);
  }));

Deno.test("who was added before a stop is told of, although the addition before theirs was not finished", () => {
  const carolIsIn = Promise.withResolvers<void>();
  let stop = () => {};
  const sleep = async (_ms: number, signal: AbortSignal) => {
    await carolIsIn.promise;
    stop();
    signal.throwIfAborted();
  };
  return withCycles({ mappings: MAPPINGS, around: { sleep } }, async (cycles) => {
    fill(cycles, "alice", "bob", "carol");
    const { world, cycle, captured } = cycles;
    stop = () => cycles.shutdown.abort();
    const [bob, carol] = [userId(cycles, "bob"), userId(cycles, "carol")];
    world.grafana.intercept = async (request, proceed) => {
      if (!fits(request, "POST", MEMBERS)) return await proceed();
      const { userId: who } = await request.clone().json();
      if (who === bob) return Response.json({}, { status: 503 });
      const answer = await proceed();
      if (who === carol) carolIsIn.resolve();
      return answer;
    };
    const report = await cycle();
    assertEquals([report.interrupted, summary(report)], [true, ["A->T: +2 -0"]]);
    assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com", "carol@example.com"]);
    const added = captured.lines().filter(({ action, outcome }) => action === "add" && outcome === "done");
    assertEquals(added.map(({ user }) => user), ["alice@example.com", "carol@example.com"]);
  });
});

for (
  const [service, path] of [["okta", /\/users$/], ["okta", /groups$/], ["grafana", /search$/]] as const
) {
  Deno.test(`a cycle that is stopped while ${service} is asked for ${path} ends as interrupted and writes nothing`, () =>
    withCycles({ mappings: MAPPINGS }, async (cycles) => {
      fill(cycles, "alice");
      const { world, cycle, shutdown, writes, messages } = cycles;
      world[service].intercept = (request, proceed) => {
        if (fits(request, "GET", path)) shutdown.abort();
        return proceed();
      };
      assert((await cycle()).interrupted);
      assertEquals(writes(), []);
      assertEquals(messages().filter((line) => line.startsWith("ERROR")), []);
    }));
}
