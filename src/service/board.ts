/** What `/api/status` and the status page say: kept up to date by the service, read by the HTTP server. */
import type { Mapping } from "../config/schema.ts";
import type { RateLimit } from "../observability/api_metrics.ts";
import type { AuditAction, AuditLine, AuditOutcome } from "../observability/audit.ts";
import type { GuardedPlan } from "../sync/guard.ts";
import type { Change } from "../sync/plan.ts";
import {
  type CycleReport,
  isSuccess,
  keyOfMapping,
  type MappingReport,
  type SyncError,
} from "../sync/report.ts";
import { commit } from "../version.ts";
import type { Drift } from "./drift.ts";
import type { Health, Status } from "./status.ts";

/** How a mapping is. */
export type MappingState =
  /** The team equals what its groups say. */
  | "right"
  /** The first sync has not ended. */
  | "waiting"
  /** Something could not be read or written. */
  | "failed"
  /** Removals are not carried out, for safety. */
  | "withheld"
  /** A dry run found changes. */
  | "differs";

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
  /** Start of the last cycle that left the team right. */
  readonly last_right_at: string | null;
  /** 0 while it is right. */
  readonly not_right_seconds: number;
  /** Members whom Grafana does not know yet. */
  readonly pending: OpenChanges;
  readonly withheld: (OpenChanges & { readonly reason: string; readonly explanation: string }) | null;
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
    | (NonNullable<Health["last_cycle"]> & { readonly kind: "full" | "incremental" })
    | null;
  readonly rate_limits: readonly RateLimit[];
  readonly mappings: readonly BoardMapping[];
  /** The last ones, the newest first. */
  readonly changes: readonly BoardChange[];
}

/** Keeps what the status shows. */
export interface Boards {
  mappingEnded(report: MappingReport): void;
  cycleEnded(report: CycleReport): void;
  rateLimit(limit: RateLimit): void;
  /** What is shown, or the part of it that `search` is found in: in a team, a group or, where they are shown, a person. */
  board(search?: string): Board;
}

