import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { createStatus, type Status } from "../../src/service/status.ts";
import type { MappingReport } from "../../src/sync/tell/report.ts";
import { version } from "../../src/version.ts";
import { BEGIN, cycleReport, mapping, mappingReport } from "./fixtures.ts";

const ENGINEERS = mapping("Engineering", "Engineers");
const SCIENTISTS = mapping("Data Science", "Data Scientists");

/** The status of a service that began at {@linkcode BEGIN}, and its clock. */
function started({ intervalSeconds = 300, dryRun = false } = {}) {
  const clock = { now: BEGIN };
  const mappings = [ENGINEERS, SCIENTISTS];
  return {
    clock,
    status: createStatus({
      mappings,
      intervalSeconds,
      dryRun,
      now: () => clock.now,
      monotonic: () => clock.now,
    }),
  };
}

/** The word and the sentence. */
function said(status: Status): string[] {
  const { status: word, message } = status.health();
  return [word, message];
}

/** Ends a cycle in which the first mapping went so, and the second one well. */
function endCycle(status: Status, details: Partial<MappingReport> = {}): void {
  const reports = [mappingReport(ENGINEERS, details), mappingReport(SCIENTISTS)];
  reports.forEach(status.mappingEnded);
  status.cycleEnded(cycleReport(...reports));
}

Deno.test("a service that has just begun is healthy but not ready, and every mapping waits", () => {
  const { status } = started();
  assertEquals(status.isReady(), false);
  assertEquals(status.health(), {
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
  const { status, clock } = started();
  clock.now += 61_400;
  status.nextCycleAt(BEGIN + 300_000);
  endCycle(status, { added: 2, removed: 1, pending: 3, endedAt: BEGIN + 900 });
  const health = status.health();
  assertEquals(status.isReady(), true);
  assertEquals([health.status, health.message], ["healthy", "teams equal their groups"]);
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
  const { status } = started({ dryRun: true });
  endCycle(status);
  const { message, dry_run } = status.health();
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
    const { status } = started();
    endCycle(status, details);
    const health = status.health();
    assertEquals(health.status, "degraded");
    assertEquals(
      health.message,
      `1 of 2 mappings ${message} (Engineering->Engineers): see the log`,
    );
    assertEquals(health.sync_status["Engineering->Engineers"]?.status, mappingStatus);
    assertEquals(health.sync_status["Data Science->Data Scientists"]?.status, "completed");
    assertEquals(status.isReady(), true);
    endCycle(status);
    assertEquals(status.health().status, "healthy");
  });
}

Deno.test("one that failed and two that wait for a decision are not three that failed", () => {
  const names = ["A", "B", "C", "D"];
  const mappings = names.map((name) => mapping(name, `T${name}`));
  const status = createStatus({
    mappings,
    intervalSeconds: 300,
    dryRun: false,
    now: () => BEGIN,
    monotonic: () => BEGIN,
  });
  const held = { onHold: 1, holdReason: "removal-limit" } as const;
  const details = [{ errors: [{ message: "no" }] }, held, held, {}];
  for (const [i, one] of mappings.entries()) status.mappingEnded(mappingReport(one, details[i]));
  assertEquals(
    status.health().message,
    "1 of 4 mappings failed in their last sync (A->TA), 2 waiting for your decision (B->TB, C->TC): see the log",
  );
});

Deno.test("pending users are no failure", () => {
  const { status } = started();
  endCycle(status, { pending: 5 });
  assertEquals(status.health().status, "healthy");
});

Deno.test("the last error that concerns unknown is shown", () => {
  const { status } = started();
  endCycle(status, {
    errors: [{ message: "first" }, { message: "could not add ann@example.com: no", user: "ann@example.com" }],
  });
  const shown = status.health().sync_status["Engineering->Engineers"];
  assertEquals([shown?.errors, shown?.last_error], [2, "first"]);
});

Deno.test("an error about a person shows neither their address nor what was said of them", () => {
  const { status } = started();
  endCycle(status, {
    errors: [{ message: "could not add ann@example.com: no", user: "ann@example.com" }],
  });
  const health = status.health();
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
    const { status, clock } = started({ intervalSeconds });
    endCycle(status);
    clock.now += minutes * 60_000 - 1;
    assertNotEquals(status.health().status, "unhealthy");
    clock.now += 1;
    const { status: word, message } = status.health();
    assertEquals(word, "unhealthy");
    assertMatch(message, new RegExp(`^no progress for ${minutes} minutes: restart gots`));
  });
}

Deno.test("an answer, a wait and the end of a cycle are progress; that a next cycle was announced is none", () => {
  const { status, clock } = started();
  for (const progress of [status.progress, () => endCycle(status)]) {
    clock.now += 15 * 60_000;
    assertEquals(status.health().status, "unhealthy");
    status.nextCycleAt(clock.now + 300_000);
    assertEquals(status.health().status, "unhealthy", "an announced cycle is a promise only");
    progress();
    assertNotEquals(status.health().status, "unhealthy");
  }
});

const OVERDUE_AFTER: readonly [intervalSeconds: number, minutes: number][] = [[60, 10], [300, 10], [
  3_600,
  120,
]];

