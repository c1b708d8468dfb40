/** Several things at once. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { readAhead, sideBySide } from "../../src/http/side_by_side.ts";

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};

Deno.test("everything is done, in order of beginning, and never more at once than allowed", async () => {
  const begun: number[] = [];
  let [underWay, most] = [0, 0];
  await sideBySide(Array.from({ length: 20 }, (_, i) => i), 3, async (item) => {
    begun.push(item);
    most = Math.max(most, ++underWay);
    await turns(5 - item % 3);
    underWay--;
  });
  assertEquals(begun, Array.from({ length: 20 }, (_, i) => i));
  assertEquals([underWay, most], [0, 3]);
});

Deno.test("after one that throws nothing else is begun, and what is under way is waited for", async () => {
  const ended: number[] = [];
  const error = await assertRejects(() =>
    sideBySide([0, 1, 2, 3, 4, 5], 2, async (item) => {
      await turns(item === 1 ? 1 : 9);
      if (item === 1) throw new Error(`no ${item}`);
      ended.push(item);
    })
  );
  assertEquals([String(error), ended], ["Error: no 1", [0]]);
});

Deno.test("nothing to do is done at once", async () => {
  await sideBySide([], 8, () => Promise.reject(new Error("never")));
});

Deno.test("what is read ahead is begun in its order, so far ahead and no further", async () => {
  const begun: string[] = [];
  const take = readAhead(["a", "b", "c", "d", "e"], 2, (item) => {
    begun.push(item);
    return Promise.resolve(item.toUpperCase());
  });
  assertEquals(begun, [], "nothing before the first is asked for");
  assertEquals(await take(0), "A");
  assertEquals(begun, ["a", "b"]);
  assertEquals(await take(1), "B");
  assertEquals(begun, ["a", "b", "c"]);
});

Deno.test("a reading that fails is heard of by whoever asks for it, and by nobody else", async () => {
  const take = readAhead(["a", "b"], 2, (item) => Promise.reject(new Error(`no ${item}`)));
  await assertRejects(() => take(0), Error, "no a");
  await turns(20);
  assert(true, "nobody asked for the second one");
});
