/** Lets other things run in the middle of long work, such as an answer to `/health`. */
import { setImmediate } from "node:timers/promises";

/** Resolves in the next turn of the event loop. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}
