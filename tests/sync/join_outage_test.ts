/** Joining the organisation where Grafana fails, or its answer is lost. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { errorsOf, fits, summary, withCycles } from "./cycle_world.ts";

const A = { okta_group: "A", grafana_team: "T" };
const B = { okta_group: "B", grafana_team: "U" };
const JOIN = /^\/api\/org\/users$/;

for (const status of [500, 429]) {
  Deno.test(`joining stops after three answers ${status}, says how many were not tried, and teams are synced`, () =>
    withCycles({ mappings: [A, B] }, async ({ world, cycle }) => {
      const strangers = Array.from({ length: 200 }, (_, i) => world.okta.addUser(`p${i}@example.com`));
      world.okta.addGroup("A", strangers);
      world.okta.addGroup("B", [world.addPerson("bob@example.com")]);
      const tried = new Set<string>();
      world.grafana.intercept = async (request, proceed) => {
        if (!fits(request, "POST", JOIN)) return await proceed();
        tried.add((await request.clone().json()).loginOrEmail);
        return Response.json({ message: "no" }, { status, headers: { "retry-after": "1" } });
      };
      const report = await cycle();
      assert(tried.size <= 3 + 7, "a few are under way when the third answer comes");
      assertEquals(summary(report), ["A->T: +0 -0, 200 pending, 3 errors", "B->U: +1 -0"]);
      assertMatch(errorsOf(report).at(-1) ?? "", /\(19\d more were not tried\)$/);
    }));
}

Deno.test("when joining stops at one who fails, those who were under way are tried again in the next cycle", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle }) => {
    const outside = ["ann", "bob", "cy", "dee", "eve"].map((name) => {
      world.grafana.state.addUser({ login: name, email: `${name}@example.com`, orgId: null });
      return world.okta.addUser(`${name}@example.com`);
    });
    world.okta.addGroup("A", outside);
    let tries = 0;
    world.grafana.intercept = (request, proceed) =>
      fits(request, "POST", JOIN) && ++tries > 1
        ? Response.json({ message: "Unauthorized" }, { status: 401 })
        : proceed();
    assertEquals(summary(await cycle()), ["A->T: +1 -0, 4 pending, 1 errors"]);
    world.grafana.intercept = undefined;
    assertEquals(summary(await cycle())[0]?.startsWith("A->T: +3 -0"), true, "all but the one who failed");
  }));

Deno.test("somebody whose joining was done but not answered leaves a line in the log", () =>
  withCycles({ mappings: [A] }, async ({ world, cycle, captured }) => {
    world.grafana.state.addUser({ login: "alice", email: "alice@example.com", orgId: null });
    world.okta.addGroup("A", [world.okta.addUser("alice@example.com")]);
    let isLost = false;
    world.grafana.intercept = async (request, proceed) => {
      const answer = await proceed();
      if (isLost || !fits(request, "POST", JOIN)) return answer;
      isLost = true;
      return Response.json({}, { status: 502 });
    };
    assertEquals(summary(await cycle()), ["A->T: +1 -0"]);
    const line = captured.lines().find(({ outcome }) => outcome === "found");
    assertEquals([line?.message, line?.user], [
      "User alice@example.com is in the organisation already: an earlier answer was lost, or someone else added them",
      "alice@example.com",
    ]);
  }));
