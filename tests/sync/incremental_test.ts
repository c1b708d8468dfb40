/** Cycles that ask only for what changed. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { virtualClock } from "../support.ts";
import { type CycleSettings, errorsOf, fits, holdReason, summary, withCycles } from "./cycle_world.ts";
import { emails } from "./fixtures.ts";
import { INTERVAL, type Settled, settled } from "./settled.ts";

const A = { okta_group: "A", grafana_team: "T" };
const B = { okta_group: "B", grafana_team: "U" };
const AB = { A: ["ann", "bob"], B: ["cy", "dee"] };

/** Where one change is made, what the next cycle does, and who is in team T then. */
const CHANGES: readonly (readonly [
  what: string,
  change: (world: Settled) => unknown,
  does: string,
  team: readonly string[],
])[] = [
  ["nothing", () => {}, "+0 -0", ["ann", "bob"]],
  [
    "somebody joins a group",
    ({ world, person }) => world.okta.group("A").members.add(person("eve")),
    "+1 -0",
    [
      "ann",
      "bob",
      "eve",
    ],
  ],
  [
    "somebody leaves a group",
    ({ world, person }) => world.okta.group("A").members.delete(person("bob")),
    "+0 -1",
    [
      "ann",
    ],
  ],
  ["somebody is suspended", ({ person }) => person("bob").status = "SUSPENDED", "+0 -1", ["ann"]],
  ["somebody is deactivated", ({ person }) => person("bob").status = "DEPROVISIONED", "+0 -1", ["ann"]],
  ["somebody has another email", ({ person }) => person("bob").email = "x@example.com", "+0 -0, 1 errors", [
    "ann",
    "bob",
  ]],
  ["somebody has another first name", ({ person }) => person("bob").firstName = "Robert", "+0 -0", [
    "ann",
    "bob",
  ]],
  [
    "a stranger is put into the team by hand",
    ({ world: { grafana: { state } } }) => {
      const { id } = state.addUser({ login: "mallory", email: "mallory@example.com" });
      state.team("T")?.members.set(id, 0);
    },
    "+0 -1",
    ["ann", "bob"],
  ],
  [
    "a member is taken out of the team by hand",
    ({ world: { grafana: { state } } }) => {
      state.team("T")?.members.delete(state.lookUp("bob@example.com")?.id ?? 0);
    },
    "+1 -0",
    ["ann", "bob"],
  ],
  [
    "the team is replaced by another one with its name and size",
    ({ world: { grafana: { state } } }) => {
      state.teams.delete(state.team("T")?.id ?? 0);
      const { members } = state.addTeam("T");
      for (const login of ["mallory", "marvin"]) {
        members.set(state.addUser({ login, email: `${login}@example.com` }).id, 0);
      }
    },
    "+2 -2",
    ["ann", "bob"],
  ],
  [
    "the team is deleted",
    ({ world: { grafana: { state } } }) => state.teams.delete(state.team("T")?.id ?? 0),
    "+2 -0",
    [
      "ann",
      "bob",
    ],
  ],
];

for (const [what, change, does, team] of CHANGES) {
  Deno.test(`${what}: the next cycle, which is no full one, does what is to be done`, () =>
    settled(AB, { mappings: [A, B], sync: { removal_limit: "off" } }, async (cycles) => {
      change(cycles);
      const report = await cycles.next();
      assertEquals(report.isFull, false);
      assertEquals(summary(report).sort(), [`A->T: ${does}`, "B->U: +0 -0"]);
      assertEquals(cycles.world.grafana.state.membersOf("T"), team.map((name) => `${name}@example.com`));
      assertEquals(summary(await cycles.next()).sort()[0]?.replace(/, 1 errors$/, ""), "A->T: +0 -0");
    }));
}

