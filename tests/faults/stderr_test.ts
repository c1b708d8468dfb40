/** A program that nobody listens to any more goes on. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, gotsCommand } from "../support.ts";

const CONFIG = "sync: { mappings: [{ okta_group: Engineering, grafana_team: Engineers }] }\n";

/** Runs a command line to its end, with both of its streams read. */
async function run([program = "", ...args]: readonly string[], world: World): Promise<Deno.CommandOutput> {
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  try {
    return await new Deno.Command(program, { args, cwd, env: world.environment, stdin: "null" }).output();
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** A world with one person to add, and a way to start `gots` in it. */
async function withProcess(
  test: (world: World, start: (...command: string[]) => Deno.Command) => Promise<void>,
): Promise<void> {
  await using world = startWorld();
  world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  try {
    await test(world, (program = "", ...args) =>
      new Deno.Command(program, {
        args,
        cwd,
        env: world.environment,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }));
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("standard error closed from the start: gots sync does its work and exits 0", () =>
  withProcess(async (world, start) => {
    const { code } = await start("sh", "-c", 'exec "$@" 2>&-', "sh", ...gotsCommand(), "sync").output();
    assertEquals(code, 0);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
  }));

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test({
  name:
    "standard error on a full disk: gots sync does its work, says on standard output what is lost, and exits 1",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withProcess(async (world) => {
      const shell = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"];
      const { code, stdout } = await run([...shell, ...gotsCommand(), "sync"], world);
      assertMatch(
        text(stdout),
        /^1 team, 1 member: 1 added, [^\n]*\n\d+ log lines could not be written to standard error: No space left/,
      );
      assertEquals(code, 1);
      assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
    }),
});

for (const command of ["sync", "plan", "check", "validate"]) {
  Deno.test({
    name: `standard output on a full disk: gots ${command} says so in a sentence, and exits 1`,
    ignore: Deno.build.os !== "linux",
    fn: () =>
      withProcess(async (world) => {
        const shell = ["sh", "-c", 'exec "$@" >/dev/full', "sh"];
        const { code, stderr } = await run([...shell, ...gotsCommand(), command], world);
        assertMatch(
          text(stderr),
          /^gots: Cannot write to standard output: No space left .*: free some space/m,
        );
        assertNotMatch(text(stderr), /^ +at /m);
        assertEquals(code, 1);
      }),
  });
}

Deno.test("standard error closed in the middle of a cycle: the service finishes it, and stops on SIGTERM with 0", () =>
  withProcess(async (world, start) => {
    const closed = Promise.withResolvers<void>();
    const filled = Promise.withResolvers<void>();
    world.grafana.intercept = async ({ method, url }, proceed) => {
      await closed.promise;
      const answer = await proceed();
      if (method === "POST" && url.endsWith("/members")) filled.resolve();
      return answer;
    };
    const child = start(...gotsCommand()).spawn();
    const reader = child.stderr.getReader();
    await reader.read();
    await reader.cancel();
    closed.resolve();
    await filled.promise;
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
  }));
