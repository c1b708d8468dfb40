/** Values that nothing can change: any write to one throws. */

function refuse(): never {
  throw new TypeError("a frozen value was written to");
}

/** Freezes a value and everything in it, maps and sets included. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map || value instanceof Set) {
    for (const method of ["set", "add", "delete", "clear"]) {
      if (method in value) Object.defineProperty(value, method, { value: refuse });
    }
    for (const item of value instanceof Map ? [...value].flat() : value) freeze(item);
  }
  Object.freeze(value);
  for (const key of Reflect.ownKeys(value)) freeze(value[key as keyof T]);
  return value;
}
