/** The service's state follows from what happened, and not from the order in which it was told. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { figuresOf } from "../../src/service/figures.ts";
import type { Happening, Moment, News } from "../../src/service/happening.ts";
import { healthOf } from "../../src/service/health.ts";
import { boardOf } from "../../src/service/show.ts";
import { beginState, reduce, type ServiceState } from "../../src/service/state.ts";
import type { CycleReport } from "../../src/sync/tell/report.ts";
import { keyOfMapping } from "../../src/sync/plan/desired.ts";
import { freeze } from "../frozen.ts";
import { BEGIN, cycleReport, exchange, mapping, mappingReport, toldService } from "./fixtures.ts";

const [A, B, C] = [mapping("A", "T"), mapping("B", "T"), mapping("C", "U")];
const START: Moment = { at: BEGIN, monotonic: 0 };
const END: Moment = { at: BEGIN + 90_000, monotonic: 90_000 };
/** Between the two marks of progress, and the time without any after which a service is stuck. */
const LATE: Moment = { at: BEGIN + 900_450, monotonic: 900_450 };
const SETTINGS = { intervalSeconds: 300, dryRun: false, showUsers: true };

/** Two of `A`'s removals are on hold, and one of `B`'s people is pending. */
const PLAN = {
  team: "T",
  teamId: 1,
  size: 3,
  actions: [],
  holds: [
    {
      kind: "on_hold",
      reason: "empty-group",
      explanation: "nobody is left",
      additions: [],
      removals: ["ann@example.com", "bob@example.com"].map((address) => ({
        kind: "remove",
        source: { key: keyOfMapping(A), mapping: A },
        address,
      })),
    },
  ],
  identities: new Map(),
  missing: undefined,
} as unknown as CycleReport["plans"][number];

const REPORTS = [
  mappingReport(A, { onHold: 2, holdReason: "empty-group", removed: 1 }),
  mappingReport(B, { added: 2, pending: 1 }),
  mappingReport(C, { errors: [{ message: "no" }], groupMembers: undefined }),
];

/** What the sync of each mapping, the log and the schedule tell. */
const COMMON: readonly News[] = [
  ...REPORTS.map((report) => ({ kind: "mapping ended", report }) as const),
  { kind: "next cycle", due: 300_000 },
  { kind: "progress" },
  { kind: "progress" },
  { kind: "credential", problem: "it expires" },
  { kind: "log line", isWritten: false, isAudit: true },
  { kind: "log line", isWritten: false, isAudit: false },
  { kind: "rate limit", limit: { service: "okta", family: "users", limit: 600, remaining: 12 } },
  { kind: "rate limit", limit: { service: "okta", family: "groups", limit: 600, remaining: 500 } },
];

/** What concerns different things. */
const INDEPENDENT: Readonly<Record<string, readonly News[]>> = {
  "in the middle of a cycle": [
    ...COMMON,
    exchange("okta", 240, "200"),
    exchange("grafana", 240, "401"),
    { kind: "wait", service: "okta", seconds: 60 },
    { kind: "wait", service: "grafana", seconds: 30 },
  ],
  "while clocks are off": [exchange("okta", 240, "200"), exchange("grafana", 250, "200")],
  "at the end of a cycle": [
    ...COMMON,
    { kind: "cycle ended", report: { ...cycleReport(...REPORTS), plans: [PLAN] } },
  ],
  "at the end of a cycle that was aborted before": [{ kind: "cycle aborted" }, ...COMMON.slice(3)],
};

/** Everything that is shown at the end. Series have no order. */
function shown(state: ServiceState): unknown {
  const { limits, ...figures } = figuresOf(state, END);
  return [healthOf(state, LATE), boardOf(state, END), figures, new Set(limits)];
}

const begun = reduce(beginState(START), {
  kind: "configured",
  mappings: [A, B, C],
  settings: SETTINGS,
  ...START,
});

const after = (happenings: readonly Happening[]) => happenings.reduce(reduce, begun);

for (const [when, news] of Object.entries(INDEPENDENT)) {
  Deno.test(`what concerns different things may be told in any order, ${when}`, () => {
    const happenings = news.map((one, i) => ({ ...one, at: BEGIN + 1_000, monotonic: i * 100 }));
    // Requests that begin to wait at the same moment.
    const timed = happenings.map((one) => one.kind === "wait" ? { ...one, monotonic: 500 } : one);
    const expected = shown(after(timed));
    fc.assert(
      fc.property(fc.shuffledSubarray(timed, { minLength: timed.length }), (shuffled) => {
        assertEquals(shown(after(shuffled)), expected);
      }),
      { numRuns: 200 },
    );
  });
}

Deno.test("each happening makes a new state, and leaves the one before as it was", () => {
  const all: readonly News[] = [
    ...Object.values(INDEPENDENT).flat(),
    { kind: "audit line", line: { timestamp: BEGIN } as never },
    { kind: "configured", mappings: [A], settings: SETTINGS },
  ];
  all.map((news) => ({ ...news, ...END })).reduce(
    (state, happening) => reduce(freeze(state), freeze(happening)),
    begun,
  );
});

