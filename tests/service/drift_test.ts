/** What the metrics tell of teams that do not equal their groups, and for how long. */
import { assertEquals } from "@std/assert";
import type { World } from "../../src/simulation/world.ts";
import { mapping } from "./fixtures.ts";
import { INTERVAL_SECONDS, type Running, withService } from "./running.ts";

const MAPPINGS = [mapping("A", "T")];
const LABELS = '{okta_group="A",grafana_team="T"}';
const START = Date.UTC(2026, 0, 1) / 1_000;

/** Alice belongs into team T, in which Carol is. */
function fill(world: World): void {
  world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
  const carol = world.grafana.state.addUser({ login: "carol", email: "carol@example.com" });
  world.grafana.state.addTeam("T").members.set(carol.id, 0);
}

/** Additions and removals that are left, the age of the drift, and when the team was in sync. */
async function drift({ series }: Running): Promise<(number | undefined)[]> {
  const metrics = await series();
  return [
    metrics.get('gots_drift_members{grafana_team="T",change="add"}'),
    metrics.get('gots_drift_members{grafana_team="T",change="remove"}'),
    metrics.get(`gots_drift_oldest_seconds${LABELS}`),
    metrics.get(`gots_last_in_sync_timestamp_seconds${LABELS}`),
  ];
}

Deno.test("a team that a cycle brought in sync has no drift, and was in sync when that cycle began", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    await running.cycleEnds();
    assertEquals(await drift(running), [0, 0, 0, START]);
    await running.nextCycle();
    assertEquals(await drift(running), [0, 0, 0, START + INTERVAL_SECONDS]);
  }));

Deno.test("the drift that a dry run finds is there and gets older", () =>
  withService({ mappings: MAPPINGS, fill, dryRun: true }, async (running) => {
    await running.cycleEnds();
    assertEquals(await drift(running), [1, 1, 0, START]);
    await running.nextCycle();
    assertEquals(await drift(running), [1, 1, INTERVAL_SECONDS, START]);
    assertEquals((await running.series()).get("gots_dry_run"), 1);
  }));

Deno.test("a removal that is on hold, or an addition that fails, is drift until it is done", () =>
  withService({ mappings: MAPPINGS, fill }, async (running) => {
    const { world } = running;
    await running.cycleEnds();
    world.okta.group("A").members.clear();
    await running.nextCycle();
    assertEquals(await drift(running), [0, 1, INTERVAL_SECONDS, START]);
    world.okta.group("A").members.add(world.addPerson("bob@example.com"));
    await running.nextCycle();
    assertEquals(await drift(running), [0, 0, 0, START + 2 * INTERVAL_SECONDS]);
  }));

Deno.test("a cycle counts by its end and its kind", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ world, cycleEnds, nextCycle, series }) => {
    await cycleEnds();
    await nextCycle();
    world.okta.intercept = () => new Response("", { status: 400 });
    await nextCycle();
    const metrics = await series();
    assertEquals(metrics.get('gots_cycles_total{result="success"}'), 2);
    assertEquals(metrics.get('gots_cycles_total{result="failure"}'), 1);
    assertEquals(metrics.get('gots_cycle_duration_seconds_count{kind="full"}'), 2);
    assertEquals(metrics.get('gots_cycle_duration_seconds_count{kind="incremental"}'), 1);
    assertEquals(metrics.get("gots_last_cycle_timestamp_seconds"), START + 2 * INTERVAL_SECONDS);
    assertEquals(metrics.get("gots_sync_interval_seconds"), INTERVAL_SECONDS);
  }));

Deno.test("what is left of Okta's rate limit is shown by family", () =>
  withService({ mappings: MAPPINGS, fill }, async ({ cycleEnds, nextCycle, series }) => {
    await cycleEnds();
    await nextCycle();
    const metrics = await series();
    const left = (family: string) =>
      metrics.get(`gots_rate_limit_remaining{service="okta",family="${family}"}`);
    const limit = metrics.get('gots_rate_limit_limit{service="okta",family="groups"}') ?? 0;
    assertEquals([(left("groups") ?? 0) > 0, (left("groups") ?? 0) < limit, left("users") !== undefined], [
      true,
      true,
      true,
    ]);
    assertEquals(metrics.get('gots_rate_limit_wait_seconds_total{service="okta"}'), 0);
  }));
