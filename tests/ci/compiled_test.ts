/** The compiled program: as it is built, where it runs, and the end-to-end tests once more with it. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { gotsCommand, run, start } from "../support.ts";
import { call, compile } from "./tool.ts";

const directory = await Deno.makeTempDir({ prefix: "gots-compiled-" });

const said = await compile(`${directory}/first`);
Deno.env.set("GOTS_BINARY", `${directory}/first/gots`);
await Deno.mkdir(`${directory}/empty`);
await Deno.chmod(directory, 0o755);

Deno.test("only what runs is in the program: our part is small", () => {
  const [, size] = said.match(/of which ([\d.]+) MB are gots/) ?? [];
  assert(Number(size) < 2, said);
});

Deno.test("the same sources give the same program, byte for byte", async () => {
  await compile(`${directory}/second`);
  const [first, second] = await Promise.all(
    ["first", "second"].map(async (name) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(`${directory}/${name}/gots`)))
        .toHex()
    ),
  );
  assertEquals(first, second);
});

Deno.test("the program says its version, the commit, Deno's version and the target", async () => {
  const { stdout } = await run(["--version"], { cwd: `${directory}/empty` });
  assertMatch(stdout, /^gots \d+\.\d+\.\d+ \([0-9a-f]{7,}\+?, Deno \d+\.\d+\.\d+, [\w-]+\)\n$/);
});

/** What a hardened container or unit leaves: nothing can be written, nobody is known, nothing is in the environment. */
const CONFINED = `
mount --bind / / && mount -o remount,ro,bind / && mount -o remount,ro /tmp 2>/dev/null
cd "$1" && touch written 2>/dev/null && echo "the file system can be written" && exit 1
exec setpriv --reuid 54321 --regid 54321 --clear-groups --no-new-privs --bounding-set=-all env -i LANG=C "$2" demo --once
`;

Deno.test({
  name: "the program runs in an empty directory of a read-only file system, as any user, without a home",
  ignore: Deno.uid() !== 0,
  async fn() {
    const [program = ""] = gotsCommand();
    const within = ["bash", "-c", CONFINED, "confined", `${directory}/empty`, program];
    const { code, output } = await call("unshare", ["--mount", "--propagation", "private", ...within]);
    assertMatch(
      output,
      /Teams after cycle 2:\n {2}Engineers: alice\.moore@example\.com, dave\.kim@example\.com/,
    );
    assertEquals(code, 0);
  },
});

Deno.test({
  name: "SIGUSR1 neither ends the program nor opens an inspector",
  ignore: Deno.build.os === "windows",
  async fn() {
    const demo = start(["demo"], { cwd: `${directory}/empty` });
    await demo.waitFor(/Sync completed/);
    // An inspector would be there after the grace that the runtime takes.
    demo.kill("SIGUSR1");
    await demo.waitFor(/(?:Sync completed[^]*){6}/);
    await assertRejects(
      () => Deno.connect({ hostname: "127.0.0.1", port: 9_229 }),
      Deno.errors.ConnectionRefused,
    );
    demo.kill("SIGTERM");
    assertEquals((await demo.finished).code, 0);
  },
});

for (const name of ["cli", "demo", "service", "sign_in", "sync"]) await import(`../e2e/${name}_test.ts`);

Deno.test("the compiled program is cleared away", async () => {
  Deno.env.delete("GOTS_BINARY");
  await Deno.remove(directory, { recursive: true });
});
