import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { World } from "../../src/simulation/world.ts";
import { mapping } from "./fixtures.ts";
import { INTERVAL_SECONDS, withService } from "./running.ts";

const MAPPINGS = [mapping("A", "T"), mapping("B", "U")];
const T = '{okta_group="A",grafana_team="T"}';
const U = '{okta_group="B",grafana_team="U"}';

/** Alice and Bob in group A, Bob in group B, and Carol in team T. */
function fill(world: World): void {
  const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
  const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
  world.okta.addGroup("A", [alice, bob]);
  world.okta.addGroup("B", [bob]);
  world.grafana.state.addTeam("T").members.set(carol.id, 0);
}

/** The status and the body of an answer. */
async function ask(url: string): Promise<[status: number, body: Record<string, unknown>]> {
  const answer = await fetch(url);
  return [answer.status, await answer.json()];
}

Deno.test("the service on a loopback address without a token answers under loopback names only", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ url, cycleEnds }) => {
    await cycleEnds();
    const { hostname, port } = new URL(url);
    const statusFor = async (host: string) => {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(request));
      return (await new Response(connection.readable).text()).split(" ", 2)[1];
    };
    assertEquals([await statusFor("attacker.example"), await statusFor(`localhost:${port}`)], ["421", "200"]);
  }));

Deno.test("the service syncs at once and at every interval, and shows it over HTTP", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ world, url, cycleEnds, nextCycle, captured }) => {
    await cycleEnds();
    assertEquals(world.grafana.state.membersOf("T"), ["alice@example.com", "bob@example.com"]);
    assertEquals(await ask(`${url}/ready`), [200, { ready: true }]);
    const [status, health] = await ask(`${url}/health`);
    assertEquals([status, health.status, health.message], [200, "healthy", "all teams are in sync"]);
    assertEquals(Object.keys(health.sync_status as object), ["A->T", "B->U"]);
    assertEquals(
      health.next_cycle_at,
      new Date(Date.UTC(2026, 0, 1) + INTERVAL_SECONDS * 1_000).toISOString(),
    );
    const start = captured.messages().filter((line) => line.startsWith("INFO")).slice(0, 2);
    assert(/^INFO gots .+: 2 mappings, every 300 s$/.test(start[0] ?? ""));
    assertEquals(start[1], `INFO Metrics server started on ${url}`);

    world.okta.group("B").members.clear();
    world.okta.group("B").members.add(world.addPerson("dave@example.com"));
    await nextCycle();
    assertEquals(world.grafana.state.membersOf("U"), ["dave@example.com"]);
    assertEquals((await ask(`${url}/health`))[1].last_cycle, {
      cycle: 2,
      started_at: "2026-01-01T00:05:00.000Z",
      ended_at: "2026-01-01T00:05:00.000Z",
    });
  }));

Deno.test("a service with one mapping says so when it starts", () =>
  withService({ mappings: MAPPINGS.slice(0, 1), fill }, async ({ cycleEnds, captured }) => {
    await cycleEnds();
    assert(captured.messages().some((line) => /^INFO gots .+: 1 mapping, every 300 s$/.test(line)));
  }));

Deno.test("until the first cycle has ended the service is alive but not ready", () => {
  const held = Promise.withResolvers<void>();
  const settings = {
    mappings: MAPPINGS,
    fill(world: World) {
      fill(world);
      world.okta.intercept = (_request, proceed) => held.promise.then(proceed);
    },
  };
  return withService(settings, async ({ url, cycleEnds }) => {
    try {
      assertEquals(await ask(`${url}/ready`), [503, { ready: false }]);
      const [status, { message }] = await ask(`${url}/health`);
      assertEquals([status, message], [200, "the first cycle has not ended yet"]);
    } finally {
      held.resolve();
    }
    await cycleEnds();
    assertEquals(await ask(`${url}/ready`), [200, { ready: true }]);
  });
});

