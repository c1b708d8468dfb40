/** Carries out what the guard let through, and counts what came of it. */
import type { GrafanaClient } from "../grafana/client.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import { nextTurn } from "../http/turn.ts";
import { audit, type AuditOutcome } from "../observability/audit.ts";
import type { Logger } from "../observability/log.ts";
import { OutdatedError } from "./decide.ts";
import type { Change } from "./plan.ts";
import type { MappingReport } from "./report.ts";
import { firstAlone } from "../http/side_by_side.ts";

/** After so many refusals in a row the rest is left to the next cycle: the team may have been deleted meanwhile. */
const MOST_FAILURES = 5;

/** After so many lines in the log something else gets its turn. */
const TOLD_IN_A_ROW = 500;

/** So many changes are under way at once. */
const MOST_AT_ONCE = 8;

/** What applying needs. */
export interface ApplyOptions {
  readonly grafana: GrafanaClient;
  /** Carries the fields of the cycle and the mapping. */
  readonly log: Logger;
  readonly team: string;
  /** `undefined` if the team does not exist, which only a dry run leaves so. */
  readonly teamId: number | undefined;
  readonly dryRun: boolean;
  readonly monotonic: () => number;
  /** After this time nothing is written any more, by `monotonic`. */
  readonly goodUntil: number;
  /** Changes that were written already, all at once: they are only told of and counted. */
  readonly written: ReadonlySet<Change>;
  /** Writes that failed when they were last tried. */
  readonly failing: Set<string>;
}

function write(grafana: GrafanaClient, teamId: number, { action, user }: Change): Promise<void> {
  return action === "add"
    ? grafana.addTeamMember(teamId, user.userId)
    : grafana.removeTeamMember(teamId, user.userId);
}

const WORDS = {
  add: {
    done: "Added user {user} to team {grafana_team}",
    planned: "Would add user {user} to team {grafana_team}",
  },
  remove: {
    done: "Removed user {user} from team {grafana_team}",
    planned: "Would remove user {user} from team {grafana_team}",
  },
} as const;

/**
 * Applies changes of one kind, several side by side, and counts them in `report`; those that failed when they were
 * last tried come last. A change that fails is logged and counted and the rest goes on, unless the next one would
 * meet the same. In a dry run it only says what it would do.
 *
 * @throws {RequestError} of the kind `interrupted`, or `postponed`; {@linkcode OutdatedError}. What was done is counted.
 */
export async function applyChanges(
  changes: readonly Change[],
  report: MappingReport,
  options: ApplyOptions,
): Promise<void> {
  const { grafana, log, team, teamId, dryRun, written, failing, monotonic, goodUntil } = options;
  const fieldsOf = ({ action, address, user: { userId }, why }: Change, outcome: AuditOutcome) => ({
    ...audit(action, outcome),
    grafana_team: team,
    ...(teamId === undefined ? {} : { team_id: teamId }),
    user: address,
    user_id: userId,
    why,
  });
  if (dryRun || teamId === undefined) {
    for (const [i, change] of changes.entries()) {
      if (i % TOLD_IN_A_ROW === TOLD_IN_A_ROW - 1) await nextTurn();
      log.info(WORDS[change.action].planned, fieldsOf(change, "planned"));
    }
    return;
  }
  const keyOf = ({ action, user }: Change) => `${action} ${user.userId} ${teamId}`;
  const hasFailed = (change: Change) => Number(failing.has(keyOf(change)));
  const ordered = failing.size === 0
    ? [...changes]
    : [...changes].sort((a, b) => hasFailed(a) - hasFailed(b));
  /** What came of each change, until it was told; `done` in place of an error. */
  const outcomes = new Map<Change, unknown>();
  const done = Symbol();
  let [told, failures] = [0, 0];
  /** The rest would meet the same. */
  let isHopeless = false;

  function tellDone(change: Change): void {
    if (change.action === "add") report.added++;
    else report.removed++;
    log.info(WORDS[change.action].done, fieldsOf(change, "done"));
  }

  function tellFailure(change: Change, error: unknown): void {
    const { action, address: user } = change;
    failing.add(keyOf(change));
    if (isHopeless) return;
    failures = isRequestError(error, "server-error") ? failures + 1 : 0;
    isHopeless = isServiceWide(error) || failures >= MOST_FAILURES;
    const untried = isHopeless ? ordered.filter((one) => !outcomes.has(one)).length : 0;
    const rest = untried > 0
      ? ` (${untried} more ${untried === 1 ? "change was" : "changes were"} not tried)`
      : "";
    const failed = `could not ${action} ${user}: ${errorMessage(error)}${rest}`;
    report.errors.push({ message: failed, user });
    log.error("Team {grafana_team}: {_error}", { ...fieldsOf(change, "failed"), _error: failed });
    if (isHopeless) report.gaveUp = error instanceof Error ? error : undefined;
  }

  /** Tells what came of the changes, in their order, as far as it is known of all before. */
  function tell(): void {
    for (; told < ordered.length; told++) {
      const change = ordered[told];
      if (!change || !outcomes.has(change)) return;
      const outcome = outcomes.get(change);
      if (outcome !== done) tellFailure(change, outcome);
      else {
        failures = 0;
        failing.delete(keyOf(change));
        tellDone(change);
      }
    }
  }

  async function apply(change: Change): Promise<void> {
    if (isHopeless) return;
    if (!written.has(change) && monotonic() > goodUntil) throw new OutdatedError();
    try {
      if (!written.has(change)) await write(grafana, teamId ?? 0, change);
      else if (outcomes.size % TOLD_IN_A_ROW === 0) await nextTurn();
      outcomes.set(change, done);
    } catch (error) {
      if (isRequestError(error, "interrupted", "postponed")) throw error;
      outcomes.set(change, error);
    }
    tell();
  }

  try {
    await firstAlone(ordered, MOST_AT_ONCE, apply);
  } finally {
    // After an interruption or a wait there are gaps: what was done is told all the same.
    for (const change of ordered.slice(told)) if (outcomes.get(change) === done) tellDone(change);
  }
}
