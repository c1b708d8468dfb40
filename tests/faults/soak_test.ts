/** What must stay as it is however long the program runs. */
import { assert, assertEquals } from "@std/assert";
import { createGrafanaClient } from "../../src/grafana/client.ts";
import { createOktaClient } from "../../src/okta/client.ts";
import { startWorld } from "../../src/simulation/world.ts";
import { runCycle } from "../../src/sync/cycle.ts";
import { initialState } from "../../src/sync/state.ts";
import { surroundings } from "../support.ts";
import type { Soaked } from "./soak.ts";
import { configOf } from "../simulation/config.ts";

/** Set `GOTS_SOAK_CYCLES=10000` for the whole of it: 28 s on a slow machine. */
const CYCLES = Number(Deno.env.get("GOTS_SOAK_CYCLES") ?? 2_000);
/** More than this is a leak: 90 bytes were measured over 2,000 cycles, 20 between 6,000 and 12,000. */
const BYTES_PER_CYCLE = 150;
/** The time that starting and ending may take. A timer that is left keeps the program for 30 s. */
const SPARE_SECONDS = 25;

Deno.test(`ten thousand cycles on virtual time (here ${CYCLES}) keep memory flat and leave no timer, file or socket`, async () => {
  const program = new URL("soak.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const startedAt = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--v8-flags=--expose-gc", "--config", config, program, String(CYCLES)],
    stdin: "null",
  }).output();
  const elapsed = (performance.now() - startedAt) / 1_000;
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { warm, end, added, removed, errors, seconds }: Soaked = JSON.parse(new TextDecoder().decode(stdout));

  assertEquals(end.cycle, CYCLES);
  for (const count of [added, removed, errors]) {
    assert(count > CYCLES / 4, "much was done, and much went wrong");
  }
  const grown = end.heapBytes - warm.heapBytes;
  assert(grown < BYTES_PER_CYCLE * (end.cycle - warm.cycle), `the heap grew by ${grown} bytes`);
  assertEquals(end.files, warm.files);
  assert(elapsed - seconds < SPARE_SECONDS, `it took ${elapsed - seconds} s to end`);
});

Deno.test("whoever left is forgotten, although another group keeps failing", async () => {
  await using world = startWorld();
  const config = configOf(world, {
    sync: {
      mappings: [
        { okta_group: "Engineering", grafana_team: "Engineers" },
        { okta_group: "A group that is gone", grafana_team: "Ghosts" },
      ],
    },
  });
  const around = surroundings();
  const okta = createOktaClient(config.okta, around);
  const grafana = createGrafanaClient(config.grafana, around);
  let state = initialState;
  const people = [world.addPerson("alice@example.com")];
  const { members } = world.okta.addGroup("Engineering", people);
  for (let i = 0; i < 130; i++) {
    people.push(world.addPerson(`person${i}@example.com`));
    members.clear();
    for (const one of people.slice(-5)) members.add(one);
    ({ state } = await runCycle(state, { ...around, config, okta, grafana }));
  }
  const { accounts: { base, recent }, seen } = state.identities;
  for (const size of [base.size + recent.size, seen.size]) {
    assert(size <= 105, `${size} people are remembered, and 104 were there in the last 100 cycles`);
  }
});