for (const [intervalSeconds, minutes] of OVERDUE_AFTER) {
  Deno.test(`at an interval of ${intervalSeconds} s the service is degraded when no cycle has ended for ${minutes} minutes, whatever moves`, () => {
    const { status, clock } = started({ intervalSeconds });
    clock.now += 1_000;
    endCycle(status);
    clock.now += minutes * 60_000 - 1;
    status.progress();
    assertEquals(status.health().status, "healthy", "what counts is when the cycle ended");
    clock.now += 1;
    assertEquals(said(status), ["degraded", `no cycle has ended for ${minutes} minutes: see the log`]);
    status.wait("okta", 62);
    assertEquals(
      status.health().message,
      `no cycle has ended for ${minutes} minutes: it waits 62 s for the rate limit of Okta`,
    );
    status.cycleEnded({ ...cycleReport(), endedAt: clock.now });
    clock.now += 62_000;
    assertEquals(status.health().message, "teams equal their groups");
  });
}

Deno.test("a wait for a rate limit is said as long as it lasts, and is no fault", () => {
  const { status, clock } = started();
  status.wait("okta", 62);
  assertEquals(said(status), [
    "healthy",
    "the first cycle has not ended yet; it waits 62 s for the rate limit of Okta",
  ]);
  endCycle(status);
  clock.now += 42_000;
  status.wait("okta", 60);
  assertEquals(said(status), [
    "healthy",
    "teams equal their groups; it waits 60 s for the rate limit of Okta",
  ]);
  clock.now += 60_000;
  assertEquals(said(status), ["healthy", "teams equal their groups"]);
});

Deno.test("requests that wait side by side wait once, each service by itself, and nothing waits after a cycle", () => {
  const { status } = started();
  const message = () => status.health().message.split("; ")[1];
  const longer = Array.from({ length: 8 }, () => status.wait("okta", 30));
  assertEquals(longer, [30, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals([status.wait("grafana", 10), message()], [10, "it waits 30 s for the rate limit of Okta"]);
  endCycle(status);
  assertEquals(message(), undefined);
});

Deno.test("where every mapping failed for the same reason, the reason is said, with what to do", () => {
  const { status } = started();
  const [reason, other] = ["cannot connect: check the address", "Group not found: Data Science"];
  const fail = (message: string) => ({ errors: [{ message }] });
  endCycle(status, fail(reason));
  status.mappingEnded(mappingReport(SCIENTISTS, fail(reason)));
  assertEquals(said(status), [
    "failing",
    `nothing is synced, 2 of 2 mappings failed in their last sync: ${reason}`,
  ]);
  status.mappingEnded(mappingReport(SCIENTISTS, fail(other)));
  assertMatch(
    status.health().message,
    /\(Engineering->Engineers, Data Science->Data Scientists\): see the log$/,
  );
});

Deno.test("what failed for everybody because of single people is not said where everybody may look", () => {
  const { status } = started();
  const errors = [{ message: "could not add ann@example.com: no", user: "ann@example.com" }];
  endCycle(status, { errors });
  status.mappingEnded(mappingReport(SCIENTISTS, { errors }));
  assertMatch(said(status).join(": "), /^degraded: 2 of 2 .*\): see the log$/);
  endCycle(status, { errors, gaveUp: true });
  status.mappingEnded(mappingReport(SCIENTISTS, { errors, gaveUp: true }));
  assertMatch(said(status).join(": "), /^failing: nothing is synced, 2 of 2 .*\): see the log$/);
});

Deno.test("a clock that is off degrades the service until it is right, unless there is something worse to say", () => {
  const { status } = started();
  endCycle(status);
  status.clock("this machine is 240 s behind Okta");
  assertEquals(said(status), ["degraded", "this machine is 240 s behind Okta"]);
  endCycle(status, { errors: [{ message: "no" }] });
  assertMatch(status.health().message, /^1 of 2 mappings failed/);
  endCycle(status);
  status.clock(undefined);
  assertEquals(status.health().status, "healthy");
});

Deno.test("a service that is stuck is unhealthy, whatever failed before", () => {
  const { status, clock } = started();
  endCycle(status, { onHold: 1 });
  clock.now += 3_600_000;
  assertEquals(status.health().status, "unhealthy");
  assertStringIncludes(status.health().message, "60 minutes");
});

Deno.test("a first cycle that does not move is stuck as well", () => {
  const { status, clock } = started();
  clock.now += 15 * 60_000;
  assertEquals([status.health().status, status.isReady()], ["unhealthy", false]);
});

Deno.test("a cycle that was aborted is degraded, until one ends", () => {
  const { status } = started();
  status.cycleBroke();
  assertEquals(status.health().status, "degraded");
  assertEquals(status.health().message, "the last cycle was aborted: see the log");
  endCycle(status);
  assertEquals(status.health().status, "healthy");
});

Deno.test("two mappings that read alike do not hide each other", () => {
  const [failed, fine] = [mapping("a->b", "c"), mapping("a", "b->c")];
  const status = createStatus({
    mappings: [failed, fine],
    intervalSeconds: 300,
    dryRun: false,
    now: () => BEGIN,
    monotonic: () => BEGIN,
  });
  status.mappingEnded(mappingReport(failed, { errors: [{ message: "no" }] }));
  status.mappingEnded(mappingReport(fine));
  assertEquals(status.health().status, "degraded");
});

Deno.test("a credential that cannot be renewed degrades the service until it can", () => {
  const { status } = started();
  endCycle(status);
  status.credential("Okta's access token could not be renewed; the current one is valid until later: no");
  assertEquals([status.health().status, status.health().message], [
    "degraded",
    "Okta's access token could not be renewed; the current one is valid until later: no",
  ]);
  status.credential(undefined);
  assertEquals(status.health().status, "healthy");
});
