/** What the status shows of the service's state. */
import type { AuditLine } from "../observability/audit.ts";
import { isSuccess } from "../sync/tell/report.ts";
import type { SyncError } from "../sync/tell/words.ts";
import { commit } from "../version.ts";
import type { Board, BoardChange, BoardMapping, MappingState, OpenChanges } from "./board.ts";
import type { Moment } from "./happening.ts";
import { summaryOf } from "./health.ts";
import type { KnownMapping, Person } from "./known.ts";
import { type ServiceState, writtenLately } from "./state.ts";

const time = (at: number) => new Date(at).toISOString();

function messageOf({ message, user }: SyncError, showUsers: boolean): string {
  return user === undefined || showUsers ? message : "a change of somebody failed; the log names them";
}

function stateOf({ report, isInSync }: KnownMapping): MappingState {
  if (!report) return "waiting";
  if (report.errors.length > 0) return "failed";
  if (!isSuccess(report)) return "on_hold";
  return isInSync ? "in_sync" : "out_of_sync";
}

function showMapping(known: KnownMapping, state: ServiceState, now: Moment): BoardMapping {
  const { key, mapping, report, isInSync, lastInSyncAt } = known;
  const { settings: { showUsers }, teams } = state;
  const team = teams.get(mapping.grafana_team);
  const own = (found: readonly Person[] = []): OpenChanges => {
    const users = found.filter((person) => person.key === key).map(({ address }) => address);
    return { count: users.length, ...(showUsers ? { users } : {}) };
  };
  const onHold = own(team?.onHold);
  const word = stateOf(known);
  return {
    okta_group: mapping.okta_group,
    grafana_team: mapping.grafana_team,
    state: word,
    group_members: report?.groupMembers ?? null,
    team_members: report?.teamMembers ?? null,
    last_sync_at: report ? time(report.endedAt) : null,
    duration_seconds: report?.durationSeconds ?? null,
    users_added: known.added,
    users_removed: known.removed,
    last_in_sync_at: lastInSyncAt === undefined ? null : time(lastInSyncAt),
    out_of_sync_seconds: isInSync ? 0 : Math.round((now.at - (lastInSyncAt ?? known.since)) / 1_000),
    pending: own(team?.pending),
    on_hold: team?.reason && onHold.count > 0
      ? { ...onHold, reason: team.reason, explanation: team.explanation }
      : null,
    would: word === "out_of_sync" ? { add: own(team?.additions), remove: own(team?.removals) } : null,
    errors: [...new Set(report?.errors.map((error) => messageOf(error, showUsers)))],
  };
}

function showChange(line: AuditLine, showUsers: boolean): BoardChange {
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

/** Whether one of these strings holds what is looked for. */
function finder(
  search: string,
): (...strings: readonly (string | readonly string[] | undefined)[]) => boolean {
  const wanted = search.trim().toLowerCase();
  return (...strings) => strings.flat().some((one) => one?.toLowerCase().includes(wanted));
}

/** In the order of their names, in whatever order they were told. */
const byName = <T>(nameOf: (one: T) => string) => (a: T, b: T) => nameOf(a) < nameOf(b) ? -1 : 1;

/** The mappings and changes in which the search is found. */
function showFound(state: ServiceState, now: Moment, search: string): Pick<Board, "mappings" | "changes"> {
  const isFound = finder(search);
  const { mappings, changes, settings: { showUsers } } = state;
  return {
    mappings: mappings.all.map((known) => showMapping(known, state, now)).filter((
      { okta_group, grafana_team, pending, on_hold, would },
    ) =>
      isFound(
        okta_group,
        grafana_team,
        pending.users,
        on_hold?.users,
        would?.add.users,
        would?.remove.users,
      )
    ),
    changes: changes.map((line) => showChange(line, showUsers)).filter((
      { user, grafana_team, okta_group },
    ) => isFound(user, grafana_team, okta_group)).reverse(),
  };
}

/**
 * What the status shows now, or the part of it that `search` is found in: in a team, a group or, where they are shown,
 * a person.
 */
export function boardOf(state: ServiceState, now: Moment, search = ""): Board {
  const { last_cycle, ...summary } = summaryOf(state, now);
  const { lastCycle, limits, settings: { intervalSeconds, showUsers } } = state;
  const lately = writtenLately(state, now.at);
  return {
    schema: 1,
    ...summary,
    commit,
    interval_seconds: intervalSeconds,
    shows_users: showUsers,
    last_cycle: last_cycle && lastCycle
      ? {
        ...last_cycle,
        kind: lastCycle.isFull ? "full" : "incremental",
        traffic: lastCycle.traffic.toSorted(byName(({ service }) => service)),
      }
      : null,
    last_hour: {
      users_added: lately.reduce((sum, { added }) => sum + added, 0),
      users_removed: lately.reduce((sum, { removed }) => sum + removed, 0),
    },
    rate_limits: [...limits.values()].sort(byName(({ service, family }) => `${service} ${family}`)),
    ...showFound(state, now, search),
  };
}
