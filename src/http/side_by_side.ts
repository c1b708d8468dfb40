/** Does several things at once, up to a limit. */

/**
 * Calls `act` for each item in order, `most` at a time, and waits until all have ended. After one
 * that throws, no other is started.
 *
 * @throws what the first one threw.
 */
export async function sideBySide<T>(
  items: Iterable<T>,
  most: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let hasFailed = false;
  async function work(): Promise<void> {
    for (let next = rest.next(); !next.done && !hasFailed; next = rest.next()) {
      await act(next.value).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  }
  await allOrFirstError(Array.from({ length: most }, work));
}

/**
 * Starts to read `ahead` items before they are needed, in order.
 *
 * @returns what gives the reading of the item at an index; to be called for one index after another.
 */
export function readAhead<T, R>(
  items: readonly T[],
  ahead: number,
  read: (item: T) => Promise<R>,
): (index: number) => Promise<R> {
  const begun: Promise<R>[] = [];
  return (index) => {
    for (const item of items.slice(begun.length, index + ahead)) {
      const reading = read(item);
      // The failure is thrown when the item is asked for, which may never happen.
      reading.catch(() => {});
      begun.push(reading);
    }
    return begun[index] ?? Promise.reject(new RangeError(`there is no item ${index}`));
  };
}

/**
 * Acts on the first item alone, then on the rest, `most` at a time: a failure that affects all is hit once.
 *
 * @throws whatever `act` does.
 */
export async function firstAlone<T>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  for (const first of items.slice(0, 1)) await act(first);
  await sideBySide(items.slice(1), most, act);
}

/** Waits for all, even if one fails: nothing runs on behind the caller's back. */
export async function allOrFirstError<T extends readonly unknown[]>(
  promises: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as { [K in keyof T]: Awaited<T[K]> };
}
