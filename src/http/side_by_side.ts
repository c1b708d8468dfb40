/** Does several things at once, and no more than so many. */

/**
 * Calls `act` for each item in their order, `most` at a time, and waits until all have come to their end. After one
 * that throws no other is begun.
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
 * Begins to read `ahead` items before they are asked for, in their order.
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
      // Whoever asks for it hears of its failure; nobody may ask any more.
      reading.catch(() => {});
      begun.push(reading);
    }
    return begun[index] ?? Promise.reject(new RangeError(`there is no item ${index}`));
  };
}

/**
 * Acts on the first item alone, and then on `most` of the rest at once: what would fail for all is tried once.
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

/** Waits for all, also if one fails: nothing goes on behind the caller's back. */
export async function allOrFirstError<T extends readonly unknown[]>(
  promises: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as { [K in keyof T]: Awaited<T[K]> };
}
