/** Writes that had to wait are decided anew: who belongs may have changed meanwhile. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { SimulatedOktaUser } from "../../src/simulation/okta_state.ts";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { type CycleSettings, type CycleWorld, errorsOf, fits, summary, withCycles } from "./cycle_world.ts";
import { emails } from "./fixtures.ts";

const SETTINGS: CycleSettings = {
  mappings: [{ okta_group: "A", grafana_team: "T" }],
  network: (world) => world.fetch,
};
const TEAM = /^\/api\/teams\/\d+\/members$/;
const MEMBER = /^\/api\/teams\/\d+\/members\/\d+$/;

type People = CycleWorld & {
  readonly people: readonly SimulatedOktaUser[];
  readonly first: SimulatedOktaUser;
};

/** Team T with so many people of group A, in order, in a Grafana of this version. */
function inOrder(count: number, test: (world: People) => Promise<void>, version = "9.5.0"): Promise<void> {
  return withCycles(SETTINGS, async (cycles) => {
    const { world, cycle, writes, messages } = cycles;
    world.grafana.state.version = version;
    const people = emails(1, count).map((email) => world.addPerson(email));
    world.okta.addGroup("A", people);
    await cycle();
    writes();
    messages();
    const [first] = people;
    if (first) await test({ ...cycles, people, first });
  });
}

const waiting = (status: number) => Response.json({}, { status, headers: { "retry-after": "290" } });

/** Answers the first such request with a wait of 290 s, in which something happens. */
function waitOnce(
  { world }: CycleWorld,
  method: string,
  path: RegExp,
  status: number,
  meanwhile: () => void,
): void {
  let isFirst = true;
  world.grafana.intercept = (request, proceed) => {
    if (!isFirst || !fits(request, method, path)) return proceed();
    isFirst = false;
    meanwhile();
    return waiting(status);
  };
}

for (const status of [429, 503]) {
  Deno.test(`a removal is answered ${status} with a wait, and the person comes back meanwhile: they stay`, () =>
    inOrder(6, async (cycles) => {
      const { world, cycle, clock, first, writes } = cycles;
      const { members } = world.okta.group("A");
      members.delete(first);
      waitOnce(cycles, "DELETE", MEMBER, status, () => void members.add(first));
      const report = await cycle();
      assertEquals([summary(report), report.mappings.every(isSuccess)], [["A->T: +0 -0"], true]);
      assertEquals([writes().length, clock.slept.includes(290_000)], [1, true]);
      assertEquals(world.grafana.state.membersOf("T"), emails(1, 6));
    }));

  Deno.test(`a removal is answered ${status} with a wait, and nothing changes meanwhile: it is carried out in the same cycle`, () =>
    inOrder(6, async (cycles) => {
      const { world, cycle, first } = cycles;
      world.okta.group("A").members.delete(first);
      waitOnce(cycles, "DELETE", MEMBER, status, () => {});
      const report = await cycle();
      assertEquals([summary(report), report.mappings.every(isSuccess)], [["A->T: +0 -1"], true]);
      assertEquals(world.grafana.state.membersOf("T"), emails(2, 6));
    }));

  Deno.test(`an addition is answered ${status} with a wait, and the person leaves the group meanwhile: they are not added`, () =>
    inOrder(6, async (cycles) => {
      const { world, cycle } = cycles;
      const { members } = world.okta.group("A");
      const dave = world.addPerson("dave@example.com");
      members.add(dave);
      waitOnce(cycles, "POST", TEAM, status, () => void members.delete(dave));
      assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
      assertEquals(world.grafana.state.membersOf("T"), emails(1, 6));
    }));

  Deno.test(`a bulk write is answered ${status} with a wait, and somebody joins meanwhile: its body is made anew, and they stay`, () =>
    inOrder(6, async (cycles) => {
      const { world, cycle, writes } = cycles;
      const { state } = world.grafana;
      const { members } = world.okta.group("A");
      for (const email of emails(7, 12)) members.add(world.addPerson(email));
      waitOnce(cycles, "PUT", TEAM, status, () => {
        members.add(world.addPerson("dave@example.com"));
        state.team("T")?.members.set(state.lookUp("dave@example.com")?.id ?? 0, 0);
      });
      assertEquals(summary(await cycle()), ["A->T: +6 -0"]);
      assertEquals(writes().map((write) => write.split(" ")[0]), ["PUT", "PUT"]);
      assertEquals(state.membersOf("T"), ["dave@example.com", ...emails(1, 12)].sort());
    }, "11.1.0"));
}

