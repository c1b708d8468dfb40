/** A world that was synced once, long after its groups were made: what the next cycles do is incremental. */
import { assert } from "@std/assert";
import type { SimulatedOktaUser } from "../../src/simulation/okta_state.ts";
import { type CycleSettings, type CycleWorld, withCycles } from "./cycle_world.ts";

/** Between two cycles, in seconds. */
export const INTERVAL = 300;

/** A world in which every group is as old as the hills, after its first, full cycle. */
export interface Settled extends CycleWorld {
  /** Lets an interval pass and runs the next cycle. */
  next(): ReturnType<CycleWorld["cycle"]>;
  /** What was asked of both services since it was last asked for, such as `GET /api/v1/groups`. */
  requests(): string[];
  person(name: string): SimulatedOktaUser;
}

/** Runs `test` in a world whose groups have these members, after its first cycle. */
export async function settled(
  groups: Readonly<Record<string, readonly string[]>>,
  settings: CycleSettings,
  test: (world: Settled) => Promise<void>,
): Promise<void> {
  await withCycles({ network: (world) => world.fetch, ...settings }, async (cycles) => {
    const { world, cycle, clock } = cycles;
    const people = new Map<string, SimulatedOktaUser>();
    const person = (name: string) => {
      const known = people.get(name) ?? world.addPerson(`${name}@example.com`);
      people.set(name, known);
      return known;
    };
    world.okta.clock = () => clock.now() - 86_400_000;
    for (const [name, members] of Object.entries(groups)) world.okta.addGroup(name, members.map(person));
    world.okta.clock = clock.now;
    assert((await cycle()).isFull);
    cycles.messages();
    const requests = () =>
      [...world.okta.received.splice(0), ...world.grafana.received.splice(0)]
        .map(({ method, path }) => `${method} ${path.split("?")[0]}`);
    requests();
    await test({
      ...cycles,
      person,
      requests,
      async next() {
        await clock.sleep(INTERVAL * 1_000, cycles.shutdown.signal);
        return await cycle();
      },
    });
  });
}
