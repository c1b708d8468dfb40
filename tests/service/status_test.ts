import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { MappingReport } from "../../src/sync/tell/report.ts";
import { version } from "../../src/version.ts";
import {
  BEGIN,
  cycleReport,
  exchange,
  mapping,
  mappingReport,
  type ToldService,
  toldService,
} from "./fixtures.ts";

const ENGINEERS = mapping("Engineering", "Engineers");
const SCIENTISTS = mapping("Data Science", "Data Scientists");

/** A service that began at {@linkcode BEGIN}. */
function started({ intervalSeconds = 300, dryRun = false } = {}) {
  return toldService([ENGINEERS, SCIENTISTS], { intervalSeconds, dryRun });
}

/** The word and the sentence. */
function said({ health }: ToldService): string[] {
  const { status: word, message } = health();
  return [word, message];
}

/** Ends a cycle in which the first mapping went so, and the second one well. */
function endCycle({ tell }: ToldService, details: Partial<MappingReport> = {}): void {
  const reports = [mappingReport(ENGINEERS, details), mappingReport(SCIENTISTS)];
  for (const report of reports) tell({ kind: "mapping ended", report });
  tell({ kind: "cycle ended", report: cycleReport(...reports) });
}

Deno.test("a service that has just begun is healthy but not ready, and every mapping waits", () => {
  const service = started();
  assertEquals(service.isReady(), false);
  assertEquals(service.health(), {
    status: "healthy",
    message: "the first cycle has not ended yet",
    version,
    timestamp: "2026-01-01T00:00:00.000Z",
    uptime_seconds: 0,
    dry_run: false,
    last_cycle: null,
    next_cycle_at: null,
    sync_status: {
      "Engineering->Engineers": { status: "waiting" },
      "Data Science->Data Scientists": { status: "waiting" },
    },
  });
});

Deno.test("after a cycle the status tells of each mapping in GOTS's names, by group and team", () => {
  const service = started();
  const { clock } = service;
  clock.now += 61_400;
  service.tell({ kind: "next cycle", due: BEGIN + 300_000 });
  endCycle(service, { added: 2, removed: 1, pending: 3, endedAt: BEGIN + 900 });
  const health = service.health();
  assertEquals(service.isReady(), true);
  assertEquals([health.status, health.message], ["healthy", "all teams are in sync"]);
  assertEquals([health.uptime_seconds, health.next_cycle_at], [61, "2026-01-01T00:05:00.000Z"]);
  assertEquals(health.last_cycle, {
    cycle: 1,
    started_at: "2026-01-01T00:00:00.000Z",
    ended_at: "2026-01-01T00:00:01.000Z",
  });
  assertEquals(Object.keys(health.sync_status), ["Engineering->Engineers", "Data Science->Data Scientists"]);
  assertEquals(health.sync_status["Engineering->Engineers"], {
    status: "completed",
    completed_at: "2026-01-01T00:00:00.900Z",
    duration_seconds: 0.5,
    users_added: 2,
    users_removed: 1,
    users_pending: 3,
    removals_on_hold: 0,
    errors: 0,
  });
});

Deno.test("a dry run says that nothing is written", () => {
  const service = started({ dryRun: true });
  endCycle(service);
  const { message, dry_run } = service.health();
  assertEquals([message, dry_run], ["dry run: nothing is written", true]);
});

const FAILURES: readonly (readonly [
  what: string,
  details: Partial<MappingReport>,
  message: string,
  mappingStatus: string,
])[] = [
  ["an error", { errors: [{ message: "Group not found" }] }, "failed in their last sync", "failed"],
  [
    "a removal on hold",
    { onHold: 2, holdReason: "empty-group" },
    "waiting for your decision",
    "on_hold",
  ],
  [
    "a removal that nothing proves",
    { onHold: 2, holdReason: "incomplete-read" },
    "on hold until their groups can be read",
    "on_hold",
  ],
];

for (const [what, details, message, mappingStatus] of FAILURES) {
  Deno.test(`${what} makes the service degraded and names the mapping, until its next sync goes well`, () => {
    const service = started();
    endCycle(service, details);
    const health = service.health();
    assertEquals(health.status, "degraded");
    assertEquals(
      health.message,
      `1 of 2 mappings ${message} (Engineering->Engineers): see the log`,
    );
    assertEquals(health.sync_status["Engineering->Engineers"]?.status, mappingStatus);
    assertEquals(health.sync_status["Data Science->Data Scientists"]?.status, "completed");
    assertEquals(service.isReady(), true);
    endCycle(service);
    assertEquals(service.health().status, "healthy");
  });
}