for (const [what, status] of [["500", 500], ["502", 502], ["504", 504]] as const) {
  Deno.test(`a bulk write is answered ${what}, and somebody joins meanwhile: they stay`, () =>
    inOrder(6, async ({ world, cycle }) => {
      const { state } = world.grafana;
      const { members } = world.okta.group("A");
      for (const email of emails(7, 12)) members.add(world.addPerson(email));
      let isFirst = true;
      world.grafana.intercept = (request, proceed) => {
        if (!isFirst || !fits(request, "PUT", TEAM)) return proceed();
        isFirst = false;
        members.add(world.addPerson("dave@example.com"));
        state.team("T")?.members.set(state.lookUp("dave@example.com")?.id ?? 0, 0);
        return Response.json({ message: "no" }, { status });
      };
      assertEquals(summary(await cycle()), ["A->T: +6 -0"]);
      assertEquals(state.membersOf("T"), ["dave@example.com", ...emails(1, 12)].sort());
    }, "11.1.0"));
}

Deno.test("a Grafana that makes every write wait is tried three times, and then the next cycle goes on", () =>
  inOrder(6, async (cycles) => {
    const { world, cycle, clock, first, messages } = cycles;
    world.okta.group("A").members.delete(first);
    let tried = 0;
    world.grafana.intercept = (request, proceed) => {
      if (!fits(request, "DELETE", MEMBER)) return proceed();
      tried++;
      return waiting(429);
    };
    clock.slept.length = 0;
    const report = await cycle();
    assertEquals([tried, clock.slept], [3, [290_000, 290_000]]);
    assertMatch(errorsOf(report).join(), /^A: Rate limit exceeded: Grafana asks to wait 290 s/);
    assertMatch(messages().join("\n"), /WARNING Team T: Rate limit exceeded: .*; checking it again/);
    world.grafana.intercept = undefined;
    assertEquals(summary(await cycle()), ["A->T: +0 -1"]);
  }));

Deno.test("Grafana makes the reading of a team wait right before a removal, and the person comes back meanwhile: they stay", () =>
  inOrder(6, async (cycles) => {
    const { world, cycle, first, writes } = cycles;
    const { members } = world.okta.group("A");
    members.delete(first);
    // The team is looked for by its name when its groups were read twice.
    world.grafana.intercept = (request, proceed) => {
      if (new URL(request.url).searchParams.get("name") !== "T" || members.has(first)) return proceed();
      members.add(first);
      return waiting(429);
    };
    assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
    assertEquals(writes(), []);
  }));

Deno.test("Grafana makes the reading of a team wait after its groups were read, and the person leaves meanwhile: they are not added", () =>
  inOrder(6, async (cycles) => {
    const { world, cycle, writes } = cycles;
    const { members } = world.okta.group("A");
    const dave = world.addPerson("dave@example.com");
    members.add(dave);
    waitOnce(cycles, "GET", TEAM, 429, () => void members.delete(dave));
    assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
    assertEquals(writes(), []);
  }));

