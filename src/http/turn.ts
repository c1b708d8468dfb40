/** Lets other things run in the middle of long work, such as an answer to `/health`. */

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
