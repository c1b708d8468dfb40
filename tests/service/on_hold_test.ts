/** Removals on hold, as the log, `/health` and `/metrics` show them. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mapping } from "../support.ts";
import { fits, refuse, summary, withCycles } from "../sync/cycle_world.ts";
import { emails } from "../sync/fixtures.ts";
import { type Running, withService } from "./running.ts";

Deno.test("another group that fails in the second reading is told again, and is an error of its mapping", () =>
  withCycles(
    { mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "T" }] },
    async ({ world, cycle, messages }) => {
      const people = emails(1, 4).map((email) => world.addPerson(email));
      const a = world.okta.addGroup("A", people.slice(0, 2));
      const b = world.okta.addGroup("B", people.slice(2));
      await cycle();
      for (const user of people.slice(0, 1)) a.members.delete(user);
      const failSecond = (id: string) => {
        let readings = 0;
        world.okta.intercept = (request, proceed) =>
          fits(request, "GET", new RegExp(`/groups/${id}/users`)) && ++readings === 2
            ? Response.json({}, { status: 403 })
            : proceed();
      };
      const holdLines = () => messages().filter((line) => line.includes("on hold")).join("\n");
      failSecond(a.id);
      messages();
      assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 on hold, 1 errors", "B->T: +0 -0"]);
      assertStringIncludes(holdLines(), "Okta group 'A' could not be read to its end");
      failSecond(b.id);
      assertEquals(summary(await cycle()), ["A->T: +0 -0, 1 on hold", "B->T: +0 -0, 1 errors"]);
      const told = holdLines();
      assertMatch(told, /Okta group 'B' could not be read to its end/);
    },
  ));

async function shown(service: Running): Promise<unknown[]> {
  const { sync_status } = await (await fetch(`${service.url}/health`)).json();
  const series = await service.series();
  return [
    sync_status["A->T"].hold_reason,
    series.get('gots_removals_on_hold{grafana_team="T",reason="removal-limit"}'),
  ];
}

Deno.test("/health shows hold_reason, and the gauge keeps its number while the team cannot be compared", () =>
  withService({
    mappings: [mapping("A", "T"), mapping("B", "U")],
    fill(world) {
      const people = emails(1, 10).map((email) => world.addPerson(email));
      world.okta.addGroup("A", people.slice(0, 3));
      world.okta.addGroup("B", people);
      const { members } = world.grafana.state.addTeam("T");
      for (const email of emails(1, 10)) members.set(world.grafana.state.lookUp(email)?.id ?? NaN, 0);
    },
  }, async (service) => {
    await service.cycleEnds();
    assertEquals(await shown(service), ["removal-limit", 7]);
    service.world.okta.intercept = refuse(
      "GET",
      new RegExp(`/groups/${service.world.okta.group("A").id}/users`),
      403,
    );
    for (let i = 0; i < 7; i++) await service.nextCycle();
    assertEquals((await shown(service))[1], 7);
  }));