Deno.test("joining the organisation is answered with a wait: they join in the next cycle", () =>
  inOrder(6, async (cycles) => {
    const { world: { okta, grafana: { state } }, cycle } = cycles;
    state.addUser({ login: "dave", email: "dave@example.com", orgId: null });
    okta.group("A").members.add(okta.addUser("dave@example.com"));
    waitOnce(cycles, "POST", /^\/api\/org\/users$/, 429, () => {});
    await cycle();
    assertEquals(state.membersOf("T").includes("dave@example.com"), false);
    await cycle();
    assertEquals(state.membersOf("T").includes("dave@example.com"), true);
  }));

Deno.test("joining the organisation is answered with a wait, and the person leaves the group meanwhile: they do not join it later", () =>
  inOrder(6, async (cycles) => {
    const { world, cycle, writes } = cycles;
    const { okta, grafana: { state } } = world;
    const { members } = okta.group("A");
    state.addUser({ login: "dave", email: "dave@example.com", orgId: null });
    const dave = okta.addUser("dave@example.com");
    members.add(dave);
    waitOnce(cycles, "POST", /^\/api\/org\/users$/, 429, () => void members.delete(dave));
    const report = await cycle();
    assertMatch(
      errorsOf(report).join(),
      /could not add dave@example\.com to the organisation: Rate limit exceeded/,
    );
    assertEquals(writes().length, 1);
    assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
    assertEquals(writes(), []);
  }));

Deno.test("where writing takes long, the team is compared anew every 30 s: who leaves the group meanwhile is not added", () =>
  inOrder(2, async ({ world, cycle, clock, shutdown }) => {
    const { members } = world.okta.group("A");
    const late = emails(3, 30).map((email) => world.addPerson(email));
    for (const user of late) members.add(user);
    let count = 0;
    world.grafana.intercept = async (request, proceed) => {
      if (!fits(request, "POST", TEAM)) return await proceed();
      if (++count === 1) { for (const user of late.slice(-1)) members.delete(user); }
      await clock.sleep(5_000, shutdown.signal);
      return await proceed();
    };
    const report = await cycle();
    assertEquals([summary(report), report.mappings.every(isSuccess)], [["A->T: +27 -0"], true]);
    assertEquals(world.grafana.state.membersOf("T"), emails(1, 29).sort());
  }));

Deno.test("a bulk write whose team cannot be read back is audited and counted, and the next cycle writes nothing", () =>
  inOrder(6, async ({ world, cycle, people, captured, writes }) => {
    const { members } = world.okta.group("A");
    for (const user of people.slice(0, 2)) members.delete(user);
    for (const email of emails(7, 8)) members.add(world.addPerson(email));
    let isWritten = false;
    world.grafana.intercept = (request, proceed) => {
      if (isWritten && fits(request, "GET", TEAM)) return Response.json({ message: "no" }, { status: 500 });
      isWritten ||= fits(request, "PUT", TEAM);
      return proceed();
    };
    const report = await cycle();
    assertEquals(summary(report), ["A->T: +2 -2, 1 errors"]);
    const audited = captured.lines().filter(({ audit, outcome, cycle: number }) =>
      audit === 1 && outcome === "done" && number === 2
    );
    assertEquals(
      audited.map(({ action, user }) => `${action} ${user}`).sort(),
      ["add p7@example.com", "add p8@example.com", "remove p1@example.com", "remove p2@example.com"],
    );
    world.grafana.intercept = undefined;
    writes();
    assertEquals([summary(await cycle()), writes()], [["A->T: +0 -0"], []]);
  }, "11.1.0"));

for (
  const [what, answer] of [
    ["answered 504", () => Response.json({}, { status: 504 })],
    [
      "answered by a sign-in page",
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    ],
    ["cut off", () => Promise.reject(new TypeError("connection closed"))],
  ] as const
) {
  Deno.test(`a bulk write that is carried out and ${what} is audited and counted`, () =>
    inOrder(6, async ({ world, cycle, captured }) => {
      for (const email of emails(7, 10)) world.okta.group("A").members.add(world.addPerson(email));
      world.grafana.intercept = async (request, proceed) => {
        const done = await proceed();
        return fits(request, "PUT", TEAM) ? await answer() : done;
      };
      assertEquals(summary(await cycle()), ["A->T: +4 -0"]);
      const added = captured.lines().filter(({ action, outcome }) => action === "add" && outcome === "done");
      assertEquals(added.slice(6).map(({ user }) => user), emails(7, 10));
    }, "11.1.0"));
}

