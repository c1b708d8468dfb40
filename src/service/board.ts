/** What `/api/status` and the status page say. `docs/MONITORING.md` describes it. */
import type { RateLimit } from "../observability/api_metrics.ts";
import type { AuditAction, AuditOutcome } from "../observability/audit.ts";
import type { Traffic } from "./api.ts";
import type { Health } from "./health.ts";

/** How a mapping is. */
export type MappingState =
  /** The team equals what its groups say. */
  | "in_sync"
  /** The first sync has not ended. */
  | "waiting"
  /** Something could not be read or written. */
  | "failed"
  /** Removals are on hold, with a reason. */
  | "on_hold"
  /** A dry run found changes, or the last cycle was aborted. */
  | "out_of_sync";

/** Changes that were found and not carried out. */
export interface OpenChanges {
  readonly count: number;
  /** Who; absent where people are not shown. */
  readonly users?: readonly string[];
}

/** A mapping as the status shows it. Times are ISO 8601 in UTC, `null` if there was none. */
export interface BoardMapping {
  readonly okta_group: string;
  readonly grafana_team: string;
  readonly state: MappingState;
  readonly group_members: number | null;
  readonly team_members: number | null;
  readonly last_sync_at: string | null;
  readonly duration_seconds: number | null;
  /** Added and removed since the process began. */
  readonly users_added: number;
  readonly users_removed: number;
  /** Start of the last cycle that left the team in sync. */
  readonly last_in_sync_at: string | null;
  /** 0 while it is in sync. */
  readonly out_of_sync_seconds: number;
  /** Members that Grafana does not know yet. */
  readonly pending: OpenChanges;
  readonly on_hold: (OpenChanges & { readonly reason: string; readonly explanation: string }) | null;
  /** What a dry run would change. */
  readonly would: { readonly add: OpenChanges; readonly remove: OpenChanges } | null;
  /** What went wrong in the last sync, with what to do. */
  readonly errors: readonly string[];
}

/** A change, or one that was not made, as the audit has it. */
export interface BoardChange {
  readonly at: string;
  readonly cycle: number;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  readonly user?: string;
  readonly grafana_team: string;
  readonly okta_group?: string;
  readonly why?: string;
}

/** Everything that the status shows. */
export interface Board extends Omit<Health, "sync_status" | "last_cycle"> {
  /** Rises when a field changes its meaning or goes away. */
  readonly schema: 1;
  readonly commit: string;
  readonly interval_seconds: number;
  readonly shows_users: boolean;
  readonly last_cycle:
    | (NonNullable<Health["last_cycle"]> & {
      readonly kind: "full" | "incremental";
      readonly traffic: readonly Traffic[];
    })
    | null;
  /** Added and removed within the last hour, by this process. */
  readonly last_hour: { readonly users_added: number; readonly users_removed: number };
  readonly rate_limits: readonly RateLimit[];
  readonly mappings: readonly BoardMapping[];
  /** The last ones, the newest first. */
  readonly changes: readonly BoardChange[];
}
