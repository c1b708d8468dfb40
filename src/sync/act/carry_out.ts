/** Carries out actions that do not depend on each other. */
import { createBreaker } from "../../http/breaker.ts";
import { isServiceWide } from "../../http/error.ts";
import { firstAlone } from "../../http/side_by_side.ts";
import { nextTurn } from "../../http/turn.ts";
import type { Action } from "../plan/actions.ts";
import type { Emit } from "./events.ts";
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
  const breaker = createBreaker(mostOutages, isServiceWide);
  let ended = 0;
  await firstAlone(actions, MOST_AT_ONCE, async (action) => {
    if (breaker.reason()) return;
    const event = await performer.perform(action, teamId);
    const wasOpen = breaker.reason() !== undefined;
    if (event.kind === "failed") breaker.failed(event.error);
    else breaker.succeeded();
    ended++;
    if (event.kind !== "failed") emit(event);
    // The others that were under way fail in the same way, which is said once.
    else if (!wasOpen) emit({ ...event, untried: breaker.reason() ? actions.length - ended : 0 });
    if (ended % ACTIONS_IN_A_ROW === 0) await nextTurn();
  });
  return breaker.reason();
}
