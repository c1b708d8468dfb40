/** Carries out actions that do not depend on each other. */
import { isOutage, isServiceWide } from "../../http/error.ts";
import { firstAlone } from "../../http/side_by_side.ts";
import { nextTurn } from "../../http/turn.ts";
import type { Action } from "../plan/actions.ts";
import type { Emit, Event } from "./events.ts";
import type { Performer } from "./performer.ts";

/** After this many actions something else gets its turn. */
const ACTIONS_IN_A_ROW = 500;

/** How many actions are under way at once. */
const MOST_AT_ONCE = 8;

/**
 * Carries out actions, the first one alone and then several side by side. One that fails does not stop the others,
 * unless the next one would fail as well.
 *
 * @param mostOutages After this many failures in a row that are rather the service's, the rest is left to the next cycle.
 * @param teamId The team of changes to a membership.
 * @returns what made the rest pointless; `undefined` if everything was tried.
 * @throws {RequestError} of the kind `interrupted`; what took effect was emitted by then.
 */
export async function carryOut(
  actions: readonly Action[],
  performer: Performer,
  mostOutages: number,
  emit: Emit,
  teamId?: number,
): Promise<Error | undefined> {
  const fuse = createFuse(mostOutages);
  let ended = 0;
  await firstAlone(actions, MOST_AT_ONCE, async (action) => {
    if (fuse.blown()) return;
    const event = await performer.perform(action, teamId);
    const wasBlown = fuse.blown() !== undefined;
    fuse.note(event);
    ended++;
    if (event.kind !== "failed") emit(event);
    // The others that were under way fail in the same way, which is said once.
    else if (!wasBlown) emit({ ...event, untried: fuse.blown() ? actions.length - ended : 0 });
    if (ended % ACTIONS_IN_A_ROW === 0) await nextTurn();
  });
  return fuse.blown();
}

/** Notices when it is pointless to go on: at once if every request fails in the same way, else after some failures in a row. */
function createFuse(most: number) {
  let failures = 0;
  let reason: Error | undefined;
  return {
    blown: () => reason,
    note(event: Event): void {
      if (event.kind !== "failed") failures = 0;
      else {
        failures = isOutage(event.error) ? failures + 1 : 0;
        if (isServiceWide(event.error) || failures >= most) reason ??= event.error;
      }
    },
  };
}
