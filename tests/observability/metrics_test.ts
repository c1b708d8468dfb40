/** What `/metrics` shows before and after something happened. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createMetrics } from "../../src/observability/metrics.ts";
import { version } from "../../src/version.ts";

const MAPPINGS = [
  { okta_group: "Engineering", grafana_team: "Engineers" },
  { okta_group: "Ops", grafana_team: "Engineers" },
];
const START = Date.UTC(2026, 0, 1);

/** The samples of the metrics, by name and labels. */
async function samples(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const lines = (await metrics.registry.metrics()).split("\n").filter((line) =>
    line && !line.startsWith("#")
  );
  return new Map(lines.map((line) => {
    const blank = line.lastIndexOf(" ");
    return [line.slice(0, blank), Number(line.slice(blank + 1))] as const;
  }));
}

const perMapping = [
  "gots_sync_duration_seconds_count",
  "gots_sync_duration_seconds_sum",
  "gots_users_added_total",
  "gots_users_removed_total",
  "gots_sync_errors_total",
  "gots_last_sync_timestamp",
  "gots_last_sync_success",
  "gots_group_members",
  "gots_team_members",
  "gots_users_pending",
];

for (const name of perMapping) {
  Deno.test(`${name} is there for each mapping from the start, at zero`, async () => {
    const all = await samples(createMetrics(MAPPINGS, START));
    const series = [...all].filter(([key]) => key.startsWith(`${name}{`));
    assertEquals(series, [
      [`${name}{okta_group="Engineering",grafana_team="Engineers"}`, 0],
      [`${name}{okta_group="Ops",grafana_team="Engineers"}`, 0],
    ]);
  });
}

Deno.test("the running version, the start and the memory of the process are there", async () => {
  const all = await samples(createMetrics([], START));
  assertEquals(all.get(`gots_build_info{version="${version}"}`), 1);
  assertEquals(all.get("process_start_time_seconds"), START / 1_000);
  assert((all.get("process_resident_memory_bytes") ?? 0) > 1_000_000);
});

Deno.test("an exchange counts by service, method, route and status, and its duration by the first three", async () => {
  const metrics = createMetrics([], START);
  const exchange = {
    service: "okta",
    method: "GET",
    route: "/api/v1/groups/:id/users",
    status: "200",
    seconds: 0.2,
  };
  metrics.observeExchange(exchange);
  metrics.observeExchange({ ...exchange, status: "timeout", seconds: 0.3 });
  const all = await samples(metrics);
  const labels = 'service="okta",method="GET",route="/api/v1/groups/:id/users"';
  assertEquals(all.get(`gots_api_requests_total{${labels},status="200"}`), 1);
  assertEquals(all.get(`gots_api_requests_total{${labels},status="timeout"}`), 1);
  assertEquals(all.get(`gots_api_request_duration_seconds_count{${labels}}`), 2);
  assertEquals(all.get(`gots_api_request_duration_seconds_sum{${labels}}`), 0.5);
});

Deno.test("a first sync that waits for a rate limit still falls into a bucket", async () => {
  const metrics = createMetrics([], START);
  metrics.syncDuration.observe({ okta_group: "A", grafana_team: "T" }, 299);
  assertEquals(
    (await samples(metrics)).get(
      'gots_sync_duration_seconds_bucket{le="300",okta_group="A",grafana_team="T"}',
    ),
    1,
  );
});

Deno.test("whatever a group is called, it stays inside its label", async () => {
  const metrics = createMetrics(
    [{ okta_group: 'a"} 1\ngots_forged{x="\\', grafana_team: "T" }],
    START,
  );
  const text = await metrics.registry.metrics();
  assertStringIncludes(text, String.raw`okta_group="a\"} 1\ngots_forged{x=\"\\",grafana_team="T"} 0`);
  assert(!/^gots_forged/m.test(text));
});

Deno.test("two sets of metrics do not know each other", async () => {
  const [one, other] = [createMetrics(MAPPINGS, START), createMetrics(MAPPINGS, START)];
  one.usersAdded.inc({ okta_group: "Ops", grafana_team: "Engineers" }, 3);
  const name = 'gots_users_added_total{okta_group="Ops",grafana_team="Engineers"}';
  assertEquals([(await samples(one)).get(name), (await samples(other)).get(name)], [3, 0]);
});

Deno.test("every metric has words for what it is", async () => {
  const text = await createMetrics(MAPPINGS, START).registry.metrics();
  for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) {
    assertMatch(text, new RegExp(`^# HELP ${name} \\S`, "m"));
  }
});
