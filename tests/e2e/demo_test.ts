import { assertEquals, assertMatch } from "@std/assert";
import { run, start } from "../support.ts";

Deno.test("gots demo --once shows an addition and a removal in its second cycle, and the teams before and after", async () => {
  const { code, stdout, stderr } = await run(["demo", "--once"]);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /Open http:\/\/127\.0\.0\.1:\d+ in a browser/);
  const second = stderr.slice(stderr.lastIndexOf("Starting sync: Engineering -> Engineers"));
  assertMatch(second, /Sync diff: 1 to add, 1 to remove/);
  assertMatch(second, /Added user dave\.kim@example\.com to team Engineers/);
  assertMatch(second, /Removed user bob\.stone@example\.com from team Engineers/);
  assertMatch(stdout, /Teams before:\n {2}Engineers: nobody\n/);
  assertMatch(
    stdout,
    /Teams after cycle 2:\n {2}Engineers: alice\.moore@example\.com, dave\.kim@example\.com\n/,
  );
});

Deno.test("gots demo goes on until Ctrl-C", async () => {
  const process = start(["demo"]);
  await process.waitFor(/Removed user[^]*Starting sync: Data Science -> Data Scientists/);
  process.kill("SIGINT");
  assertEquals((await process.finished).code, 0);
});