for (const [mappings, most] of [[100, 5], [1_000, 10]] as const) {
  Deno.test(`an idle cycle over ${mappings} mappings takes at most ${most} requests`, async () => {
    const names = Array.from({ length: mappings }, (_, i) => `G${i}`);
    const groups = Object.fromEntries(names.map((name, i) => [name, [`p${i}`, `q${i}`]]));
    const settings: CycleSettings = {
      mappings: names.map((name) => ({ okta_group: name, grafana_team: name })),
      network(world) {
        // Else the first cycle would wait so often that the next one were full again.
        world.okta.limitRate({ limit: 1e6, remaining: 1e6 });
        return world.fetch;
      },
    };
    await settled(groups, settings, async ({ next, requests }) => {
      const { mappings: reports, isFull } = await next();
      const asked = requests();
      assertEquals([isFull, reports.length, reports.every(isSuccess)], [false, mappings, true]);
      assert(asked.length <= most, `${asked.length} requests: ${asked.join(", ")}`);
    });
  });
}

Deno.test("a cycle without a change says so in one line, and moves the time of every mapping", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, messages, clock }) => {
    const { mappings } = await next();
    assertEquals(messages().filter((line) => !line.startsWith("DEBUG")), [
      "INFO Nothing changed for 2 of 2 mappings since the last cycle",
    ]);
    assertEquals(mappings.map(({ endedAt, added, groupMembers }) => [endedAt, added, groupMembers]), [
      [clock.now(), 0, 2],
      [clock.now(), 0, 2],
    ]);
  }));

Deno.test("of one mapping the line speaks in the singular", () =>
  settled({ A: ["ann"] }, { mappings: [A] }, async ({ next, messages }) => {
    await next();
    assertEquals(messages(), ["INFO Nothing changed for 1 of 1 mapping since the last cycle"]);
  }));

Deno.test("a cycle in which something changed for every mapping has no line about those without a change", () =>
  settled(AB, { mappings: [A] }, async ({ next, world, person, messages }) => {
    world.okta.group("A").members.add(person("eve"));
    await next();
    assertEquals(messages().filter((line) => line.includes("Nothing changed")), []);
  }));

Deno.test("what changes a little late in Okta's lists, by up to two minutes, is seen by the next cycle all the same", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, person, clock }) => {
    await next();
    world.okta.clock = () => clock.now() - 110_000;
    world.okta.group("A").members.add(person("eve"));
    world.okta.clock = clock.now;
    assertEquals(summary(await next())[0], "A->T: +1 -0");
  }));

Deno.test("the time that is asked from is Okta's, whatever our clock says", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, person, clock }) => {
    world.okta.clock = () => clock.now() - 7_200_000;
    await next();
    for (let i = 0; i < 4; i++) {
      world.okta.group("A").members.add(person(`late${i}`));
      assertEquals(summary(await next())[0], "A->T: +1 -0");
    }
  }));

Deno.test("what changes in Okta while a cycle is under way for long is seen by the next cycle", () =>
  settled(
    AB,
    { mappings: [A, B], sync: { full_refresh_seconds: 3_600 } },
    async ({ next, world, person, clock, shutdown }) => {
      world.okta.group("A").members.add(person("eve"));
      world.okta.intercept = async (request, proceed) => {
        if (request.url.includes("lastUpdated")) return await proceed();
        world.okta.intercept = undefined;
        world.okta.group("B").members.add(person("fay"));
        await clock.sleep(200_000, shutdown.signal);
        return await proceed();
      };
      assertEquals(summary(await next()).sort(), ["A->T: +1 -0", "B->U: +0 -0"]);
      assertEquals(summary(await next()).sort(), ["A->T: +0 -0", "B->U: +1 -0"]);
    },
  ));

