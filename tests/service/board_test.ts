/** What `/api/status` says of a service that runs. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Board } from "../../src/service/board.ts";
import type { World } from "../../src/simulation/world.ts";
import { mapping } from "./fixtures.ts";
import { type Running, withService } from "./running.ts";

const MAPPINGS = [mapping("A", "T"), mapping("B", "U")];

/** Alice belongs into T, where Carol is; Bob, and somebody who is new, into U. */
function fill(world: World): void {
  world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
  world.okta.addGroup("B", [world.addPerson("bob@example.com"), world.okta.addUser("new@example.com")]);
  const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
  world.grafana.state.addTeam("T").members.set(carol.id, 0);
}

async function status({ url }: Pick<Running, "url">, search = ""): Promise<Board> {
  return await (await fetch(`${url}/api/status?${new URLSearchParams({ q: search })}`)).json();
}

Deno.test("the status tells of each mapping how it is, and of each change who, where and why", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    await running.cycleEnds();
    const { schema, status: word, interval_seconds, last_cycle, mappings, changes, rate_limits } =
      await status(
        running,
      );
    assertEquals([schema, word, interval_seconds, last_cycle?.kind], [1, "healthy", 300, "full"]);
    const common = { duration_seconds: 0, on_hold: null, would: null, errors: [], out_of_sync_seconds: 0 };
    const at = "2026-01-01T00:00:00.000Z";
    assertEquals(mappings, [
      {
        ...common,
        okta_group: "A",
        grafana_team: "T",
        state: "in_sync",
        group_members: 1,
        team_members: 1,
        last_sync_at: at,
        users_added: 1,
        users_removed: 1,
        last_in_sync_at: at,
        pending: { count: 0, users: [] },
      },
      {
        ...common,
        okta_group: "B",
        grafana_team: "U",
        state: "in_sync",
        group_members: 2,
        team_members: 1,
        last_sync_at: at,
        users_added: 1,
        users_removed: 0,
        last_in_sync_at: at,
        pending: { count: 1, users: ["new@example.com"] },
      },
    ]);
    assertEquals(
      changes.map(({ action, outcome, user, grafana_team, why, cycle }) =>
        [action, outcome, user, grafana_team, why, cycle].join(" ")
      ),
      [
        "add done bob@example.com U in Okta group 'B' 1",
        "create_team done  U mapped from Okta group 'B' 1",
        "remove done carol@example.com T not in Okta group 'A' 1",
        "add done alice@example.com T in Okta group 'A' 1",
      ],
    );
    assertEquals(rate_limits.map(({ service, family }) => [service, family]), [["okta", "groups"]]);
  }));

Deno.test("of the last cycle it tells how many requests each service got, how many failed, and how long they waited", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    const { world: { okta, grafana }, cycleEnds, nextCycle } = running;
    await cycleEnds();
    const failing = [429, 502, 500];
    okta.intercept = (_, proceed) => {
      const [status] = failing.splice(0, 1);
      return status ? new Response("{}", { status, headers: { "retry-after": "40" } }) : proceed();
    };
    const received = [okta.received.length, grafana.received.length];
    await nextCycle();
    const { traffic } = (await status(running)).last_cycle ?? {};
    assertEquals(traffic?.toSorted((a, b) => b.failed - a.failed), [
      {
        service: "okta",
        requests: okta.received.length - (received[0] ?? 0),
        failed: 2,
        waited_seconds: 40,
      },
      {
        service: "grafana",
        requests: grafana.received.length - (received[1] ?? 0),
        failed: 0,
        waited_seconds: 0,
      },
    ]);
    await nextCycle();
    assertEquals((await status(running)).last_cycle?.traffic.map(({ failed }) => failed), [0, 0]);
  }));

Deno.test("it tells how many were added and removed within the last hour", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    await running.cycleEnds();
    const hour = async () => Object.values((await status(running)).last_hour);
    assertEquals(await hour(), [2, 1]);
    running.world.okta.group("B").members.add(running.world.addPerson("dave@example.com"));
    await running.nextCycle();
    assertEquals(await hour(), [3, 1]);
    await running.pass(3_600 - 300);
    assertEquals(await hour(), [1, 0]);
    await running.pass(300);
    assertEquals(await hour(), [0, 0]);
  }));