Deno.test("one that failed and two that wait for a decision are not three that failed", () => {
  const names = ["A", "B", "C", "D"];
  const mappings = names.map((name) => mapping(name, `T${name}`));
  const service = toldService(mappings);
  const held = { onHold: 1, holdReason: "removal-limit" } as const;
  const details = [{ errors: [{ message: "no" }] }, held, held, {}];
  for (const [i, one] of mappings.entries()) {
    service.tell({ kind: "mapping ended", report: mappingReport(one, details[i]) });
  }
  assertEquals(
    service.health().message,
    "1 of 4 mappings failed in their last sync (A->TA), 2 waiting for your decision (B->TB, C->TC): see the log",
  );
});

Deno.test("pending users are no failure", () => {
  const service = started();
  endCycle(service, { pending: 5 });
  assertEquals(service.health().status, "healthy");
});

Deno.test("the last error that concerns nobody in particular is shown", () => {
  const service = started();
  endCycle(service, {
    errors: [{ message: "first" }, { message: "could not add ann@example.com: no", user: "ann@example.com" }],
  });
  const shown = service.health().sync_status["Engineering->Engineers"];
  assertEquals([shown?.errors, shown?.last_error], [2, "first"]);
});

Deno.test("an error about a person shows neither their address nor what was said of them", () => {
  const service = started();
  endCycle(service, {
    errors: [{ message: "could not add ann@example.com: no", user: "ann@example.com" }],
  });
  const health = service.health();
  assertEquals(
    health.sync_status["Engineering->Engineers"]?.last_error,
    "changes of some users failed; the log names them",
  );
  assertEquals(JSON.stringify(health).includes("ann@example.com"), false);
});

const STUCK_AFTER: readonly [intervalSeconds: number, minutes: number][] = [
  [60, 10],
  [200, 10],
  [300, 15],
  [3_600, 180],
];

for (const [intervalSeconds, minutes] of STUCK_AFTER) {
  Deno.test(`at an interval of ${intervalSeconds} s the service is stuck after ${minutes} minutes without progress`, () => {
    const service = started({ intervalSeconds });
    const { clock } = service;
    endCycle(service);
    clock.now += minutes * 60_000 - 1;
    assertNotEquals(service.health().status, "unhealthy");
    clock.now += 1;
    const { status: word, message } = service.health();
    assertEquals(word, "unhealthy");
    assertMatch(message, new RegExp(`^no progress for ${minutes} minutes: restart gots`));
  });
}

Deno.test("an answer, a wait and the end of a cycle are progress; that a next cycle was announced is none", () => {
  const service = started();
  const { clock } = service;
  for (const progress of [() => service.tell({ kind: "progress" }), () => endCycle(service)]) {
    clock.now += 15 * 60_000;
    assertEquals(service.health().status, "unhealthy");
    service.tell({ kind: "next cycle", due: clock.now + 300_000 });
    assertEquals(service.health().status, "unhealthy", "an announced cycle is a promise only");
    progress();
    assertNotEquals(service.health().status, "unhealthy");
  }
});

const OVERDUE_AFTER: readonly [intervalSeconds: number, minutes: number][] = [[60, 10], [300, 10], [
  3_600,
  120,
]];

for (const [intervalSeconds, minutes] of OVERDUE_AFTER) {
  Deno.test(`at an interval of ${intervalSeconds} s the service is degraded when no cycle has ended for ${minutes} minutes, whatever moves`, () => {
    const service = started({ intervalSeconds });
    const { clock } = service;
    clock.now += 1_000;
    endCycle(service);
    clock.now += minutes * 60_000 - 1;
    service.tell({ kind: "progress" });
    assertEquals(service.health().status, "healthy", "what counts is when the cycle ended");
    clock.now += 1;
    assertEquals(said(service), ["degraded", `no cycle has ended for ${minutes} minutes: see the log`]);
    service.tell({ kind: "wait", service: "okta", seconds: 62 });
    assertEquals(
      service.health().message,
      `no cycle has ended for ${minutes} minutes: it waits 62 s for the rate limit of Okta`,
    );
    service.tell({ kind: "cycle ended", report: { ...cycleReport(), endedAt: clock.now } });
    clock.now += 62_000;
    assertEquals(service.health().message, "all teams are in sync");
  });
}

Deno.test("a wait for a rate limit is said as long as it lasts, and is no fault", () => {
  const service = started();
  const { clock } = service;
  service.tell({ kind: "wait", service: "okta", seconds: 62 });
  assertEquals(said(service), [
    "healthy",
    "the first cycle has not ended yet; it waits 62 s for the rate limit of Okta",
  ]);
  endCycle(service);
  clock.now += 42_000;
  service.tell({ kind: "wait", service: "okta", seconds: 60 });
  assertEquals(said(service), [
    "healthy",
    "all teams are in sync; it waits 60 s for the rate limit of Okta",
  ]);
  clock.now += 60_000;
  assertEquals(said(service), ["healthy", "all teams are in sync"]);
});

