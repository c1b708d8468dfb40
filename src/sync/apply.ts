/** Carries out what the guard let through, and counts what came of it. */
import type { GrafanaClient } from "../grafana/client.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { Change } from "./plan.ts";
import type { MappingReport } from "./report.ts";

/** After so many refusals in a row the rest is left to the next cycle: the team may have been deleted meanwhile. */
const MOST_FAILURES = 5;

/** What applying needs. */
export interface ApplyOptions {
  readonly grafana: GrafanaClient;
  /** Carries the fields of the cycle and the mapping. */
  readonly log: Logger;
  readonly team: string;
  /** `undefined` if the team does not exist, which only a dry run leaves so. */
  readonly teamId: number | undefined;
  readonly dryRun: boolean;
  /** Writes that failed when they were last tried. */
  readonly failing: Set<string>;
}

function write(grafana: GrafanaClient, teamId: number, { action, user }: Change): Promise<void> {
  return action === "add"
    ? grafana.addTeamMember(teamId, user.userId)
    : grafana.removeTeamMember(teamId, user.userId);
}

const WORDS = {
  add: { done: "Added user {user} to team {team}", would: "Would add user {user} to team {team}" },
  remove: {
    done: "Removed user {user} from team {team}",
    would: "Would remove user {user} from team {team}",
  },
} as const;

/**
 * Applies changes of one kind, in order, and counts them in `report`; those that failed when they were last
 * tried come last. A change that fails is logged and counted and the rest goes on, unless the next one would
 * meet the same. In a dry run it only says what it would do.
 */
export async function applyChanges(
  changes: readonly Change[],
  report: MappingReport,
  { grafana, log, team, teamId, dryRun, failing }: ApplyOptions,
): Promise<void> {
  const keyOf = ({ action, user }: Change) => `${action} ${user.userId} ${teamId}`;
  const hasFailed = (change: Change) => Number(failing.has(keyOf(change)));
  const ordered = [...changes].sort((a, b) => hasFailed(a) - hasFailed(b));
  let failures = 0;
  for (const [i, change] of ordered.entries()) {
    const { action, address: user, why } = change;
    if (dryRun || teamId === undefined) {
      log.info(WORDS[action].would, { user, team, why, action: `would_${action}` });
      continue;
    }
    try {
      await write(grafana, teamId, change);
      failures = 0;
      failing.delete(keyOf(change));
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      failing.add(keyOf(change));
      failures = isRequestError(error, "server-error") ? failures + 1 : 0;
      const isHopeless = isServiceWide(error) || failures >= MOST_FAILURES;
      const untried = isHopeless ? ordered.length - i - 1 : 0;
      const rest = untried > 0 ? ` (${untried} more changes were not tried)` : "";
      const failed = `could not ${action} ${user}: ${errorMessage(error)}${rest}`;
      report.errors.push({ message: failed, user });
      log.error("Team {team}: {error}", { team, user, action, error: failed });
      if (isHopeless) {
        report.gaveUp = error instanceof Error ? error : undefined;
        return;
      }
      continue;
    }
    if (action === "add") report.added++;
    else report.removed++;
    log.info(WORDS[action].done, { user, team, why, action });
  }
}
