/** Somebody who is renamed in Okta: Grafana knows the new address only after they sign in. */
import { assertEquals } from "@std/assert";
import { isSuccess } from "../../src/sync/tell/report.ts";
import { type CycleWorld, keptIn, summary, withCycles } from "./cycle_world.ts";

const SETTINGS = { mappings: [{ okta_group: "A", grafana_team: "T" }] };
const NEW = "jane.miller@example.com";
const OLD = "jane.smith@example.com";

/** Jane Smith and Bob are in the team; then Jane is named Miller in Okta. */
function afterRename(
  test: (cycles: CycleWorld & { jane: { login: string } }) => Promise<void>,
): Promise<void> {
  return withCycles(SETTINGS, async (cycles) => {
    const { world, cycle, messages } = cycles;
    const jane = world.addPerson(OLD);
    world.okta.addGroup("A", [jane, world.addPerson("bob@example.com")]);
    await cycle();
    Object.assign(jane, { login: NEW, email: NEW });
    messages();
    await test({ ...cycles, jane });
  });
}

Deno.test("whoever is renamed in Okta alone stays in the team (renamed), which is no failure", () =>
  afterRename(async ({ world, cycle, messages }) => {
    for (let i = 0; i < 3; i++) {
      const report = await cycle();
      assertEquals(summary(report), ["A->T: +0 -0, 1 pending"]);
      assertEquals(report.mappings.map(isSuccess), [true]);
      assertEquals(report.plans.flatMap(keptIn), [[OLD, "renamed"]]);
    }
    assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com", OLD]);
    assertEquals(messages().filter((line) => line.includes("kept although")), [
      `INFO Team T: kept although they are in no mapped group: ${OLD} (renamed)`,
    ]);
  }));

Deno.test("when the renamed user signs in, nothing changes in the team", () =>
  afterRename(async ({ world, cycle, writes }) => {
    await cycle();
    Object.assign(world.grafana.state.lookUp(OLD) ?? {}, { login: NEW, email: NEW });
    writes();
    assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
    assertEquals([writes(), world.grafana.state.membersOf("T")], [[], ["bob@example.com", NEW]]);
  }));

Deno.test("a renamed user who gets a new account in Grafana has that one in the team, and the old one leaves", () =>
  afterRename(async ({ world, cycle }) => {
    world.grafana.state.addUser({ login: NEW, email: NEW });
    assertEquals(summary(await cycle()), ["A->T: +1 -1"]);
    assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com", NEW]);
  }));

Deno.test("whoever takes over the former account of a renamed user is kept when they are renamed themselves", () =>
  afterRename(async ({ world, cycle }) => {
    world.grafana.state.addUser({ login: NEW, email: NEW });
    await cycle();
    const successor = world.okta.addUser(OLD);
    world.okta.group("A").members.add(successor);
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
    Object.assign(successor, { login: "jane.jones@example.com", email: "jane.jones@example.com" });
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 pending"]);
    assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com", NEW, OLD]);
  }));

const LEAVES = {
  "leaves the group": ({ world, jane }: { world: CycleWorld["world"]; jane: object }) => {
    for (const user of world.okta.group("A").members) {
      if (user === jane) world.okta.group("A").members.delete(user);
    }
  },
  "is suspended": ({ jane }: { jane: object }) => {
    Object.assign(jane, { status: "SUSPENDED" });
  },
};

for (const [does, leave] of Object.entries(LEAVES)) {
  Deno.test(`a renamed user who ${does} is removed`, () =>
    afterRename(async (cycles) => {
      await cycles.cycle();
      leave(cycles);
      assertEquals(summary(await cycles.cycle()), ["A->T: +0 -1"]);
      assertEquals(cycles.world.grafana.state.membersOf("T"), ["bob@example.com"]);
    }));
}

Deno.test(
  "a stranger who takes the new address for a login does not get the renamed user removed",
  () =>
    afterRename(async ({ world, cycle }) => {
      world.grafana.state.addUser({ login: NEW, email: "mallory@example.com" });
      await cycle();
      assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com", OLD]);
    }),
);

Deno.test("somebody renamed in Grafana alone, by the login, stays by the email", () =>
  afterRename(async ({ world, cycle, jane }) => {
    Object.assign(jane, { login: OLD, email: OLD });
    Object.assign(world.grafana.state.lookUp(OLD) ?? {}, { login: "jsmith" });
    assertEquals(summary(await cycle()), ["A->T: +0 -0"]);
  }));

Deno.test("whose login stays while the email changes is ambiguous, and stays in the team", () =>
  afterRename(async ({ world, cycle, jane }) => {
    jane.login = OLD;
    assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 errors"]);
    assertEquals(world.grafana.state.membersOf("T"), ["bob@example.com", OLD]);
  }));
