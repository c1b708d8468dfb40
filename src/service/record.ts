/** Writes what cycles brought into the metrics. */
import type { Mapping } from "../config/schema.ts";
import type { Metrics } from "../observability/metrics.ts";
import { HOLD_REASONS, ofKind } from "../sync/plan/actions.ts";
import { type CycleReport, isSuccess, type MappingReport } from "../sync/tell/report.ts";
import type { Drift } from "./drift.ts";

/** After the sync of a mapping. A dry run moves no counter of additions or removals. */
export function recordMapping(metrics: Metrics, report: MappingReport): void {
  const { okta_group, grafana_team } = report.mapping;
  const labels = { okta_group, grafana_team };
  metrics.syncDuration.observe(labels, report.durationSeconds);
  metrics.usersAdded.inc(labels, report.added);
  metrics.usersRemoved.inc(labels, report.removed);
  metrics.syncErrors.inc(labels, report.errors.length);
  metrics.lastSync.set(labels, report.endedAt / 1_000);
  metrics.lastSuccess.set(labels, isSuccess(report) ? 1 : 0);
  metrics.usersPending.set(labels, report.pending);
  if (report.groupMembers !== undefined) metrics.groupMembers.set(labels, report.groupMembers);
  if (report.teamMembers !== undefined) metrics.teamMembers.set(labels, report.teamMembers);
}

/** After a cycle that was aborted: nothing is known to be synced. */
export function recordBreak(metrics: Metrics, mappings: readonly Mapping[], drift: Drift): void {
  metrics.cycles.inc({ result: "failure" });
  for (const mapping of mappings) {
    const { okta_group, grafana_team } = mapping;
    metrics.syncErrors.inc({ okta_group, grafana_team });
    metrics.lastSuccess.set({ okta_group, grafana_team }, 0);
    metrics.setInSync(mapping, drift.inSync(mapping));
  }
}

/** What is on hold and what is left of each team. For a team that could not be compared the last numbers stay. */
function recordTeams(metrics: Metrics, { plans }: CycleReport, drift: Drift): void {
  for (const { team: grafana_team, holds } of plans) {
    const [hold] = ofKind(holds, "on_hold");
    for (const reason of HOLD_REASONS) {
      const count = hold?.reason === reason ? hold.removals.length : 0;
      metrics.removalsOnHold.set({ grafana_team, reason }, count);
    }
    for (const [change, count] of Object.entries(drift.left(grafana_team) ?? {})) {
      metrics.driftMembers.set({ grafana_team, change }, count);
    }
  }
}

/** After a cycle that came to its end. */
export function recordCycle(
  metrics: Metrics,
  report: CycleReport,
  mappings: readonly Mapping[],
  drift: Drift,
): void {
  const { isFull, endedAt, durationSeconds } = report;
  recordTeams(metrics, report, drift);
  for (const mapping of mappings) metrics.setInSync(mapping, drift.inSync(mapping));
  const isDone = report.mappings.length === mappings.length && report.mappings.every(isSuccess);
  metrics.cycles.inc({ result: isDone ? "success" : "failure" });
  metrics.cycleDuration.observe({ kind: isFull ? "full" : "incremental" }, durationSeconds);
  metrics.lastCycle.set(endedAt / 1_000);
  metrics.endExchanges();
}
