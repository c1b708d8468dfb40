/** The metrics of a service: its gauges read the state, its counters follow what happens. */
import { createMetrics, type Metrics } from "../observability/metrics.ts";
import { type CycleReport, isSuccess, type MappingReport } from "../sync/tell/report.ts";
import { addedWait, apiOf } from "./api.ts";
import { figuresOf } from "./figures.ts";
import type { Happening } from "./happening.ts";
import type { ServiceState } from "./state.ts";
import type { Store } from "./store.ts";

/** After the sync of a mapping. A dry run moves no counter of additions or removals. */
function countMapping(metrics: Metrics, report: MappingReport, { mappings }: ServiceState): void {
  if (!mappings.places.has(report.key)) return;
  const { okta_group, grafana_team } = report.mapping;
  const labels = { okta_group, grafana_team };
  metrics.syncDuration.observe(labels, report.durationSeconds);
  metrics.usersAdded.inc(labels, report.added);
  metrics.usersRemoved.inc(labels, report.removed);
  metrics.syncErrors.inc(labels, report.errors.length);
}

/** After a cycle that came to its end. It is a success if everything was done for every mapping. */
function countCycle(metrics: Metrics, report: CycleReport, { mappings }: ServiceState): void {
  const done = new Set(report.mappings.filter(isSuccess).map(({ key }) => key));
  const isDone = mappings.all.every(({ key }) => done.has(key));
  metrics.cycles.inc({ result: isDone ? "success" : "failure" });
  metrics.cycleDuration.observe({ kind: report.isFull ? "full" : "incremental" }, report.durationSeconds);
}

/** After a cycle that was aborted: nothing is known to be synced. */
function countAbort(metrics: Metrics, { mappings }: ServiceState): void {
  metrics.cycles.inc({ result: "failure" });
  for (const { mapping: { okta_group, grafana_team } } of mappings.all) {
    metrics.syncErrors.inc({ okta_group, grafana_team });
  }
}

function count(metrics: Metrics, happening: Happening, before: ServiceState, after: ServiceState): void {
  switch (happening.kind) {
    case "configured":
      return metrics.withMappings(happening.mappings);
    case "mapping ended":
      return countMapping(metrics, happening.report, after);
    case "cycle ended":
      return countCycle(metrics, happening.report, after);
    case "cycle aborted":
      return countAbort(metrics, after);
    case "exchange":
      return metrics.countExchange(happening.exchange);
    case "wait": {
      const { service, seconds, monotonic } = happening;
      return metrics.limitWait.inc({ service }, addedWait(apiOf(before.apis, service), seconds, monotonic));
    }
    default:
      return;
  }
}

/** Makes the metrics of a service that has just begun. */
export function metricsOf(store: Store): Metrics {
  const metrics = createMetrics(() => figuresOf(store.state(), store.moment()));
  store.follow((happening, before, after) => count(metrics, happening, before, after));
  return metrics;
}