Deno.test("a mapping that is no longer configured is in no status and no series, and the others stay as they are", async () => {
  const { tell, configure, health, board, series } = toldService([A, B, C]);
  for (const report of REPORTS) tell({ kind: "mapping ended", report });
  tell({ kind: "cycle ended", report: { ...cycleReport(...REPORTS), plans: [PLAN] } });
  const before = await series();
  configure([mapping("D", "V"), C]);
  assertEquals(Object.keys(health().sync_status), ["D->V", "C->U"]);
  assertEquals(board().mappings.map(({ state }) => state), ["waiting", "failed"]);
  const now = await series();
  const named = (labels: string) => [...before].filter(([name]) => name.includes(labels));
  assertEquals([...now.keys()].filter((name) => /"(?:A|B|T)"/.test(name)), []);
  assertEquals([...now].filter(([name]) => name.includes('"C"')), named('"C"'));
  assertEquals(
    [...now.keys()].filter((name) => name.includes('"D"')).length,
    named('"C"').length,
    "a new mapping has every series from the start",
  );
  assertEquals(now.get('gots_sync_errors_total{okta_group="D",grafana_team="V"}'), 0);
});

Deno.test("what a cycle that runs meanwhile tells of a mapping that is gone is not shown", async () => {
  const { tell, configure, health, series } = toldService([A, C]);
  configure([C]);
  const reports = [mappingReport(A, { errors: [{ message: "no" }] }), mappingReport(C)];
  for (const report of reports) tell({ kind: "mapping ended", report });
  tell({ kind: "cycle ended", report: { ...cycleReport(...reports), plans: [PLAN] } });
  assertEquals([health().status, Object.keys(health().sync_status)], ["healthy", ["C->U"]]);
  const now = await series();
  assertEquals([...now.keys()].filter((name) => /"(?:A|T)"/.test(name)), []);
  assertEquals(now.get('gots_cycles_total{result="success"}'), 1);
});

Deno.test("a mapping that comes back begins anew, and is out of sync since then", async () => {
  const { tell, clock, configure, board, series } = toldService([A]);
  const report = mappingReport(A, { added: 3 });
  const cycle = { ...cycleReport(report), plans: [PLAN] };
  tell({ kind: "mapping ended", report });
  tell({ kind: "cycle ended", report: cycle });
  for (const whileGone of [() => {}, () => tell({ kind: "cycle ended", report: cycle })]) {
    configure([]);
    whileGone();
    clock.now += 60_000;
    configure([A]);
    clock.now += 1_000;
    const [shown] = board().mappings;
    assertEquals([shown?.state, shown?.users_added, shown?.out_of_sync_seconds], ["waiting", 0, 1]);
    assertEquals(shown?.on_hold, null);
    const now = await series();
    const labels = '{okta_group="A",grafana_team="T"}';
    assertEquals(now.get(`gots_users_added_total${labels}`), 0);
    assertEquals(now.get(`gots_drift_oldest_seconds${labels}`), 1);
    assertEquals([...now.keys()].filter((name) => name.startsWith("gots_removals_on_hold")), []);
  }
});

Deno.test("a cycle that was aborted leaves nothing in sync for certain, and is an error of every mapping", async () => {
  const { tell, board, series } = toldService([A, C]);
  const reports = [mappingReport(A), mappingReport(C)];
  for (const report of reports) tell({ kind: "mapping ended", report });
  tell({ kind: "cycle ended", report: cycleReport(...reports) });
  tell({ kind: "cycle aborted" });
  const startedAt = new Date(BEGIN).toISOString();
  assertEquals(board().mappings.map(({ state, last_in_sync_at }) => [state, last_in_sync_at]), [
    ["out_of_sync", startedAt],
    ["out_of_sync", startedAt],
  ]);
  const now = await series();
  const labels = '{okta_group="C",grafana_team="U"}';
  assertEquals(now.get(`gots_last_sync_success${labels}`), 0);
  assertEquals(now.get(`gots_sync_errors_total${labels}`), 1);
  assertEquals(now.get('gots_cycles_total{result="failure"}'), 1);
});

Deno.test("the status shows the last 200 changes, the newest first", () => {
  const { tell, board } = toldService([A]);
  const line = {
    timestamp: BEGIN,
    run: "r",
    audit: 1,
    action: "add",
    outcome: "done",
    grafana_team: "T",
  } as const;
  for (let cycle = 1; cycle <= 201; cycle++) tell({ kind: "audit line", line: { ...line, cycle } });
  const { changes } = board();
  assertEquals([changes.length, changes[0]?.cycle, changes.at(-1)?.cycle], [200, 201, 2]);
});

Deno.test("the settings of a mapping may change while it is known", () => {
  const { tell, configure, board } = toldService([A]);
  tell({ kind: "mapping ended", report: mappingReport(A, { added: 3 }) });
  configure([{ ...A, policy: "add-only" }]);
  assertEquals(board().mappings.map(({ users_added }) => users_added), [3]);
});