Deno.test("after a cycle that was aborted, the next one asks for all that changed since the last whole one", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, cycle, world, person, clock, requests }) => {
    const wholeAt = clock.now();
    world.okta.group("A").members.add(person("eve"));
    await clock.sleep(INTERVAL * 1_000, new AbortController().signal);
    const onMapping = () => {
      throw new TypeError("a bug");
    };
    await assertRejects(() => cycle({ onMapping }), TypeError);
    requests();
    const { isFull, interrupted } = await next();
    const times = world.okta.received.flatMap(({ path }) =>
      decodeURIComponent(path.replaceAll("+", " ")).match(/(?<=gt ")[^"]+/g) ?? []
    );
    assertEquals(interrupted, false);
    assert(isFull || times.length > 0 && times.every((time) => Date.parse(time) <= wholeAt), times.join());
    assertEquals(
      world.grafana.state.membersOf("T"),
      ["ann", "bob", "eve"].map((one) => `${one}@example.com`),
    );
  }));

Deno.test("where the clock was set back by a day, everything is read again after 15 minutes all the same", () => {
  const ours = virtualClock();
  let offset = 0;
  const around = { now: () => ours.now() + offset, monotonic: ours.monotonic };
  return settled(AB, { mappings: [A, B], around }, async ({ next, shutdown }) => {
    offset = -86_400_000;
    const fulls: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      await ours.sleep(INTERVAL * 1_000, shutdown.signal);
      fulls.push((await next()).isFull);
    }
    assert(fulls.includes(true));
  });
});

Deno.test("an edit by hand that leaves the count alone stands until everything is read again, 15 minutes at most", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world: { grafana: { state } } }) => {
    const { id } = state.addUser({ login: "mallory", email: "mallory@example.com" });
    const members = state.team("T")?.members;
    members?.delete(state.lookUp("bob@example.com")?.id ?? 0);
    members?.set(id, 0);
    const ends: string[] = [];
    for (let i = 0; i < 3; i++) {
      const report = await next();
      ends.push(`${report.isFull} ${summary(report)[0]}`);
    }
    assertEquals(ends, ["false A->T: +0 -0", "false A->T: +0 -0", "true A->T: +1 -1"]);
  }));

Deno.test("somebody who is put into a team while it is compared goes in the next cycle", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, person }) => {
    const { state } = world.grafana;
    const { id } = state.addUser({ login: "mallory", email: "mallory@example.com" });
    world.okta.group("A").members.add(person("eve"));
    world.grafana.intercept = (request, proceed) => {
      if (new URL(request.url).searchParams.get("name") === "T") state.team("T")?.members.set(id, 0);
      return proceed();
    };
    assertEquals(summary(await next())[0], "A->T: +1 -0");
    world.grafana.intercept = undefined;
    assertEquals(summary(await next())[0], "A->T: +0 -1");
  }));

for (const [seconds, fulls] of [[60, [true, true, true]], [600, [false, true, false]]] as const) {
  Deno.test(`sync.full_refresh_seconds: ${seconds} decides when everything is read again`, () =>
    settled(AB, { mappings: [A, B], sync: { full_refresh_seconds: seconds } }, async ({ next }) => {
      const seen: boolean[] = [];
      for (let i = 0; i < 3; i++) seen.push((await next()).isFull);
      assertEquals(seen, [...fulls]);
    }));
}

Deno.test("sync.incremental: false reads everything in every cycle", () =>
  settled(AB, { mappings: [A, B], sync: { incremental: false } }, async ({ next, requests }) => {
    assert((await next()).isFull);
    assert(!requests().includes("GET /api/v1/users"));
  }));

Deno.test("a deleted group and a deleted user are seen by the next full cycle at the latest", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world }) => {
    world.okta.groups.splice(0, 1);
    for (let i = 0; i < 2; i++) assertEquals(errorsOf(await next()), []);
    const report = await next();
    assert(report.isFull);
    assertMatch(errorsOf(report).join(), /Group not found: A/);
  }));

Deno.test("a group that is renamed is not the mapped one any more, and another one of its name is found", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, person }) => {
    world.okta.group("A").name = "A (old)";
    assertMatch(errorsOf(await next()).join(), /Group not found: A/);
    world.okta.addGroup("A", [person("ann"), person("eve")]);
    await next();
    assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com", "eve@example.com"]);
  }));

