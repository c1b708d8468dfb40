/** The last line of a cycle in a terminal. */
import { count } from "../config/count.ts";
import { partsOf } from "../sync/plan/team.ts";
import { type CycleReport, totals } from "../sync/tell/report.ts";

/** `2 teams, 31 members: 2 added, 1 removed, 0 pending, 0 errors; 9 calls in 0.4 s` */
export function formatSummary(report: CycleReport, calls: number): string {
  const { plans, dryRun, interrupted, durationSeconds } = report;
  const { added, removed, pending, onHold, errors } = totals(report);
  const planned = (pick: (plan: CycleReport["plans"][number]) => readonly unknown[]) =>
    plans.reduce((sum, plan) => sum + pick(plan).length, 0);
  const before = plans.reduce((sum, { size }) => sum + size, 0);
  const changes = dryRun
    ? [
      `${planned((plan) => partsOf(plan).additions)} to add`,
      `${planned((plan) => partsOf(plan).removals)} to remove`,
    ]
    : [`${added} added`, `${removed} removed`];
  const counts = [
    ...changes,
    `${pending} pending`,
    ...(onHold > 0 ? [`${count(onHold, "removal")} on hold`] : []),
    count(errors, "error"),
  ];
  const members = count(before + added - removed, "member");
  const seconds = durationSeconds.toFixed(1);
  const rest = dryRun ? "not every team was compared" : "the next run will finish it";
  const outcome = interrupted ? `Interrupted; ${rest}. ` : "";
  return `${outcome}${count(plans.length, "team")}, ${members}: ${counts.join(", ")}; ${
    count(calls, "call")
  } in ${seconds} s`;
}
