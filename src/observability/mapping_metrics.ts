/** The metrics of each mapping and team. The first six are GOTS's, with its names and labels. */
import type { Factory } from "./registry.ts";

/** The labels of a mapping's series. */
export interface MappingLabels {
  readonly okta_group: string;
  readonly grafana_team: string;
}

/** Since when a mapping is known to be in sync, or is not. */
export interface InSync {
  readonly isInSync: boolean;
  /** When it was last known to be in sync, in epoch milliseconds; before that, when the process began. */
  readonly lastInSyncAt: number;
}

const MAPPING = ["okta_group", "grafana_team"] as const;

/** From 10 ms to 5 min: from a mapping without a change up to a first sync that waits for a rate limit. */
const SYNC_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

function defineMappingMetrics({ counter, gauge, histogram }: Factory) {
  return {
    syncDuration: histogram(
      "gots_sync_duration_seconds",
      "Duration of the sync of a mapping",
      MAPPING,
      SYNC_BUCKETS,
    ),
    usersAdded: counter("gots_users_added_total", "Users added to Grafana teams", MAPPING),
    usersRemoved: counter("gots_users_removed_total", "Users removed from Grafana teams", MAPPING),
    syncErrors: counter("gots_sync_errors_total", "Errors while syncing", MAPPING),
    lastSync: gauge(
      "gots_last_sync_timestamp",
      "When the mapping's last sync ended, epoch seconds",
      MAPPING,
    ),
    lastSuccess: gauge(
      "gots_last_sync_success",
      "Whether the mapping's last sync did everything (1) or not (0)",
      MAPPING,
    ),
    groupMembers: gauge("gots_group_members", "Active members of the Okta group", MAPPING),
    teamMembers: gauge("gots_team_members", "Members of the Grafana team after the sync", MAPPING),
    usersPending: gauge(
      "gots_users_pending",
      "Members of the group that Grafana does not know yet",
      MAPPING,
    ),
    lastInSync: gauge(
      "gots_last_in_sync_timestamp_seconds",
      "Start of the last cycle that left the team equal to its groups, epoch seconds; at first, of the process",
      MAPPING,
    ),
    removalsOnHold: gauge(
      "gots_removals_on_hold",
      "Removals on hold when the team was last compared",
      ["grafana_team", "reason"],
    ),
    driftMembers: gauge(
      "gots_drift_members",
      "Changes that the team needed when it was last compared, and that were not carried out",
      ["grafana_team", "change"],
    ),
  };
}

/** Makes the metrics, with the series of `mappings` at zero. `now` is in epoch milliseconds. */
export function createMappingMetrics(
  factory: Factory,
  mappings: readonly MappingLabels[],
  now: () => number,
) {
  const metrics = defineMappingMetrics(factory);
  const inSync = new Map<string, MappingLabels & InSync>();
  factory.gauge(
    "gots_drift_oldest_seconds",
    "How long the team has not been known to equal its groups; 0 while it is",
    MAPPING,
    (gauge) => {
      for (const { okta_group, grafana_team, isInSync, lastInSyncAt } of inSync.values()) {
        gauge.set({ okta_group, grafana_team }, isInSync ? 0 : (now() - lastInSyncAt) / 1_000);
      }
    },
  );

  function setInSync(
    { okta_group, grafana_team }: MappingLabels,
    { isInSync, lastInSyncAt }: InSync,
  ): void {
    const labels = { okta_group, grafana_team };
    inSync.set(JSON.stringify([okta_group, grafana_team]), { ...labels, isInSync, lastInSyncAt });
    metrics.lastInSync.set(labels, lastInSyncAt / 1_000);
  }

  for (const { okta_group, grafana_team } of mappings) {
    const labels = { okta_group, grafana_team };
    const { usersAdded, usersRemoved, syncErrors } = metrics;
    const { lastSync, lastSuccess, groupMembers, teamMembers, usersPending } = metrics;
    metrics.syncDuration.zero(labels);
    for (const metric of [usersAdded, usersRemoved, syncErrors]) metric.inc(labels, 0);
    for (const metric of [lastSync, lastSuccess, groupMembers, teamMembers, usersPending]) {
      metric.set(labels, 0);
    }
    for (const change of ["add", "remove"]) metrics.driftMembers.set({ grafana_team, change }, 0);
    setInSync(labels, { isInSync: false, lastInSyncAt: now() });
  }
  return { ...metrics, setInSync };
}