Deno.test("a team that something else begins to provision is told in the next cycle", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world }) => {
    Object.assign(world.grafana.state.team("T") ?? {}, { isProvisioned: true });
    assertMatch(errorsOf(await next()).join(), /Grafana team 'T' is provisioned/);
  }));

Deno.test("a second group of a mapped name is told in the next cycle", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world }) => {
    world.okta.addGroup("A");
    assertMatch(errorsOf(await next()).join(), /2 Okta groups are named 'A'/);
  }));

Deno.test("of a team with two groups only the changed one is read, unless somebody would be removed", () =>
  settled(
    { A: ["ann"], B: ["bob", "cy"] },
    { mappings: [A, { okta_group: "B", grafana_team: "T" }], sync: { removal_limit: "off" } },
    async ({ next, world, person, requests }) => {
      const readings = () => requests().filter((one) => one.endsWith("/users") && one.includes("/groups/"));
      world.okta.group("A").members.add(person("dee"));
      assertEquals(summary(await next()).sort(), ["A->T: +1 -0", "B->T: +0 -0"]);
      assertEquals(readings(), ["GET /api/v1/groups/00g000001/users"]);

      world.okta.group("B").members.delete(person("cy"));
      await next();
      const [a, b] = ["GET /api/v1/groups/00g000001/users", "GET /api/v1/groups/00g000002/users"] as const;
      assertEquals(readings().sort(), [a, a, b, b], "each whole, and once more");
      assertEquals(
        world.grafana.state.membersOf("T"),
        ["ann", "bob", "dee"].map((one) => `${one}@example.com`),
      );
    },
  ));

Deno.test("somebody who is suspended while a cycle reads their group once more for one team leaves the other one in the next cycle", () =>
  settled(
    { A: ["ann", "bob"], B: ["cy", "dee"] },
    { mappings: [A, { okta_group: "B", grafana_team: "T" }, B], sync: { removal_limit: "off" } },
    async ({ next, world, person }) => {
      world.okta.group("A").members.delete(person("bob"));
      world.okta.intercept = (request, proceed) => {
        if (fits(request, "GET", /00g000002\/users$/)) person("cy").status = "SUSPENDED";
        return proceed();
      };
      assertEquals(summary(await next()).sort(), ["A->T: +0 -2", "B->T: +0 -0", "B->U: +0 -0"]);
      assertEquals(summary(await next()).sort(), ["A->T: +0 -0", "B->T: +0 -0", "B->U: +0 -1"]);
    },
  ));

Deno.test("somebody who is suspended after their group could not be read once more for one team leaves the other one in the next cycle", () =>
  settled(
    { A: ["ann", "bob"], B: ["cy", "dee"] },
    { mappings: [A, { okta_group: "B", grafana_team: "T" }, B], sync: { removal_limit: "off" } },
    async ({ next, world, person }) => {
      world.okta.group("A").members.delete(person("bob"));
      world.okta.intercept = (request, proceed) =>
        fits(request, "GET", /00g000002\/users$/) ? Response.json({}, { status: 403 }) : proceed();
      await next();
      world.okta.intercept = undefined;
      person("cy").status = "SUSPENDED";
      assertEquals(summary(await next()).sort(), ["A->T: +0 -2", "B->T: +0 -0", "B->U: +0 -1"]);
    },
  ));

Deno.test("whoever left one of two groups of a team stays in it, although only the other one was read", () =>
  settled(
    { A: ["ann", "bob"], B: ["bob"] },
    { mappings: [A, { okta_group: "B", grafana_team: "T" }] },
    async ({ next, world, person }) => {
      world.okta.group("A").members.delete(person("bob"));
      assertEquals(summary(await next()).sort(), ["A->T: +0 -0", "B->T: +0 -0"]);
      assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com", "bob@example.com"]);
    },
  ));

