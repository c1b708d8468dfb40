/** A program that nobody listens to any more goes on. */
import { assertEquals } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, gotsCommand } from "../support.ts";

const CONFIG = "sync: { mappings: [{ okta_group: Engineering, grafana_team: Engineers }] }\n";

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
