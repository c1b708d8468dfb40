/** Faults that last: an hour without Okta, a Grafana that restarts, a group that keeps failing. */
import { assert, assertEquals } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { fits, summary } from "../sync/cycle_world.ts";
import { mapping } from "../support.ts";
import {
  assertConverged,
  assertTold,
  change,
  closedAddress,
  INTERVAL,
  leadTo,
  MAPPINGS,
  type Network,
  settle,
  withFaults,
} from "./world.ts";

/** Nobody listens there. */
const CLOSED = closedAddress();

const page = (status: number) => () =>
  Promise.resolve(new Response("<html></html>", { status, headers: { "content-type": "text/html" } }));

/** Okta does not answer as it should, at whatever is asked. */
const OUTAGES: readonly (readonly [how: string, answer: (url: string) => Promise<Response>, says: RegExp])[] =
  [
    ["connection refused", () => fetch(CLOSED), /cannot connect: .*refused/],
    ["503", page(503), /returned 503/],
    ["500", page(500), /returned 500/],
    ["429", page(429), /Rate limit exceeded/],
    ["a sign-in page", page(200), /sign-in page/],
    ["a redirect", () => Promise.resolve(Response.redirect("https://login.example.com/")), /redirected to/],
  ];

for (const [how, answer, says] of OUTAGES) {
  Deno.test(`Okta down for an hour (${how}): each cycle says so, nobody waits longer for it, the next cycle converges`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, clock, messages, writes } = cycles;
      change(world);
      cycles.network = (url, _, proceed) => url.startsWith(world.okta.url) ? answer(url) : proceed();
      const end = clock.now() + 3_600_000;
      while (clock.now() < end) {
        const report = await cycle();
        const lines = messages();
        assertTold(report, lines, says);
        assertEquals(report.mappings.length, 2, "no mapping is skipped");
        assertEquals(lines.filter((line) => line.includes("tried again in")), []);
        assertEquals(writes(), []);
        await cycles.pass(INTERVAL);
      }
      cycles.network = undefined;
      assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -1", "Science->Scientists: +0 -0"]);
      assertConverged(world);
    }));
}

Deno.test("Okta down in the middle of every cycle for an hour: every group gets its turn, and all are back within two cycles", () => {
  const mappings = ["A", "B", "C", "D", "E", "F"].map((name) => mapping(name, `Team ${name}`));
  return withFaults(async (cycles) => {
    const { world, cycle, messages } = cycles;
    for (const { okta_group } of mappings) {
      world.okta.addGroup(okta_group, [world.addPerson(`${okta_group}@example.com`)]);
    }
    await cycle();
    messages();
    // The first group still gets through, then the limit is used up.
    cycles.network = (url, _, proceed) =>
      url.startsWith(world.okta.url) && !/00g000001|%22A%22/.test(url) ? page(429)() : proceed();
    for (let i = 0; i < 12; i++) {
      await cycle();
      await cycles.pass(INTERVAL);
    }
    assertEquals(messages().filter((line) => /tried again in (?!2 )/.test(line)), []);
    cycles.network = undefined;
    const synced = new Set<string>();
    for (let i = 0; i < 2; i++) {
      for (const { mapping } of (await cycle()).mappings) synced.add(mapping.okta_group);
    }
    assertEquals([...synced].sort(), ["A", "B", "C", "D", "E", "F"]);
  }, mappings);
});

Deno.test("Grafana restarting (connection refused, then 503) loses nobody, and the next cycle converges", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages, writes } = cycles;
    change(world);
    for (
      const [network, says] of [
        [leadTo(world, "grafana", CLOSED), /the teams of Grafana could not be read: cannot connect/],
        [
          (url, _, proceed) => url.startsWith(world.grafana.url) ? page(503)() : proceed(),
          /the teams of Grafana could not be read: .*returned 503/,
        ],
      ] satisfies [Network, RegExp][]
    ) {
      cycles.network = network;
      for (let i = 0; i < 4; i++) {
        const report = await cycle();
        assertTold(report, messages(), says);
        assertEquals(report.mappings.length, 2);
        await cycles.pass(INTERVAL);
      }
    }
    assertEquals(writes(), []);
    cycles.network = undefined;
    assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -1", "Science->Scientists: +0 -0"]);
    assertConverged(world);
  }));