Deno.test("a mapping is told once in a cycle, also where the team's other group is tried again after it failed", () =>
  settled(
    { A: ["ann", "bob"], B: ["bob"], C: ["cy"] },
    { mappings: [A, { okta_group: "B", grafana_team: "T" }, { okta_group: "C", grafana_team: "U" }] },
    async ({ next, world, person, messages }) => {
      world.okta.group("B").members.add(person("eve"));
      world.okta.intercept = (request, proceed) =>
        fits(request, "GET", /00g000002\/users$/) ? Response.json({}, { status: 403 }) : proceed();
      await next();
      messages();
      assertEquals(summary(await next()).sort(), ["A->T: +0 -0", "B->T: +0 -0, 1 errors", "C->U: +0 -0"]);
      assert(messages().includes("INFO Nothing changed for 1 of 3 mappings since the last cycle"));
    },
  ));

Deno.test("a group that cannot be read whole keeps everybody, although only another one changed", () =>
  settled(
    { A: ["ann", "bob"], B: ["cy"] },
    { mappings: [A, { okta_group: "B", grafana_team: "T" }] },
    async ({ next, world, person, writes }) => {
      world.okta.group("A").members.delete(person("bob"));
      world.okta.intercept = (request, proceed) =>
        fits(request, "GET", /00g000002\/users$/) ? Response.json({}, { status: 403 }) : proceed();
      writes();
      const report = await next();
      assertEquals([report.plans.map(holdReason)[0], writes()], ["incomplete-read", []]);
      world.okta.intercept = undefined;
      await next();
      assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com", "cy@example.com"]);
    },
  ));

Deno.test("whoever was pending joins in the first cycle after they signed in, which costs a look-up each", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, requests }) => {
    const { okta, grafana: { state } } = world;
    okta.group("A").members.add(okta.addUser("eve@example.com"));
    assertEquals(summary(await next())[0], "A->T: +0 -0, 1 pending");
    requests();
    assertEquals(summary(await next()).sort()[0], "A->T: +0 -0, 1 pending");
    const asked = requests();
    assertEquals(asked.filter((one) => one === "GET /api/org/users/search").length, 1);
    assert(!asked.includes("POST /api/org/users"), "joining is not tried again in every cycle");

    state.addUser({ login: "eve", email: "Eve@Example.com" });
    assertEquals(summary(await next())[0], "A->T: +1 -0");
  }));

Deno.test("many pending users are looked for in the whole list, which is less", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, requests }) => {
    for (const email of emails(1, 20)) world.okta.group("A").members.add(world.okta.addUser(email));
    await next();
    requests();
    await next();
    assertEquals(requests().filter((one) => one.startsWith("GET /api/org/users")).length, 1);
    for (const email of emails(1, 20)) world.grafana.state.addUser({ login: email, email });
    assertMatch(summary(await next())[0] ?? "", /^A->T: \+20 -0/);
  }));

Deno.test("joining is tried again at each full cycle", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, writes }) => {
    world.okta.group("A").members.add(world.okta.addUser("eve@example.com"));
    await next();
    writes();
    const tries: [isFull: boolean, tried: number][] = [];
    for (let i = 0; i < 5; i++) tries.push([(await next()).isFull, writes().length]);
    assertEquals(tries, [[false, 0], [true, 1], [false, 0], [false, 0], [true, 1]]);
  }));

Deno.test("a write that failed is tried again in the next cycle, although nothing changed since", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, person }) => {
    world.okta.group("A").members.add(person("eve"));
    world.grafana.intercept = (request, proceed) =>
      request.method === "POST" ? Response.json({ message: "no" }, { status: 403 }) : proceed();
    assertEquals(summary(await next())[0], "A->T: +0 -0, 1 errors");
    world.grafana.intercept = undefined;
    assertEquals(summary(await next())[0], "A->T: +1 -0");
  }));

