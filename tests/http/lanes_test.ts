/** How many requests go out at once. */
import { assertEquals, assertRejects } from "@std/assert";
import { createLanes, type Lanes } from "../../src/http/lanes.ts";

const GOOD = { route: "/a", seconds: 0.01, isOverloaded: false };
const OVERLOADED = { ...GOOD, isOverloaded: true };
const never = new AbortController().signal;

/** Requests that want through, and how many are. */
function crowd(lanes: Lanes) {
  const through: ((passage: typeof GOOD) => void)[] = [];
  return {
    come(count: number): void {
      for (let i = 0; i < count; i++) void lanes.enter(never).then((leave) => through.push(leave));
    },
    /** How many are under way. */
    async underWay(): Promise<number> {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      return through.length;
    },
    /** Ends all that are under way. */
    end(passage: typeof GOOD): void {
      for (const leave of through.splice(0)) leave(passage);
    },
  };
}

async function widths(most: number, ends: readonly (typeof GOOD)[]): Promise<number[]> {
  const requests = crowd(createLanes({ most }));
  requests.come(1_000);
  const counts = [await requests.underWay()];
  for (const passage of ends) {
    requests.end(passage);
    counts.push(await requests.underWay());
  }
  return counts;
}

const times = (count: number, passage: typeof GOOD) => Array.from({ length: count }, () => passage);

Deno.test("lanes begin with two, double while all is well, and never pass their most", async () => {
  assertEquals(await widths(7, times(4, GOOD)), [2, 4, 7, 7, 7]);
});

Deno.test("a service that has too much to do gets half, and then one more with each round", async () => {
  const ends = [...times(3, GOOD), OVERLOADED, ...times(4, GOOD)];
  assertEquals(await widths(8, ends), [2, 4, 8, 8, 4, 4, 5, 6, 7]);
});

Deno.test("there is always one lane left", async () => {
  assertEquals(await widths(8, times(6, OVERLOADED)), [2, 1, 1, 1, 1, 1, 1]);
});

Deno.test("several refusals of one round halve the lanes once", async () => {
  const requests = crowd(createLanes({ first: 8, most: 8 }));
  requests.come(100);
  assertEquals(await requests.underWay(), 8);
  requests.end(OVERLOADED);
  assertEquals(await requests.underWay(), 4);
});

Deno.test("a service that slows down gets fewer requests; one that was slow from the beginning does not", async () => {
  const slow = { ...GOOD, seconds: 2 };
  assertEquals(await widths(8, [GOOD, GOOD, slow, slow]), [2, 4, 8, 4, 2]);
  assertEquals(await widths(8, [slow, slow, slow]), [2, 4, 8, 8]);
});

Deno.test("what is slow on one route says nothing about another", async () => {
  const other = { ...GOOD, route: "/b", seconds: 2 };
  assertEquals(await widths(8, [GOOD, GOOD, other]), [2, 4, 8, 8]);
});

Deno.test("whoever comes first goes first, and whoever gives up makes no gap", async () => {
  const lanes = createLanes({ first: 1, most: 1 });
  const order: number[] = [];
  const leave = await lanes.enter(never);
  const impatient = new AbortController();
  const waiting = [
    lanes.enter(never).then((end) => (order.push(1), end)),
    lanes.enter(impatient.signal),
    lanes.enter(never).then((end) => (order.push(3), end)),
  ];
  impatient.abort(new DOMException("enough", "AbortError"));
  await assertRejects(() => waiting[1] ?? Promise.resolve(), DOMException, "enough");
  leave(GOOD);
  (await waiting[0])?.(GOOD);
  (await waiting[2])?.(GOOD);
  assertEquals(order, [1, 3]);
});

Deno.test("after a shutdown nobody enters", async () => {
  await assertRejects(() => createLanes({ most: 1 }).enter(AbortSignal.abort()), DOMException);
});