for (const after of [1, 2, 3, 4]) {
  Deno.test(`Grafana restarting in the middle of a cycle, after ${after} of its requests, is told, and the next cycle converges`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, messages } = cycles;
      change(world);
      let requests = 0;
      cycles.network = (url, _, proceed) =>
        url.startsWith(world.grafana.url) && ++requests > after ? fetch(CLOSED) : proceed();
      assertTold(await cycle(), messages(), /cannot connect: .*refused/);

      cycles.network = undefined;
      await cycles.pass(INTERVAL);
      assert((await cycle()).mappings.every(isSuccess));
      assertConverged(world);
    }));
}

Deno.test("a mapping that keeps failing backs off to eight intervals at most, while the rest go on, and one line says so", () =>
  withFaults(
    async (cycles) => {
      await settle(cycles);
      const { world, cycle, messages } = cycles;
      change(world);
      const gone = world.okta.groups.splice(0, 1);
      const tried: number[] = [];
      for (let i = 1; i <= 60; i++) {
        const { mappings } = await cycle();
        const groups = mappings.map((report) => report.mapping.okta_group);
        assert(
          groups.includes("Science") &&
            mappings.every(({ mapping: { okta_group }, errors }) =>
              (errors.length > 0) === (okta_group === "Engineering")
            ),
        );
        if (groups.includes("Engineering")) tried.push(i);
        await cycles.pass(INTERVAL);
      }
      const waits = tried.slice(1).map((at, i) => at - (tried[i] ?? 0));
      assertEquals(waits, [1, 2, 4, ...waits.slice(3).map(() => 8)]);
      const lines = messages();
      assertEquals(lines.filter((line) => line.includes("tries again")), [
        "WARNING Okta group 'Engineering' has failed 2 times in a row: gots tries again in 2 cycles, 10 min",
        "WARNING Okta group 'Engineering' has failed 3 times in a row: gots tries again in 4 cycles, 20 min",
        "WARNING Okta group 'Engineering' has failed 4 times in a row: gots tries again in 8 cycles, 40 min",
      ]);
      assertEquals(
        lines.filter((line) => /^(?:ERROR|WARNING).*Engineering/.test(line)).length,
        tried.length + 3,
      );

      world.okta.groups.push(...gone);
      for (let i = 0; i < 8; i++) await cycle();
      assertConverged(world);
      messages();
      for (let i = 0; i < 3; i++) assertEquals((await cycle()).mappings.length, 2, "patience begins anew");
    },
    MAPPINGS,
    { incremental: false },
  ));

Deno.test("a team that keeps failing backs off to eight intervals at most, while the rest go on", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages } = cycles;
    const id = world.grafana.state.team("Engineers")?.id;
    world.grafana.intercept = (request, proceed) =>
      fits(request, "GET", new RegExp(`/teams/${id}/members$`))
        ? Response.json({ message: "no" }, { status: 403 })
        : proceed();
    let tried = 0;
    for (let i = 0; i < 40; i++) {
      const { mappings } = await cycle();
      if (mappings.length === 2) tried++;
      assert(mappings.some(({ mapping }) => mapping.okta_group === "Science"));
    }
    assertEquals(tried, 8, "cycles 1, 2, 4, 8, 16, 24, 32 and 40");
    assertEquals(messages().filter((line) => line.includes("Grafana team 'Engineers' has failed")).length, 3);
    world.grafana.intercept = undefined;
    change(world);
    for (let i = 0; i < 8; i++) await cycle();
    assertConverged(world);
  }));