/** How it is made. */
export interface BoardOptions {
  readonly mappings: readonly Mapping[];
  readonly intervalSeconds: number;
  readonly showUsers: boolean;
  readonly status: Pick<Status, "health">;
  readonly drift: Drift;
  /** The audit lines so far, the newest last. */
  readonly changes: () => readonly AuditLine[];
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What is known of a mapping besides its last report. */
interface Counts {
  added: number;
  removed: number;
}

/** Somebody, and the mapping on which they count, by its key. */
interface Person {
  readonly key: string;
  readonly address: string;
}

/** What is kept of a team's plan until it is compared again. */
interface Found {
  readonly pending: readonly Person[];
  readonly withheld: readonly Person[];
  readonly reason: string;
  readonly explanation: string;
  readonly additions: readonly Person[];
  readonly removals: readonly Person[];
}

function foundIn({ pending, withheld, additions, removals }: GuardedPlan): Found {
  const people = (changes: readonly Change[] = []) =>
    changes.map(({ mapping, address }) => ({ key: keyOfMapping(mapping), address }));
  return {
    pending: pending.map(({ mapping, user: { profile } }) => ({
      key: keyOfMapping(mapping),
      address: profile.email?.trim() || profile.login,
    })),
    withheld: people(withheld && [...withheld.removals, ...withheld.additions]),
    reason: withheld?.reason ?? "",
    explanation: withheld?.explanation ?? "",
    additions: people(additions),
    removals: people(removals),
  };
}

const time = (at: number) => new Date(at).toISOString();

/** Keeps the state of a service that begins now. */
export function createBoards(options: BoardOptions): Boards {
  const { mappings, intervalSeconds, showUsers, status, drift, changes, now } = options;
  const reports = new Map<string, MappingReport>();
  const counts = new Map<string, Counts>();
  const plans = new Map<string, Found>();
  const limits = new Map<string, RateLimit>();
  let lastCycle: CycleReport | undefined;

  const people = (users: readonly string[]): OpenChanges => ({
    count: users.length,
    ...(showUsers ? { users } : {}),
  });

  function messageOf({ message, user }: SyncError): string {
    return user === undefined || showUsers ? message : "a change of somebody failed; the log names them";
  }

  function stateOf(report: MappingReport | undefined, mapping: Mapping): MappingState {
    if (!report) return "waiting";
    if (report.errors.length > 0) return "failed";
    if (!isSuccess(report)) return "withheld";
    return drift.rightness(mapping).isRight ? "right" : "differs";
  }

  function mappingOf(mapping: Mapping): BoardMapping {
    const key = keyOfMapping(mapping);
    const report = reports.get(key);
    const plan = plans.get(mapping.grafana_team);
    const { isRight, lastRightAt } = drift.rightness(mapping);
    const { added = 0, removed = 0 } = counts.get(key) ?? {};
    const own = (found: readonly Person[] = []) =>
      people(found.filter((person) => person.key === key).map(({ address }) => address));
    const withheld = own(plan?.withheld);
    const state = stateOf(report, mapping);
    return {
      okta_group: mapping.okta_group,
      grafana_team: mapping.grafana_team,
      state,
      group_members: report?.groupMembers ?? null,
      team_members: report?.teamMembers ?? null,
      last_sync_at: report ? time(report.endedAt) : null,
      duration_seconds: report?.durationSeconds ?? null,
      users_added: added,
      users_removed: removed,
      last_right_at: isRight || drift.wasRight(mapping) ? time(lastRightAt) : null,
      not_right_seconds: isRight ? 0 : Math.round((now() - lastRightAt) / 1_000),
      pending: own(plan?.pending),
      withheld: plan && withheld.count > 0
        ? { ...withheld, reason: plan.reason, explanation: plan.explanation }
        : null,
      would: state === "differs" ? { add: own(plan?.additions), remove: own(plan?.removals) } : null,
      errors: [...new Set(report?.errors.map(messageOf))],
    };
  }

  function changeOf(line: AuditLine): BoardChange {
    const { timestamp, cycle, action, outcome, user, grafana_team, okta_group, why } = line;
    // Why somebody had to leave the organisation names two people.
    const isAboutPeople = action === "leave_organisation";
    return {
      at: time(timestamp),
      cycle,
      action,
      outcome,
      ...(user !== undefined && showUsers ? { user } : {}),
      grafana_team,
      ...(okta_group === undefined ? {} : { okta_group }),
      ...(why === undefined || (isAboutPeople && !showUsers) ? {} : { why }),
    };
  }

  /** Whether one of these texts holds what is looked for. */
  function finder(
    search: string,
  ): (...texts: readonly (string | readonly string[] | undefined)[]) => boolean {
    const wanted = search.trim().toLowerCase();
    return (...texts) => texts.flat().some((text) => text?.toLowerCase().includes(wanted));
  }

  return {
    mappingEnded(report) {
      const key = keyOfMapping(report.mapping);
      reports.set(key, report);
      const { added = 0, removed = 0 } = counts.get(key) ?? {};
      counts.set(key, { added: added + report.added, removed: removed + report.removed });
    },
    cycleEnded(report) {
      lastCycle = report;
      for (const plan of report.plans) plans.set(plan.team, foundIn(plan));
    },
    rateLimit(limit) {
      limits.set(`${limit.service} ${limit.family}`, limit);
    },
    board(search = "") {
      const { sync_status: _, last_cycle, ...health } = status.health();
      const isFound = finder(search);
      return {
        schema: 1,
        ...health,
        commit,
        interval_seconds: intervalSeconds,
        shows_users: showUsers,
        last_cycle: last_cycle && lastCycle
          ? { ...last_cycle, kind: lastCycle.isFull ? "full" : "incremental" }
          : null,
        rate_limits: [...limits.values()],
        mappings: mappings.map(mappingOf).filter(({ okta_group, grafana_team, pending, withheld, would }) =>
          isFound(
            okta_group,
            grafana_team,
            pending.users,
            withheld?.users,
            would?.add.users,
            would?.remove.users,
          )
        ),
        changes: changes().map(changeOf).filter(({ user, grafana_team, okta_group }) =>
          isFound(user, grafana_team, okta_group)
        ).reverse(),
      };
    },
  };
}