Deno.test("before the first cycle has ended every mapping waits", () => {
  const held = Promise.withResolvers<void>();
  const settings = {
    mappings: MAPPINGS,
    fill(world: World) {
      fill(world);
      world.okta.intercept = (_request, proceed) => held.promise.then(proceed);
    },
  };
  return withService(settings, async (running) => {
    try {
      const { mappings, last_cycle, changes } = await status(running);
      assertEquals([last_cycle, changes, mappings.map(({ state }) => state)], [null, [], [
        "waiting",
        "waiting",
      ]]);
      assertEquals(mappings[0]?.last_in_sync_at, null);
    } finally {
      held.resolve();
    }
    await running.cycleEnds();
  });
});

Deno.test("a dry run shows what would change", () =>
  withService({ mappings: MAPPINGS, fill, dryRun: true }, async (running) => {
    await running.cycleEnds();
    const { dry_run, mappings: [first], changes } = await status(running);
    assertEquals([dry_run, first?.state, first?.would], [true, "out_of_sync", {
      add: { count: 1, users: ["alice@example.com"] },
      remove: { count: 1, users: ["carol@example.com"] },
    }]);
    assertEquals(changes.at(-1)?.outcome, "planned");
  }));

Deno.test("what is on hold stands there with who and why, until it is not", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    await running.cycleEnds();
    running.world.okta.group("A").members.clear();
    await running.nextCycle();
    await running.nextCycle();
    const [onHold] = (await status(running)).mappings;
    assertEquals([onHold?.state, onHold?.out_of_sync_seconds], ["on_hold", 600]);
    assertEquals([onHold?.on_hold?.reason, onHold?.on_hold?.users], ["empty-group", [
      "alice@example.com",
    ]]);
    running.world.okta.group("A").members.add(running.world.addPerson("dave@example.com"));
    await running.nextCycle();
    const [inSync] = (await status(running)).mappings;
    assertEquals([inSync?.state, inSync?.on_hold, inSync?.users_removed], ["in_sync", null, 2]);
  }));

Deno.test("an error stands there in full, with what to do", () =>
  withService({ mappings: [mapping("Gone", "T")], fill }, async (running) => {
    await running.cycleEnds();
    const [failed] = (await status(running)).mappings;
    assertEquals([failed?.state, failed?.last_in_sync_at], ["failed", null]);
    assertMatch(failed?.errors.join() ?? "", /^Group not found: Gone: check the exact name/);
  }));

Deno.test("a search finds mappings and changes by team, group or person", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    await running.cycleEnds();
    const found = async (search: string) => {
      const { mappings, changes } = await status(running, search);
      return [mappings.map(({ okta_group }) => okta_group).join(""), changes.length];
    };
    assertEquals(await found(" NEW@ "), ["B", 0]);
    assertEquals(await found("alice"), ["", 1]);
    assertEquals(await found("nobody"), ["", 0]);
  }));

Deno.test("people are shown only where not everybody may look, or where that is wanted", async (t) => {
  const cases: [metrics: Record<string, unknown>, isShown: boolean][] = [
    [{ host: "127.0.0.1" }, true],
    [{ host: "0.0.0.0" }, false],
    [{ host: "0.0.0.0", token: "0123456789abcdef" }, true],
    [{ host: "0.0.0.0", show_users: true }, true],
    [{ host: "127.0.0.1", show_users: false }, false],
  ];
  for (const [metrics, isShown] of cases) {
    await t.step(
      JSON.stringify(metrics),
      () =>
        withService({ mappings: MAPPINGS, fill, metrics }, async ({ url, cycleEnds, world }) => {
          await cycleEnds();
          world.grafana.intercept = (request, proceed) =>
            request.method === "GET" ? proceed() : new Response("{}", { status: 400 });
          const reachable = url.replace("0.0.0.0", "127.0.0.1");
          const headers = { authorization: "Bearer 0123456789abcdef" };
          for (const path of ["/", "/api/status", "/api/status?q=alice@example.com"]) {
            const text = await (await fetch(reachable + path, { headers })).text();
            assertEquals([path, text.replace(/value="[^"]*"/, "").includes("alice@example.com")], [
              path,
              isShown,
            ]);
          }
        }),
    );
  }
});