Deno.test("metrics count what was done, by mapping, and stay where they are in a cycle without changes", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ cycleEnds, nextCycle, series }) => {
    await cycleEnds();
    for (const cycles of [1, 2]) {
      const metrics = await series();
      const values = (name: string) => [metrics.get(`${name}${T}`), metrics.get(`${name}${U}`)];
      assertEquals(values("gots_users_added_total"), [2, 1]);
      assertEquals(values("gots_users_removed_total"), [1, 0]);
      assertEquals(values("gots_sync_errors_total"), [0, 0]);
      assertEquals(values("gots_last_sync_success"), [1, 1]);
      assertEquals(values("gots_group_members"), [2, 1]);
      assertEquals(values("gots_team_members"), [2, 1]);
      assertEquals(values("gots_sync_duration_seconds_count"), [cycles, cycles]);
      const endedAt = Date.UTC(2026, 0, 1) / 1_000 + (cycles - 1) * INTERVAL_SECONDS;
      assertEquals(values("gots_last_sync_timestamp"), [endedAt, endedAt]);
      if (cycles === 1) await nextCycle();
    }
  }));

Deno.test("requests are counted by route template and status, without a name or an id", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ cycleEnds, series }) => {
    await cycleEnds();
    const metrics = await series();
    const count = (service: string, method: string, route: string) =>
      metrics.get(
        `gots_api_requests_total{service="${service}",method="${method}",route="${route}",status="200"}`,
      );
    assertEquals(
      count("okta", "GET", "/api/v1/groups"),
      3,
      "groups are found, and confirmed, and confirmed once more before anybody is removed",
    );
    assertEquals(
      count("okta", "GET", "/api/v1/groups/:id/users"),
      3,
      "a group is read again before anybody is removed",
    );
    assertEquals(count("grafana", "POST", "/api/teams/:id/members"), 3);
    assertEquals(count("grafana", "DELETE", "/api/teams/:id/members/:user"), 1);
  }));

Deno.test("a dry run moves neither additions nor removals, but the time of the last sync", () =>
  withService(
    { mappings: MAPPINGS, fill, dryRun: true },
    async ({ world, url, cycleEnds, series, captured }) => {
      await cycleEnds();
      const metrics = await series();
      assertEquals(metrics.get(`gots_users_added_total${T}`), 0);
      assertEquals(metrics.get(`gots_users_removed_total${T}`), 0);
      assertEquals(metrics.get(`gots_last_sync_timestamp${T}`), Date.UTC(2026, 0, 1) / 1_000);
      assertEquals(metrics.get(`gots_last_sync_success${T}`), 1);
      assertEquals(metrics.get(`gots_team_members${T}`), 1, "Carol is still there");
      assertEquals(world.grafana.received.filter(({ method }) => method !== "GET"), []);
      const [, health] = await ask(`${url}/health`);
      assertEquals([health.dry_run, health.message], [true, "dry run: nothing is written"]);
      assert(captured.messages().includes("INFO DRY RUN MODE - No changes will be made"));
    },
  ));

Deno.test("a group that fails makes its mapping fail, and the service degraded, until it can be read again", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ world, url, cycleEnds, nextCycle, series }) => {
    await cycleEnds();
    world.okta.intercept = (request, proceed) =>
      request.url.includes(`/groups/${world.okta.group("A").id}/users`)
        ? Response.json({}, { status: 500 })
        : proceed();
    await nextCycle();
    const metrics = await series();
    assertEquals([metrics.get(`gots_last_sync_success${T}`), metrics.get(`gots_last_sync_success${U}`)], [
      0,
      1,
    ]);
    assertEquals([metrics.get(`gots_sync_errors_total${T}`), metrics.get(`gots_sync_errors_total${U}`)], [
      1,
      0,
    ]);
    assert((metrics.get(`gots_last_sync_timestamp${T}`) ?? 0) > Date.UTC(2026, 0, 1) / 1_000);
    const [status, health] = await ask(`${url}/health`);
    assertEquals([status, health.status], [200, "degraded"]);
    assertStringIncludes(String(health.message), "A->T");

    world.okta.intercept = undefined;
    await nextCycle();
    assertEquals((await series()).get(`gots_last_sync_success${T}`), 1);
    assertEquals((await ask(`${url}/health`))[1].status, "healthy");
  }));

