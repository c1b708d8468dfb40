/** What `/metrics` shows before and after something happened. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { version } from "../../src/version.ts";
import { BEGIN, cycleReport, mapping, mappingReport, toldService } from "../service/fixtures.ts";

const MAPPINGS = [
  mapping("Engineering", "Engineers"),
  mapping("Ops", "Engineers"),
] as const;

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
    const all = await toldService(MAPPINGS).series();
    const series = [...all].filter(([key]) => key.startsWith(`${name}{`));
    assertEquals(series, [
      [`${name}{okta_group="Engineering",grafana_team="Engineers"}`, 0],
      [`${name}{okta_group="Ops",grafana_team="Engineers"}`, 0],
    ]);
  });
}

Deno.test("the running version, the start and the memory of the process are there", async () => {
  const all = await toldService([]).series();
  assertEquals(all.get(`gots_build_info{version="${version}"}`), 1);
  assertEquals(all.get("process_start_time_seconds"), BEGIN / 1_000);
  assert((all.get("process_resident_memory_bytes") ?? 0) > 1_000_000);
});

Deno.test("an exchange counts by service, method, route and status, and its duration by the first three", async () => {
  const service = toldService([]);
  const exchange = {
    service: "okta",
    method: "GET",
    route: "/api/v1/groups/:id/users",
    status: "200",
    seconds: 0.2,
  };
  service.tell({ kind: "exchange", exchange: exchange });
  service.tell({ kind: "exchange", exchange: { ...exchange, status: "timeout", seconds: 0.3 } });
  const all = await service.series();
  const labels = 'service="okta",method="GET",route="/api/v1/groups/:id/users"';
  assertEquals(all.get(`gots_api_requests_total{${labels},status="200"}`), 1);
  assertEquals(all.get(`gots_api_requests_total{${labels},status="timeout"}`), 1);
  assertEquals(all.get(`gots_api_request_duration_seconds_count{${labels}}`), 2);
  assertEquals(all.get(`gots_api_request_duration_seconds_sum{${labels}}`), 0.5);
});

const EXCHANGE = { service: "okta", method: "GET", route: "/api/v1/groups", status: "200", seconds: 0.1 };

Deno.test("a credential counts as accepted until an answer refuses it, and again after one that takes it", async () => {
  const service = toldService([]);
  const accepted = async () => (await service.series()).get('gots_credential_accepted{service="okta"}');
  const seen = [await accepted()];
  for (const status of ["200", "401", "500", "timeout", "200", "401", "404", "401", "403"]) {
    service.tell({ kind: "exchange", exchange: { ...EXCHANGE, status } });
    seen.push(await accepted());
  }
  assertEquals(seen, [1, 1, 0, 0, 0, 1, 0, 1, 0, 1]);
});

Deno.test("a credential that was refused is not held against a service that was not asked since", async () => {
  const service = toldService([]);
  const accepted = async () => (await service.series()).get('gots_credential_accepted{service="okta"}');
  service.tell({ kind: "exchange", exchange: { ...EXCHANGE, status: "401" } });
  service.tell({ kind: "cycle ended", report: cycleReport() });
  assertEquals(await accepted(), 0, "it was asked in this cycle");
  service.tell({ kind: "exchange", exchange: { ...EXCHANGE, service: "grafana" } });
  service.tell({ kind: "cycle ended", report: cycleReport() });
  assertEquals(await accepted(), 1, "it was not asked in the next one");
});

Deno.test("a 401 of a proxy in front of a service says nothing about the credential, and neither does its sign-in page", async () => {
  const service = toldService([]);
  const accepted = async () => (await service.series()).get('gots_credential_accepted{service="okta"}');
  service.tell({ kind: "exchange", exchange: { ...EXCHANGE, status: "401", isStranger: true } });
  assertEquals(await accepted(), 1);
  service.tell({ kind: "exchange", exchange: { ...EXCHANGE, status: "401" } });
  service.tell({ kind: "exchange", exchange: { ...EXCHANGE, status: "200", isStranger: true } });
  assertEquals(await accepted(), 0);
});

Deno.test("an authorization server that gives no access token refuses the credential", async () => {
  const service = toldService([]);
  service.tell({
    kind: "exchange",
    exchange: { ...EXCHANGE, method: "POST", route: "/oauth2/v1/token", status: "400" },
  });
  const all = await service.series();
  assertEquals(all.get('gots_credential_accepted{service="okta"}'), 0);
  assertEquals(all.get('gots_credential_accepted{service="grafana"}'), 1);
});

Deno.test("the offset of a service's clock is that of its last answer that had a date", async () => {
  const service = toldService([]);
  service.tell({ kind: "exchange", exchange: { ...EXCHANGE, clockOffsetSeconds: -90 } });
  service.tell({ kind: "exchange", exchange: EXCHANGE });
  assertEquals((await service.series()).get('gots_clock_offset_seconds{service="okta"}'), -90);
});

Deno.test("a first sync that waits for a rate limit still falls into a bucket", async () => {
  const service = toldService(MAPPINGS);
  service.tell({ kind: "mapping ended", report: mappingReport(MAPPINGS[0], { durationSeconds: 299 }) });
  assertEquals(
    (await service.series()).get(
      'gots_sync_duration_seconds_bucket{le="300",okta_group="Engineering",grafana_team="Engineers"}',
    ),
    1,
  );
});

Deno.test("whatever a group is called, it stays inside its label", async () => {
  const service = toldService([mapping('a"} 1\ngots_forged{x="\\', "T")]);
  const text = await service.metrics.registry.metrics();
  assertStringIncludes(text, String.raw`okta_group="a\"} 1\ngots_forged{x=\"\\",grafana_team="T"} 0`);
  assert(!/^gots_forged/m.test(text));
});

Deno.test("two sets of metrics do not know each other", async () => {
  const [one, other] = [
    toldService(MAPPINGS),
    toldService(MAPPINGS),
  ];
  const [, ops] = MAPPINGS;
  one.tell({ kind: "mapping ended", report: mappingReport(ops, { added: 3 }) });
  const name = 'gots_users_added_total{okta_group="Ops",grafana_team="Engineers"}';
  assertEquals([(await one.series()).get(name), (await other.series()).get(name)], [3, 0]);
});

Deno.test("every metric has words for what it is", async () => {
  const text = await toldService(MAPPINGS).metrics.registry.metrics();
  for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) {
    assertMatch(text, new RegExp(`^# HELP ${name} \\S`, "m"));
  }
});
