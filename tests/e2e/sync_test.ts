import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, run, start } from "../support.ts";

const CONFIG = `
okta: { domain: "\${OKTA_DOMAIN}", api_token: "\${OKTA_API_TOKEN}" }
grafana: { url: "\${GRAFANA_URL}", api_key: "\${GRAFANA_API_KEY}" }
logging: { format: text }
sync:
  mappings:
    - { okta_group: "Engineering", grafana_team: "Engineers" }
`;

/** A world with one mapping, and a directory with its configuration. */
async function withWorld(test: (world: World, cwd: string) => Promise<void>): Promise<void> {
  const world = startWorld();
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  const [alice, bob] = [world.addPerson("alice@example.com"), world.addPerson("bob@example.com")];
  world.okta.addGroup("Engineering", [alice, bob]);
  try {
    await test(world, cwd);
  } finally {
    await world.close();
    await Deno.remove(cwd, { recursive: true });
  }
}

const writes = ({ grafana }: World) => grafana.received.filter(({ method }) => method !== "GET");

Deno.test("gots sync converges, and a second run writes nothing", () =>
  withWorld(async (world, cwd) => {
    const first = await run(["sync"], { cwd, env: world.environment });
    assertEquals(first.code, 0, first.stderr);
    assertMatch(
      first.stdout,
      /^1 team, 2 members: 2 added, 0 removed, 0 pending, 0 errors; \d+ calls in \d+\.\d s\n$/,
    );
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com", "bob@example.com"]);

    world.grafana.received.length = 0;
    const second = await run(["sync"], { cwd, env: world.environment });
    assertEquals(second.code, 0);
    assertEquals(writes(world), []);
  }));

Deno.test("gots plan shows the changes and the reasons, and writes nothing", () =>
  withWorld(async (world, cwd) => {
    world.okta.group("Engineering").members.add(world.okta.addUser("new@example.com"));
    const carol = world.grafana.state.addUser({ login: "carol@example.com", email: "carol@example.com" });
    world.grafana.state.addTeam("Engineers").members.set(carol.id, 0);

    const table = await run(["plan", "--detailed-exitcode"], { cwd, env: world.environment });
    assertEquals(table.code, 2, table.stderr);
    assertEquals(table.stdout.split("\n").slice(0, 5), [
      "TEAM       CHANGE     WHO                WHY",
      "Engineers  + add      alice@example.com  in Okta group 'Engineering'",
      "Engineers  + add      bob@example.com    in Okta group 'Engineering'",
      "Engineers  - remove   carol@example.com  not in Okta group 'Engineering'",
      "Engineers  ~ pending  new@example.com    in Okta group 'Engineering', but not in this Grafana organisation",
    ]);

    const json = await run(["plan", "--format", "json"], { cwd, env: world.environment });
    assertEquals(json.code, 0);
    const plan = JSON.parse(json.stdout);
    assertEquals([plan.version, plan.complete, plan.teams.length], [1, true, 1]);
    assertEquals(plan.teams[0].remove, [{
      user_id: carol.id,
      email: "carol@example.com",
      login: "carol@example.com",
      why: "not in Okta group 'Engineering'",
    }]);
    assertEquals(plan.teams[0].pending[0].email, "new@example.com");
    assertEquals(writes(world), []);
  }));

Deno.test("an error outranks changes in the status of gots plan, and no change is status 0", () =>
  withWorld(async (world, cwd) => {
    await run(["sync"], { cwd, env: world.environment });
    const same = await run(["plan", "--detailed-exitcode"], { cwd, env: world.environment });
    assertEquals([same.code, same.stdout.split("\n")[0]], [0, "No changes."]);

    world.okta.group("Engineering").name = "Renamed";
    const failed = await run(["plan", "--detailed-exitcode"], { cwd, env: world.environment });
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.stderr, "Group not found: Engineering");
  }));

Deno.test("what failed is in the status, and in words that say what to do", () =>
  withWorld(async (world, cwd) => {
    const { code, stderr } = await run(["sync"], {
      cwd,
      env: { ...world.environment, OKTA_API_TOKEN: "wrong" },
    });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Authentication failed - invalid API token");
    assertStringIncludes(stderr, "create a new token");
    assertEquals(stderr.includes("wrong"), false);
  }));

Deno.test("a plan that is interrupted exits 130, and says that it is not whole", () =>
  withWorld(async (world, cwd) => {
    const { promise: isAsked, resolve } = Promise.withResolvers<void>();
    world.okta.intercept = (request, proceed) => {
      if (!request.url.includes("/users")) return proceed();
      resolve();
      return new Promise(() => {});
    };
    const process = start(["plan"], { cwd, env: world.environment });
    await isAsked;
    process.kill("SIGINT");
    const { code, stdout } = await process.finished;
    assertEquals(code, 130);
    assertMatch(
      stdout,
      /^Nothing was compared\.\nInterrupted; not every team was compared\. 0 teams, /,
    );
  }));

Deno.test("SIGTERM in the middle of a first sync exits 143 and the next run completes it", () =>
  withWorld(async (world, cwd) => {
    const members = Array.from({ length: 40 }, (_, i) => world.addPerson(`person${i}@example.com`));
    for (const member of members) world.okta.group("Engineering").members.add(member);
    world.grafana.latencyMs = 20;
    const process = start(["sync"], { cwd, env: world.environment });
    await process.waitFor(/Added user/);
    process.kill("SIGTERM");
    const { code, stdout } = await process.finished;
    assertEquals(code, 143);
    assertMatch(stdout, /^Interrupted; the next run will finish it\./);

    world.grafana.latencyMs = 0;
    assertEquals((await run(["sync"], { cwd, env: world.environment })).code, 0);
    assertEquals(world.grafana.state.membersOf("Engineers").length, 42);
  }));
