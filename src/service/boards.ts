/** Keeps what the status shows up to date, for the HTTP server to read. */
import type { Mapping } from "../config/schema.ts";
import { addressOf } from "../grafana/directory.ts";
import type { Exchange, RateLimit } from "../observability/api_metrics.ts";
import type { AuditLine } from "../observability/audit.ts";
import type { Change } from "../sync/plan/actions.ts";
import { keyOfMapping } from "../sync/plan/desired.ts";
import { partsOf, type TeamPlan } from "../sync/plan/team.ts";
import { type CycleReport, isSuccess, type MappingReport } from "../sync/tell/report.ts";
import type { SyncError } from "../sync/tell/words.ts";
import { commit } from "../version.ts";
import type { Board, BoardChange, BoardMapping, MappingState, OpenChanges } from "./board.ts";
import type { Drift } from "./drift.ts";
import type { Status } from "./status.ts";
import { createCounter, type Traffic } from "./traffic.ts";

/** Keeps what the status shows. */
export interface Boards {
  mappingEnded(report: MappingReport): void;
  cycleEnded(report: CycleReport): void;
  exchange(exchange: Exchange): void;
  rateLimit(limit: RateLimit): void;
  /** Requests to a service wait for its rate limit by so many seconds more. */
  wait(service: string, seconds: number): void;
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
  readonly onHold: readonly Person[];
  readonly reason: string;
  readonly explanation: string;
  readonly additions: readonly Person[];
  readonly removals: readonly Person[];
}

function foundIn(plan: TeamPlan): Found {
  const { pending, onHold, additions, removals } = partsOf(plan);
  const people = (changes: readonly Change[] = []) =>
    changes.map(({ source: { key }, address }) => ({ key, address }));
  return {
    pending: pending.map(({ member: { source: { key }, user } }) => ({
      key,
      address: addressOf(user.profile),
    })),
    onHold: people(onHold && [...onHold.removals, ...onHold.additions]),
    reason: onHold?.reason ?? "",
    explanation: onHold?.explanation ?? "",
    additions: people(additions),
    removals: people(removals),
  };
}

const HOUR_MS = 3_600_000;

const time = (at: number) => new Date(at).toISOString();

/** Keeps the state of a service that begins now. */
export function createBoards(options: BoardOptions): Boards {
  const { mappings, intervalSeconds, showUsers, status, drift, changes, now } = options;
  const reports = new Map<string, MappingReport>();
  const counts = new Map<string, Counts>();
  const plans = new Map<string, Found>();
  const limits = new Map<string, RateLimit>();
  const counter = createCounter();
  let lastCycle: CycleReport | undefined;
  let traffic: readonly Traffic[] = [];
  let written: readonly MappingReport[] = [];

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
    if (!isSuccess(report)) return "on_hold";
    return drift.inSync(mapping).isInSync ? "in_sync" : "out_of_sync";
  }

  function mappingOf(mapping: Mapping): BoardMapping {
    const key = keyOfMapping(mapping);
    const report = reports.get(key);
    const plan = plans.get(mapping.grafana_team);
    const { isInSync, lastInSyncAt } = drift.inSync(mapping);
    const { added = 0, removed = 0 } = counts.get(key) ?? {};
    const own = (found: readonly Person[] = []) =>
      people(found.filter((person) => person.key === key).map(({ address }) => address));
    const onHold = own(plan?.onHold);
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
      last_in_sync_at: isInSync || drift.wasInSync(mapping) ? time(lastInSyncAt) : null,
      out_of_sync_seconds: isInSync ? 0 : Math.round((now() - lastInSyncAt) / 1_000),
      pending: own(plan?.pending),
      on_hold: plan && onHold.count > 0
        ? { ...onHold, reason: plan.reason, explanation: plan.explanation }
        : null,
      would: state === "out_of_sync" ? { add: own(plan?.additions), remove: own(plan?.removals) } : null,
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

  /** The reports of changes within the last hour. */
  function writtenLately(): readonly MappingReport[] {
    return written.filter(({ endedAt }) => now() - endedAt < HOUR_MS);
  }

  /** Whether one of these strings holds what is looked for. */
  function finder(
    search: string,
  ): (...strings: readonly (string | readonly string[] | undefined)[]) => boolean {
    const wanted = search.trim().toLowerCase();
    return (...strings) => strings.flat().some((one) => one?.toLowerCase().includes(wanted));
  }

  return {
    mappingEnded(report) {
      const key = keyOfMapping(report.mapping);
      reports.set(key, report);
      const { added = 0, removed = 0 } = counts.get(key) ?? {};
      counts.set(key, { added: added + report.added, removed: removed + report.removed });
      if (report.added + report.removed > 0) written = [...writtenLately(), report];
    },
    cycleEnded(report) {
      lastCycle = report;
      traffic = counter.take();
      for (const plan of report.plans) plans.set(plan.team, foundIn(plan));
    },
    exchange: counter.exchange,
    wait: counter.wait,
    rateLimit(limit) {
      limits.set(`${limit.service} ${limit.family}`, limit);
    },
    board(search = "") {
      const { sync_status: _, last_cycle, ...health } = status.health();
      const isFound = finder(search);
      const lately = writtenLately();
      return {
        schema: 1,
        ...health,
        commit,
        interval_seconds: intervalSeconds,
        shows_users: showUsers,
        last_cycle: last_cycle && lastCycle
          ? { ...last_cycle, kind: lastCycle.isFull ? "full" : "incremental", traffic }
          : null,
        last_hour: {
          users_added: lately.reduce((sum, { added }) => sum + added, 0),
          users_removed: lately.reduce((sum, { removed }) => sum + removed, 0),
        },
        rate_limits: [...limits.values()],
        mappings: mappings.map(mappingOf).filter(({ okta_group, grafana_team, pending, on_hold, would }) =>
          isFound(
            okta_group,
            grafana_team,
            pending.users,
            on_hold?.users,
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