Deno.test("removals on hold show in a gauge by team and reason, and as no success, until they are carried out", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ world, url, cycleEnds, nextCycle, series }) => {
    await cycleEnds();
    const { members } = world.okta.group("A");
    const [alice, bob] = [...members];
    members.clear();
    await nextCycle();
    const gauge = (reason: string) => `gots_removals_on_hold{grafana_team="T",reason="${reason}"}`;
    const metrics = await series();
    assertEquals([metrics.get(gauge("empty-group")), metrics.get(gauge("incomplete-read"))], [2, 0]);
    assertEquals(metrics.get(`gots_last_sync_success${T}`), 0);
    assertEquals(metrics.get(`gots_users_removed_total${T}`), 1, "only Carol, in the first cycle");
    assertEquals((await ask(`${url}/health`))[1].status, "degraded");

    const group = world.okta.group("A");
    group.name = "renamed";
    await nextCycle();
    assertEquals(
      (await series()).get(gauge("empty-group")),
      2,
      "the team could not be compared: the last number stays",
    );
    group.name = "A";
    if (alice && bob) members.add(alice);
    await nextCycle();
    assertEquals((await series()).get(gauge("empty-group")), 0);
    assertEquals((await series()).get(`gots_users_removed_total${T}`), 2);
  }));

Deno.test("pending users are a gauge of their own and no failure", () => {
  const withStranger = (world: World) => {
    fill(world);
    world.okta.group("A").members.add(world.okta.addUser("new@example.com"));
  };
  return withService({ mappings: MAPPINGS, fill: withStranger }, async ({ cycleEnds, series }) => {
    await cycleEnds();
    const metrics = await series();
    assertEquals(metrics.get(`gots_users_pending${T}`), 1);
    assertEquals(metrics.get(`gots_last_sync_success${T}`), 1);
  });
});

Deno.test("the page of the service shows nobody's address, even where their change failed", () => {
  const failing = (world: World) => {
    fill(world);
    world.grafana.intercept = (request, proceed) =>
      request.method === "POST" && request.url.endsWith("/members")
        ? Response.json({ message: "Failed to add Member to Team" }, { status: 500 })
        : proceed();
  };
  return withService({ mappings: MAPPINGS, fill: failing }, async ({ url, cycleEnds }) => {
    await cycleEnds();
    const [, health] = await ask(`${url}/health`);
    assertEquals(health.status, "degraded");
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assertEquals(/@example\.com/.test(JSON.stringify(health) + metrics), false);
  });
});

Deno.test("a cycle that takes more than four fifths of the interval is told in the log, and its time on the page", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ world, url, cycleEnds, nextCycle, pass, captured }) => {
    await cycleEnds();
    for (const [seconds, isTold] of [[240, false], [241, true]] as const) {
      world.grafana.intercept = async (request, proceed) => {
        if (request.url.includes("/api/teams/search")) await pass(seconds);
        return await proceed();
      };
      await nextCycle();
      const line = `WARNING The cycle took ${seconds} s, the interval is 300 s: raise sync.interval_seconds`;
      assertEquals(captured.messages().includes(line), isTold);
      assertStringIncludes(await (await fetch(url)).text(), ", took 4 min");
    }
  }));

Deno.test("a clock that is off is told in the log, and makes the service degraded", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ world, url, cycleEnds, nextCycle, captured }) => {
    await cycleEnds();
    world.okta.clockOffsetMs = 240_000;
    await nextCycle();
    const [, { status, message }] = await ask(`${url}/health`);
    assertEquals(status, "degraded");
    assertMatch(
      String(message),
      /^this machine is 240 s behind Grafana and 240 s behind Okta: correct its clock/,
    );
    assert(captured.messages().includes(`WARNING ${message}`));
  }));