Deno.test("a shutdown right after a bulk write leaves an audit line for each change", () =>
  inOrder(6, async ({ world, cycle, captured, shutdown }) => {
    for (const email of emails(7, 10)) world.okta.group("A").members.add(world.addPerson(email));
    world.grafana.intercept = async (request, proceed) => {
      const done = await proceed();
      if (fits(request, "PUT", TEAM)) shutdown.abort(new DOMException("stop", "AbortError"));
      return done;
    };
    assert((await cycle()).interrupted);
    const added = captured.lines().filter(({ action, outcome }) => action === "add" && outcome === "done");
    assertEquals(added.slice(6).map(({ user }) => user), emails(7, 10));
  }, "11.1.0"));

Deno.test("somebody who is put by hand into a team that was just created is not dropped unseen: the next cycle takes them out, with a line", () =>
  withCycles(SETTINGS, async ({ world, cycle, captured }) => {
    const { state } = world.grafana;
    state.version = "11.1.0";
    world.okta.addGroup("A", emails(1, 8).map((email) => world.addPerson(email)));
    const guest = state.addUser({ login: "guest", email: "guest@example.com" });
    world.grafana.intercept = async (request, proceed) => {
      const done = await proceed();
      if (fits(request, "POST", /^\/api\/teams$/)) state.team("T")?.members.set(guest.id, 0);
      return done;
    };
    assertEquals(summary(await cycle()), ["A->T: +8 -0"]);
    assertEquals(state.membersOf("T"), ["guest@example.com", ...emails(1, 8)]);
    assertEquals(summary(await cycle()), ["A->T: +0 -1"]);
    const removed = captured.lines().filter(({ action, outcome }) =>
      action === "remove" && outcome === "done"
    );
    assertEquals(removed.map(({ user }) => user), ["guest@example.com"]);
  }));

Deno.test("the removal limit holds for a cycle, not for each time a team is decided anew in it", () =>
  inOrder(12, async (cycles) => {
    const { world, cycle, people } = cycles;
    const { members } = world.okta.group("A");
    for (const one of people.slice(0, 6)) members.delete(one);
    let answers = 0;
    world.grafana.intercept = (request, proceed) => {
      if (!fits(request, "DELETE", MEMBER) || ++answers !== 3) return proceed();
      for (const one of people.slice(6, 8)) members.delete(one);
      return waiting(429);
    };
    const { removed = 0, onHold = 0 } = (await cycle()).mappings[0] ?? {};
    assertEquals([removed + onHold, removed <= 6], [8, true], "6 of 12 may go, and 8 would have gone");
    assertEquals(world.grafana.state.membersOf("T").length, 12 - removed);
  }));

Deno.test("what was read before a wait counts no longer, even if Okta is down by then", () =>
  withCycles(
    {
      ...SETTINGS,
      mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "U" }],
    },
    async (cycles) => {
      const { world, cycle } = cycles;
      const people = emails(1, 3).map((email) => world.addPerson(email));
      world.okta.addGroup("A", people);
      const { id } = world.okta.addGroup("B", people);
      await cycle();
      const eve = world.addPerson("eve@example.com");
      world.okta.group("A").members.add(eve);
      world.okta.group("B").members.add(eve);
      world.okta.intercept = (request, proceed) =>
        fits(request, "GET", new RegExp(`/groups/${id}/users`))
          ? Response.json({}, { status: 401 })
          : proceed();
      waitOnce(cycles, "POST", TEAM, 429, () => void world.okta.group("A").members.delete(eve));
      await cycle();
      assertEquals(world.grafana.state.membersOf("T"), emails(1, 3));
    },
  ));
