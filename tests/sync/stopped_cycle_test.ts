/** A cycle that is stopped, or breaks, leaves what is known as it was: nobody saw all of it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createGrafanaClient } from "../../src/grafana/client.ts";
import { createOktaClient } from "../../src/okta/client.ts";
import { startWorld } from "../../src/simulation/world.ts";
import { runCycle } from "../../src/sync/cycle.ts";
import { initialState, type State } from "../../src/sync/state.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";
import { fits, withCycles } from "./cycle_world.ts";
import { emails, mapping } from "./fixtures.ts";

Deno.test("a cycle that is stopped leaves what is known as it was, but for its number, and says what it did", async () => {
  const world = startWorld();
  const config = configOf(world, { sync: { mappings: [mapping("A", "T"), mapping("B", "U")] } });
  const run = (before: State, signal: AbortSignal) => {
    const around = surroundings({ signal });
    const [okta, grafana] = [
      createOktaClient(config.okta, around),
      createGrafanaClient(config.grafana, around),
    ];
    return runCycle(before, { config, okta, grafana, ...around });
  };
  try {
    world.okta.addGroup("A", emails(1, 3).map((email) => world.addPerson(email)));
    world.okta.addGroup("B", [world.okta.addUser("new@example.com")]);
    const { state: before } = await run(initialState, new AbortController().signal);
    for (const group of ["A", "B"]) {
      world.okta.group(group).members.add(world.addPerson(`${group}@example.com`));
    }
    world.okta.group("A").members.add(world.okta.addUser("late@example.com"));
    const shutdown = new AbortController();
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (fits(request, "POST", /members$/)) shutdown.abort();
      return answer;
    };
    const { state, report } = await run(before, shutdown.signal);
    assertEquals(state, { ...before, cycles: before.cycles + 1 });
    assertEquals([report.interrupted, report.mappings.map(({ added }) => added)], [true, [1, 0]]);
    world.grafana.intercept = undefined;
    const { report: next } = await run(state, new AbortController().signal);
    assertEquals([next.interrupted, next.mappings.map(({ added }) => added)], [false, [0, 1]]);
  } finally {
    await world.close();
  }
});

Deno.test("a cycle that breaks is counted, and the next one has another number", () =>
  withCycles({ mappings: [mapping("A", "T")] }, async ({ world, cycle }) => {
    world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
    const onMapping = () => {
      throw new TypeError("a bug");
    };
    await assertRejects(() => cycle({ onMapping }), TypeError, "a bug");
    const { cycle: number, interrupted, startedAt, endedAt } = await cycle();
    assertEquals([number, interrupted], [2, false]);
    assert(startedAt <= endedAt);
  }));