Deno.test("requests that wait side by side wait once, each service by itself, and nothing waits after a cycle", async () => {
  const service = started();
  const message = () => service.health().message.split("; ")[1];
  for (let i = 0; i < 8; i++) service.tell({ kind: "wait", service: "okta", seconds: 30 });
  service.tell({ kind: "wait", service: "grafana", seconds: 10 });
  const series = await service.series();
  const waited = ["okta", "grafana"].map((name) =>
    series.get(`gots_rate_limit_wait_seconds_total{service="${name}"}`)
  );
  assertEquals([waited, message()], [[30, 10], "it waits 30 s for the rate limit of Okta"]);
  endCycle(service);
  assertEquals(message(), undefined);
  assertEquals(service.board().last_cycle?.traffic.map((one) => one.waited_seconds), [10, 30]);
});

Deno.test("where every mapping failed for the same reason, the reason is said, with what to do", () => {
  const service = started();
  const [reason, other] = ["cannot connect: check the address", "Group not found: Data Science"];
  const fail = (message: string) => ({ errors: [{ message }] });
  endCycle(service, fail(reason));
  service.tell({ kind: "mapping ended", report: mappingReport(SCIENTISTS, fail(reason)) });
  assertEquals(said(service), [
    "failing",
    `nothing is synced, 2 of 2 mappings failed in their last sync: ${reason}`,
  ]);
  service.tell({ kind: "mapping ended", report: mappingReport(SCIENTISTS, fail(other)) });
  assertMatch(
    service.health().message,
    /\(Engineering->Engineers, Data Science->Data Scientists\): see the log$/,
  );
});

Deno.test("what failed for everybody because of single people is not said where everybody may look", () => {
  const service = started();
  const errors = [{ message: "could not add ann@example.com: no", user: "ann@example.com" }];
  endCycle(service, { errors });
  service.tell({ kind: "mapping ended", report: mappingReport(SCIENTISTS, { errors }) });
  assertMatch(said(service).join(": "), /^degraded: 2 of 2 .*\): see the log$/);
  endCycle(service, { errors, gaveUp: true });
  service.tell({ kind: "mapping ended", report: mappingReport(SCIENTISTS, { errors, gaveUp: true }) });
  assertMatch(said(service).join(": "), /^failing: nothing is synced, 2 of 2 .*\): see the log$/);
});

Deno.test("a clock that is off degrades the service until it is right, unless there is something worse to say", () => {
  const service = started();
  endCycle(service);
  service.tell(exchange("okta", 240));
  const behind = "this machine is 240 s behind Okta: correct its clock, for example with NTP";
  assertEquals(said(service), ["degraded", behind]);
  endCycle(service, { errors: [{ message: "no" }] });
  assertMatch(service.health().message, /^1 of 2 mappings failed/);
  endCycle(service);
  service.tell(exchange("okta", 0));
  assertEquals(service.health().status, "healthy");
});

Deno.test("a service that is stuck is unhealthy, whatever failed before", () => {
  const service = started();
  const { clock } = service;
  endCycle(service, { onHold: 1 });
  clock.now += 3_600_000;
  assertEquals(service.health().status, "unhealthy");
  assertStringIncludes(service.health().message, "60 minutes");
});

Deno.test("a first cycle that does not move is stuck as well", () => {
  const service = started();
  const { clock } = service;
  clock.now += 15 * 60_000;
  assertEquals([service.health().status, service.isReady()], ["unhealthy", false]);
});

Deno.test("a cycle that was aborted is degraded, until one ends", () => {
  const service = started();
  service.tell({ kind: "cycle aborted" });
  assertEquals(service.health().status, "degraded");
  assertEquals(service.health().message, "the last cycle was aborted: see the log");
  endCycle(service);
  assertEquals(service.health().status, "healthy");
});

Deno.test("two mappings that read alike do not hide each other", () => {
  const [failed, fine] = [mapping("a->b", "c"), mapping("a", "b->c")];
  const service = toldService([failed, fine]);
  service.tell({ kind: "mapping ended", report: mappingReport(failed, { errors: [{ message: "no" }] }) });
  service.tell({ kind: "mapping ended", report: mappingReport(fine) });
  assertEquals(service.health().status, "degraded");
});

Deno.test("a credential that cannot be renewed degrades the service until it can", () => {
  const service = started();
  endCycle(service);
  service.tell({
    kind: "credential",
    problem: "Okta's access token could not be renewed; the current one is valid until later: no",
  });
  assertEquals([service.health().status, service.health().message], [
    "degraded",
    "Okta's access token could not be renewed; the current one is valid until later: no",
  ]);
  service.tell({ kind: "credential", problem: undefined });
  assertEquals(service.health().status, "healthy");
});
