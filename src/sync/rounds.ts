/** Syncs a team once more from new looks, while the last ones are old or nobody knows what became of a write. */
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { Event } from "./act/events.ts";
import { BulkError } from "./act/performer.ts";
import { OutdatedError } from "./act/team.ts";
import { lookAnew, type LookOptions } from "./look.ts";
import type { View } from "./plan/team.ts";

/** How often a team is planned in one cycle, and how often in a row if nothing could be written meanwhile. */
const MOST_ROUNDS = 20;
const MOST_IDLE_ROUNDS = 2;

function isPassing(error: unknown): boolean {
  return isRequestError(error, "postponed") || error instanceof OutdatedError || error instanceof BulkError;
}

/**
 * Calls `sync` with a view, and with newer ones until it comes to its end.
 *
 * @param sync Its second argument says whether one request may set all members.
 * @param events What happened so far.
 * @throws whatever `sync` does, if that is not about old looks, or happens too often.
 */
export async function inRounds<T>(
  seen: View,
  sync: (view: View, mayBulk: boolean) => Promise<T>,
  events: () => readonly Event[],
  look: LookOptions,
  log: Logger,
): Promise<T> {
  const { name } = seen.looks[0];
  let [view, mayBulk, idle, written] = [seen, true, 0, 0];
  for (let round = 1;; round++) {
    try {
      return await sync(view, mayBulk);
    } catch (error) {
      const done = events().filter(({ kind }) => kind === "done").length;
      idle = done > written ? 0 : idle + 1;
      written = done;
      if (!isPassing(error) || round === MOST_ROUNDS || idle > MOST_IDLE_ROUNDS) throw error;
      mayBulk &&= !(error instanceof BulkError);
      const level = error instanceof OutdatedError ? "info" : "warning";
      log[level]("Team {team}: {error}; it is compared again", { team: name, error: errorMessage(error) });
      view = await lookAnew(view, look);
    }
  }
}