for (const [direction, seconds] of [["forward", 86_400], ["back", -86_400]] as const) {
  Deno.test(`a clock that is set ${direction} by a day: /health goes on by the time that really passed`, () =>
    withService({ mappings: MAPPINGS, fill }, async ({ url, cycleEnds, pass, setClock, now }) => {
      await cycleEnds();
      setClock(seconds);
      await pass(60);
      const [, health] = await ask(`${url}/health`);
      assertEquals([health.status, health.uptime_seconds], ["healthy", 60]);
      assertEquals(Date.parse(String(health.next_cycle_at)) - now(), 240_000);
      await pass(15 * 60);
      assertEquals((await ask(`${url}/health`))[1].status, "unhealthy");
    }));
}

Deno.test("lines of the audit that cannot be written are counted, and degrade the service until lines are written again", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ url, cycleEnds, store, series }) => {
    await cycleEnds();
    assertEquals((await series()).get("gots_audit_lines_lost_total"), 0);
    store.tell({ kind: "log line", isWritten: false, isAudit: true });
    store.tell({ kind: "log line", isWritten: false, isAudit: false });
    const [, { status, message }] = await ask(`${url}/health`);
    assertEquals([status, (await series()).get("gots_audit_lines_lost_total")], ["degraded", 1]);
    assertMatch(
      String(message),
      /^the log cannot be written to standard error, and 1 line of the audit is lost: free/,
    );
    store.tell({ kind: "log line", isWritten: true, isAudit: true });
    assertEquals((await ask(`${url}/health`))[1].status, "healthy");
    assertEquals((await series()).get("gots_audit_lines_lost_total"), 1);
  }));

Deno.test("a stop between cycles ends the service and its server", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ url, cycleEnds, stop, captured }) => {
    await cycleEnds();
    await stop();
    assertEquals(captured.messages().at(-1), "INFO Shutdown complete. Goodbye!");
    await assertRejects(() => fetch(`${url}/health`), TypeError);
  }));

Deno.test("a stop in the middle of a cycle ends it, and the cycle does not count as one", () => {
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const hanging = (world: World) => {
    fill(world);
    world.okta.intercept = (_request, proceed) => {
      asked.resolve();
      return held.promise.then(proceed);
    };
  };
  return withService({ mappings: MAPPINGS, fill: hanging }, async ({ world, stop, captured, cycles }) => {
    await asked.promise;
    await stop();
    held.resolve();
    assertEquals(cycles, []);
    const said = captured.messages();
    assertEquals(said.at(-1), "INFO Shutdown complete. Goodbye!");
    assertEquals(said.filter((line) => line.startsWith("ERROR")), []);
    assertEquals(world.grafana.state.membersOf("T"), ["carol@example.com"]);
  });
});

Deno.test("a stop that takes too long is not waited for beyond the grace", () => {
  const writing = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const slow = (world: World) => {
    fill(world);
    world.grafana.intercept = async (request, proceed) => {
      if (request.method === "GET") return await proceed();
      writing.resolve();
      await held.promise;
      return await proceed();
    };
  };
  return withService({ mappings: MAPPINGS, fill: slow }, async ({ stop, endGrace, captured, url }) => {
    await writing.promise;
    const stopped = stop();
    endGrace();
    await stopped;
    assertEquals(
      captured.messages().at(-1),
      "INFO Shutdown: what was under way is left to the next run",
    );
    held.resolve();
    // The server closes once the write has had its answer: nothing of this test is left behind.
    const isUp = () =>
      fetch(`${url}/ready`).then(async (answer) => !await answer.body?.cancel(), () => false);
    for (let i = 0; i < 1_000 && await isUp(); i++);
    assertEquals(await isUp(), false);
  });
});
