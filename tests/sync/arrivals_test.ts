/** Bringing people into the organisation: what is said of it once, and what is remembered. */
import { assertEquals } from "@std/assert";
import { errorsOf, withCycles } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";

const A = mapping("A", "T");

Deno.test("somebody whose email was a stranger's login is tried again after they were out of all groups for a hundred readings", () =>
  withCycles({ mappings: [A], sync: { incremental: false } }, async ({ world, cycle }) => {
    const stranger = world.grafana.state.addUser({
      login: "ann@example.com",
      email: "mallory@example.com",
      orgId: null,
    });
    const ann = world.okta.addUser("ann@example.com");
    const { members } = world.okta.addGroup("A", [ann]);
    assertEquals(errorsOf(await cycle()).length, 1);
    stranger.login = "mallory";
    assertEquals(errorsOf(await cycle()).length, 1, "it is not tried again");
    members.delete(ann);
    for (let i = 0; i < 100; i++) await cycle();
    members.add(ann);
    assertEquals(errorsOf(await cycle()), []);
  }));
