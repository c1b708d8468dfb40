/** The metrics of each mapping and team. The first six are GOTS's, with its names and labels. */
import type { Factory } from "./registry.ts";

/** The labels of a mapping's series. */
export interface MappingLabels {
  readonly okta_group: string;
  readonly grafana_team: string;
}

/** What the gauges of a mapping say. Times are epoch seconds. */
export interface MappingFigures extends MappingLabels {
  readonly lastSync: number;
  readonly lastSuccess: number;
  readonly groupMembers: number;
  readonly teamMembers: number;
  readonly usersPending: number;
  /** When it was last known to be in sync; before that, when it was configured. */
  readonly lastInSync: number;
  readonly driftSeconds: number;
}

/** What the gauges of a team say. */
export interface TeamFigures {
  readonly grafana_team: string;
  /** Changes that were found and not carried out. */
  readonly left: { readonly add: number; readonly remove: number };
  /** Removals on hold by reason; none before it was compared. */
  readonly onHold: readonly (readonly [reason: string, count: number])[];
}

/** What the gauges of mappings and teams read. */
export interface MappingsFigures {
  readonly mappings: readonly MappingFigures[];
  readonly teams: readonly TeamFigures[];
}

const MAPPING = ["okta_group", "grafana_team"] as const;

/** From 10 ms to 5 min: from a mapping without a change up to a first sync that waits for a rate limit. */
const SYNC_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

const labelsOf = ({ okta_group, grafana_team }: MappingLabels) => ({ okta_group, grafana_team });

function createCounters({ counter, histogram }: Factory) {
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
  };
}

/** The gauges of a mapping, and what each of them reads. */
const MAPPING_GAUGES: readonly (readonly [name: string, help: string, (of: MappingFigures) => number])[] = [
  ["gots_last_sync_timestamp", "When the mapping's last sync ended, epoch seconds", (of) => of.lastSync],
  [
    "gots_last_sync_success",
    "Whether the mapping's last sync did everything (1) or not (0)",
    (of) => of.lastSuccess,
  ],
  ["gots_group_members", "Active members of the Okta group", (of) => of.groupMembers],
  ["gots_team_members", "Members of the Grafana team after the sync", (of) => of.teamMembers],
  ["gots_users_pending", "Members of the group that Grafana does not know yet", (of) => of.usersPending],
  [
    "gots_last_in_sync_timestamp_seconds",
    "Start of the last cycle that left the team equal to its groups, epoch seconds; at first, of the process",
    (of) => of.lastInSync,
  ],
  [
    "gots_drift_oldest_seconds",
    "How long the team has not been known to equal its groups; 0 while it is",
    (of) => of.driftSeconds,
  ],
];

function createGauges({ gauge }: Factory, figures: () => MappingsFigures): void {
  for (const [name, help, read] of MAPPING_GAUGES) {
    gauge(name, help, MAPPING, () => figures().mappings.map((of) => [labelsOf(of), read(of)]));
  }
  gauge(
    "gots_removals_on_hold",
    "Removals on hold when the team was last compared",
    ["grafana_team", "reason"],
    () =>
      figures().teams.flatMap(({ grafana_team, onHold }) =>
        onHold.map(([reason, count]) => [{ grafana_team, reason }, count] as const)
      ),
  );
  gauge(
    "gots_drift_members",
    "Changes that the team needed when it was last compared, and that were not carried out",
    ["grafana_team", "change"],
    () =>
      figures().teams.flatMap(({ grafana_team, left }) =>
        Object.entries(left).map(([change, count]) => [{ grafana_team, change }, count] as const)
      ),
  );
}

/** Makes the metrics. The gauges read `figures`. */
export function createMappingMetrics(factory: Factory, figures: () => MappingsFigures) {
  const counters = createCounters(factory);
  createGauges(factory, figures);
  const { syncDuration, usersAdded, usersRemoved, syncErrors } = counters;
  let counted = new Map<string, MappingLabels>();
  return {
    ...counters,
    /** Counts for these mappings and no others: the series of new ones begin at zero, those of the others end. */
    withMappings(mappings: readonly MappingLabels[]): void {
      const before = counted;
      counted = new Map(mappings.map((one) => [JSON.stringify(labelsOf(one)), labelsOf(one)]));
      for (const [key, labels] of before) {
        if (counted.has(key)) continue;
        for (const metric of [syncDuration, usersAdded, usersRemoved, syncErrors]) metric.remove(labels);
      }
      for (const [key, labels] of counted) {
        if (before.has(key)) continue;
        syncDuration.zero(labels);
        for (const metric of [usersAdded, usersRemoved, syncErrors]) metric.inc(labels, 0);
      }
    },
  };
}
