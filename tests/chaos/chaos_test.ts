import { assertEquals } from "@std/assert";
import { runWorld } from "./run.ts";

/** Others than these, and many more, run with `deno task test:chaos`. */
const SEEDS = Array.from({ length: 25 }, (_, i) => 1 + i);

Deno.test("chaos: in 25 random worlds nobody who belongs is removed, no foreign team touched, and all is well in the end", async () => {
  for (const seed of SEEDS) {
    const { violations, log } = await runWorld(seed);
    assertEquals(violations, [], `seed ${seed}:\n${log.slice(-40).join("\n")}`);
  }
});