Deno.test("removals that are on hold are so in every report until they are not", () =>
  settled({ A: ["ann", "bob"] }, { mappings: [A] }, async ({ next, world, person }) => {
    world.okta.group("A").members.clear();
    const first = await next();
    const second = await next();
    assertEquals([first, second].map((report) => [report.isFull, ...summary(report)]), [
      [false, "A->T: +0 -0, 2 on hold"],
      [false, "A->T: +0 -0, 2 on hold"],
    ]);
    assertEquals(second.plans, [], "it was not compared again");
    world.okta.group("A").members.add(person("ann")).add(person("bob"));
    assertEquals(summary(await next()), ["A->T: +0 -0"]);
  }));

Deno.test("where Okta forbids asking for users, every cycle is a full one, which is said once", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, messages, requests, person }) => {
    world.okta.intercept = (request, proceed) =>
      fits(request, "GET", /^\/api\/v1\/users$/)
        ? Response.json({ errorCode: "E0000006", errorSummary: "You do not have permission" }, {
          status: 403,
        })
        : proceed();
    world.okta.group("A").members.add(person("eve"));
    const report = await next();
    assertEquals([report.isFull, summary(report)[0]], [true, "A->T: +1 -0"]);
    requests();
    for (let i = 0; i < 3; i++) assert((await next()).isFull);
    assert(!requests().includes("GET /api/v1/users"), "it is not asked again");
    const said = messages().filter((line) => line.startsWith("WARNING"));
    assertEquals(said.length, 1);
    assertMatch(
      said[0] ?? "",
      /Okta does not let this credential ask what has changed .*E0000006.*reads everything instead/,
    );
  }));

Deno.test("what keeps a cycle from asking for changes is told again when it comes back", () =>
  settled(
    AB,
    { mappings: [A, B], sync: { full_refresh_seconds: 86_400 } },
    async ({ next, world, messages }) => {
      for (const isBroken of [true, false, true]) {
        world.okta.intercept = (request, proceed) =>
          isBroken && request.url.includes("lastUpdated") ? Response.json({}, { status: 500 }) : proceed();
        assertEquals((await next()).isFull, isBroken);
      }
      assertEquals(messages().filter((line) => line.includes("reads everything instead")).length, 2);
    },
  ));

Deno.test("who is who is not forgotten in a hundred cycles that read other groups only", () =>
  settled(
    AB,
    { mappings: [A, B], sync: { full_refresh_seconds: 86_400 } },
    async ({ next, world, person }) => {
      const { members } = world.okta.group("A");
      for (let i = 0; i < 101; i++) {
        if (!members.delete(person("eve"))) members.add(person("eve"));
        assertEquals((await next()).isFull, false);
      }
      Object.assign(person("dee"), { login: "dee.miller@example.com", email: "dee.miller@example.com" });
      await next();
      assertEquals(world.grafana.state.membersOf("U"), ["cy@example.com", "dee@example.com"]);
    },
  ));

Deno.test("where more changed than can be paged through, everything is read, which is said once", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, messages }) => {
    world.okta.pageSize = 1;
    for (let round = 0; round < 2; round++) {
      for (const email of emails(1, 30)) world.okta.addUser(email);
      assert((await next()).isFull);
    }
    const said = messages().filter((line) => line.startsWith("WARNING"));
    assertEquals(said, ["WARNING too much changed to ask for it; gots reads everything instead"]);
  }));

/** A response that something on the way took a header from. */
async function without(header: string, response: Promise<Response>): Promise<Response> {
  const { headers } = await response;
  headers.delete(header);
  return await response;
}

