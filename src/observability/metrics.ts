/** What `/metrics` shows. The first six are GOTS's, with its names and labels. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { version } from "../version.ts";

/** A finished exchange, for metrics. */
export interface Exchange {
  /** `okta` or `grafana`. */
  readonly service: string;
  readonly method: string;
  /** The route's template. */
  readonly route: string;
  /** The status, or the kind of failure if there was no answer. */
  readonly status: string;
  readonly seconds: number;
}

/** The labels of a mapping's series. */
export interface MappingLabels {
  readonly okta_group: string;
  readonly grafana_team: string;
}

/** Every metric of the program, in a registry of its own. */
export type Metrics = ReturnType<typeof createMetrics>;

const MAPPING = ["okta_group", "grafana_team"] as const;

/** From 10 ms to 5 min: from a mapping without a change up to a first sync that waits for a rate limit. */
const SYNC_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the metrics, with the series of `mappings` at zero. `startedAt` is in epoch milliseconds. */
export function createMetrics(mappings: readonly MappingLabels[], startedAt: number) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });

  const syncDuration = new Histogram({
    name: "gots_sync_duration_seconds",
    help: "Duration of the sync of a mapping",
    labelNames: MAPPING,
    buckets: SYNC_BUCKETS,
    registers,
  });
  const usersAdded = counter("gots_users_added_total", "Users added to Grafana teams", MAPPING);
  const usersRemoved = counter("gots_users_removed_total", "Users removed from Grafana teams", MAPPING);
  const syncErrors = counter("gots_sync_errors_total", "Errors while syncing", MAPPING);
  const lastSync = gauge(
    "gots_last_sync_timestamp",
    "When the mapping's last sync ended, epoch seconds",
    MAPPING,
  );
  const lastSuccess = gauge(
    "gots_last_sync_success",
    "Whether the mapping's last sync did everything (1) or not (0)",
    MAPPING,
  );
  const groupMembers = gauge("gots_group_members", "Members of the Okta group who count", MAPPING);
  const teamMembers = gauge("gots_team_members", "Members of the Grafana team after the sync", MAPPING);
  const usersPending = gauge(
    "gots_users_pending",
    "Members of the group whom Grafana does not know yet",
    MAPPING,
  );
  const removalsWithheld = gauge(
    "gots_removals_withheld",
    "Removals that were not carried out when the team was last compared, for safety",
    ["grafana_team", "reason"],
  );
  const apiRequests = counter(
    "gots_api_requests_total",
    "Requests to Okta and Grafana, by route template and by status or kind of failure",
    ["service", "method", "route", "status"],
  );
  const apiDuration = new Histogram({
    name: "gots_api_request_duration_seconds",
    help: "Duration of requests to Okta and Grafana",
    labelNames: ["service", "method", "route"],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  gauge("gots_build_info", "The running version, always 1", ["version"]).set({ version }, 1);
  gauge("process_start_time_seconds", "When the process started, epoch seconds", []).set(startedAt / 1_000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });

  for (const { okta_group, grafana_team } of mappings) {
    const labels = { okta_group, grafana_team };
    syncDuration.zero(labels);
    for (const metric of [usersAdded, usersRemoved, syncErrors]) metric.inc(labels, 0);
    for (const metric of [lastSync, lastSuccess, groupMembers, teamMembers, usersPending]) {
      metric.set(labels, 0);
    }
  }

  return {
    registry,
    syncDuration,
    usersAdded,
    usersRemoved,
    syncErrors,
    lastSync,
    lastSuccess,
    groupMembers,
    teamMembers,
    usersPending,
    removalsWithheld,
    /** Counts an exchange with a service. */
    observeExchange({ service, method, route, status, seconds }: Exchange): void {
      apiRequests.inc({ service, method, route, status });
      apiDuration.observe({ service, method, route }, seconds);
    },
  };
}
