/** The end-to-end tests once more, with the compiled program in place of the source. */
import { assertEquals } from "@std/assert";
import { run } from "../support.ts";

const root = new URL("../../", import.meta.url).pathname;
const directory = await Deno.makeTempDir({ prefix: "gots-compiled-" });
const binary = `${directory}/gots`;
const compiled = await new Deno.Command(`${root}tools/compile.sh`, {
  args: ["--quiet", "--allow-net", "--allow-env", "--allow-read", "--output", binary, "src/main.ts"],
  cwd: root,
}).output();
if (!compiled.success) throw new Error(new TextDecoder().decode(compiled.stderr));
Deno.env.set("GOTS_BINARY", binary);

Deno.test("the compiled program runs in an empty directory without a home", async () => {
  const { code, stdout } = await run(["--version"], { cwd: directory, env: { HOME: "/nonexistent" } });
  assertEquals([code, stdout.startsWith("gots ")], [0, true]);
});

for (const name of ["cli", "demo", "service", "sync"]) await import(`../e2e/${name}_test.ts`);

Deno.test("the compiled program is cleared away", () => Deno.remove(directory, { recursive: true }));