for (
  const [what, answer] of [
    ["500", () => Response.json({}, { status: 500 })],
    ["a page that lost its Link header", (proceed: () => Promise<Response>) => without("link", proceed())],
    ["a sign-in page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ] as const
) {
  Deno.test(`${what} in answer to what changed: everything is read, and nothing is missed`, () =>
    settled(AB, { mappings: [A, B], sync: { removal_limit: "off" } }, async ({ next, world, person }) => {
      world.okta.group("A").members.delete(person("bob"));
      world.okta.intercept = (request, proceed) =>
        new URL(request.url).search.includes("lastUpdated") ? answer(proceed) : proceed();
      const report = await next();
      assertEquals([report.isFull, summary(report)[0]], [true, "A->T: +0 -1"]);
    }));
}

Deno.test("an Okta that tells no time is read whole in every cycle, which is said once", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, messages }) => {
    world.okta.intercept = (_, proceed) => without("date", proceed());
    for (let i = 0; i < 3; i++) assert((await next()).isFull);
    const said = messages().filter((line) => line.startsWith("WARNING"));
    assertEquals(said.length, 1);
    assertMatch(said[0] ?? "", /have no readable Date header.*reads everything instead$/);
    world.okta.intercept = undefined;
    assert((await next()).isFull);
    assert(!(await next()).isFull);
  }));

Deno.test("an Okta that never told the time is read whole in every cycle, which is said once", () =>
  withCycles(
    {
      mappings: [A],
      network: (world) => (url, init) => without("date", world.fetch(url, init)),
    },
    async ({ world, cycle, messages }) => {
      world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
      for (let i = 0; i < 3; i++) assert((await cycle()).isFull);
      const said = messages().filter((line) => line.startsWith("WARNING"));
      assertEquals(said.length, 1);
      assertMatch(said[0] ?? "", /Okta's responses have no readable Date header/);
    },
  ));

Deno.test("where Okta's groups cannot be read, nothing is said of its time", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle, messages }) => {
    world.okta.intercept = () => Response.json({}, { status: 403 });
    for (let i = 0; i < 3; i++) await cycle();
    assertEquals(messages().filter((line) => /Date|reads everything/.test(line)), []);
  }));

Deno.test("a proxy that doubles every header changes nothing: the next cycle is incremental", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, messages }) => {
    world.okta.intercept = async (_, proceed) => {
      const response = await proceed();
      for (const [name, value] of [...response.headers]) response.headers.append(name, value);
      return response;
    };
    const report = await next();
    assertEquals([report.isFull, errorsOf(report)], [false, []]);
    assertEquals(messages().filter((line) => line.startsWith("WARNING")), []);
  }));

Deno.test("a full_refresh_seconds that leaves no cycle incremental is said once", () =>
  settled(AB, { mappings: [A, B], sync: { full_refresh_seconds: 300 } }, async ({ next, messages }) => {
    for (let i = 0; i < 3; i++) assert((await next()).isFull);
    assertEquals(messages().filter((line) => line.includes("reads everything")), [
      "INFO sync.full_refresh_seconds is shorter than two intervals; gots reads everything instead",
    ]);
  }));

Deno.test("where the lists of changes come without links, everything is read, which is said once", () =>
  settled(AB, { mappings: [A, B] }, async ({ restart, world, messages }) => {
    world.okta.intercept = (_, proceed) => without("link", proceed());
    const cycle = restart();
    for (let i = 0; i < 3; i++) assert((await cycle()).isFull);
    const said = messages().filter((line) => line.includes("reads everything"));
    assertEquals(said.length, 1);
    assertMatch(said[0] ?? "", /no Link header, so changes may be missing/);
  }));

Deno.test("while Grafana cannot be read, Okta is not asked for any group", () =>
  settled(AB, { mappings: [A, B] }, async ({ next, world, requests, person }) => {
    world.grafana.intercept = () => Response.json({ message: "no" }, { status: 403 });
    world.okta.group("A").members.add(person("eve"));
    const report = await next();
    assertEquals(report.mappings.map(isSuccess), [false, false]);
    assertEquals(requests().filter((one) => one.startsWith("GET /api/v1/groups/")), []);
    world.grafana.intercept = undefined;
    assertEquals(summary(await next())[0], "A->T: +1 -0");
  }));
