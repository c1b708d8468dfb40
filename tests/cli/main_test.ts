import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith } from "../support.ts";
import { onScreen, runMain } from "./world.ts";

async function withWorld(test: (world: World, config: string) => Promise<void>): Promise<void> {
  const world = startWorld();
  world.okta.addGroup("Engineering", [
    world.addPerson("alice@example.com"),
    world.okta.addUser("new@example.com"),
  ]);
  const directory = await directoryWith({
    "config.yaml": 'sync: { mappings: [{ okta_group: "Engineering", grafana_team: "Engineers" }] }',
  });
  try {
    await test(world, `${directory}/config.yaml`);
  } finally {
    await world.close();
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("on a terminal, sync shows progress that leaves nothing behind, text logs and a summary", () =>
  withWorld(async (world, config) => {
    const { code, stdout, stderr } = await runMain(["sync", config], world.environment, { isTerminal: true });
    assertEquals(code, 0);
    assertStringIncludes(stderr, "Reading Okta group Engineering: 2 …");
    assertEquals(onScreen(stderr).includes("Reading"), false);
    assertMatch(onScreen(stderr), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (INFO|WARNING) - /);
    assertMatch(
      stdout,
      /1 team, 1 member: 1 added, 0 removed, 1 pending, 0 errors; \d+ calls in \d+\.\d s\n$/,
    );
  }));

Deno.test("away from a terminal there is no progress and no colour, and logs are as configured", () =>
  withWorld(async (world, config) => {
    const { stdout, stderr } = await runMain(["sync", config], world.environment);
    assertEquals((stdout + stderr).includes("\x1b"), false);
    for (const line of stderr.trim().split("\n")) JSON.parse(line);
  }));

Deno.test("NO_COLOR takes colours and progress away on a terminal", () =>
  withWorld(async (world, config) => {
    const coloured = await runMain(["plan", config], world.environment, { isTerminal: true });
    assertStringIncludes(coloured.stdout, "\x1b[32mEngineers  + add");
    const plain = await runMain(["plan", config], world.environment, { isTerminal: true, noColor: true });
    assertEquals((plain.stdout + plain.stderr).includes("\x1b"), false);
    const logs = await runMain(["sync", config], world.environment, { isTerminal: true, noColor: true });
    assertMatch(logs.stderr, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - /, "and the logs stay text");
  }));

Deno.test("plan shows what is on hold and why, and its status is 1", () =>
  withWorld(async (world, config) => {
    await runMain(["sync", config], world.environment);
    world.okta.group("Engineering").members.clear();
    const { code, stdout } = await runMain(["plan", "--detailed-exitcode", config], world.environment);
    assertEquals(code, 1);
    assertMatch(stdout, /Engineers {2}! on hold {2}alice@example\.com {2}.*allow_empty: true/);
    assertMatch(stdout, /1 removal on hold/);
    const json = JSON.parse((await runMain(["plan", "--format", "json", config], world.environment)).stdout);
    assertEquals(json.teams[0].on_hold.reason, "empty-group");
    assertEquals(json.teams[0].remove, []);
  }));

Deno.test("plan names what could not be compared, and a team that is to be created", () =>
  withWorld(async (world, config) => {
    const create = await runMain(["plan", "--detailed-exitcode", config], world.environment);
    assertEquals(create.code, 2);
    assertMatch(create.stdout, /Engineers {2}\+ create {3}the team/);
    const failed = await runMain(["plan", "--format", "json", config], {
      ...world.environment,
      GRAFANA_API_KEY: "x",
    });
    assertEquals(failed.code, 1);
    const { complete, errors } = JSON.parse(failed.stdout);
    assertEquals([complete, errors[0].grafana_team], [false, "Engineers"]);
    assertMatch(errors[0].message, /Grafana rejected the token/);
  }));

Deno.test("plan tells two Grafana users of one address apart for nobody", () =>
  withWorld(async (world, config) => {
    world.grafana.state.addUser({ login: "a1", email: "NEW@example.com" });
    world.grafana.state.addUser({ login: "a2", email: "New@example.com" });
    const { code, stdout } = await runMain(["plan", config], world.environment);
    assertEquals(code, 1);
    assertMatch(stdout, /! ambiguous {2}new@example\.com {4}2 Grafana users could be this person/);
    const json = JSON.parse((await runMain(["plan", "--format", "json", config], world.environment)).stdout);
    assertEquals(json.teams[0].ambiguous[0].candidates.map(({ login }: { login: string }) => login), [
      "a1",
      "a2",
    ]);
  }));

Deno.test("validate warns of what is odd, and of wrong usage the status is 64", async () => {
  const directory = await directoryWith({
    "config.yaml": `
okta: { domain: a.okta.com, api_token: t }
grafana: { url: g, api_key: k }
sync: { dry_run: yes, mappings: [{ okta_group: A, grafana_team: B }, { okta_group: A, grafana_team: B }] }`,
  });
  const { code, stdout, stderr } = await runMain(["validate", `${directory}/config.yaml`]);
  assertEquals(code, 0);
  assertMatch(stdout, /is valid: 1 mapping into 1 team, every 300 s, dry run\n$/);
  assertMatch(stderr, /^Warning: sync\.mappings\[1\]: 'A' -> 'B' appears twice/);
  assertEquals((await runMain(["validate", "x", "y"])).code, 64);
  assertEquals((await runMain(["--help"])).code, 0);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("plan does not say that nothing could be compared where one of two teams was", () =>
  withWorld(async (world, config) => {
    const mappings =
      '[{ okta_group: "Engineering", grafana_team: "Engineers" }, { okta_group: "Gone", grafana_team: "Ghosts" }]';
    await Deno.writeTextFile(config, `sync: { mappings: ${mappings} }`);
    await runMain(["sync", config], world.environment);
    world.okta.group("Engineering").members.delete(
      [...world.okta.group("Engineering").members][1] ?? world.okta.addUser("nobody@example.com"),
    );
    const { code, stdout } = await runMain(["plan", config], world.environment);
    assertEquals(code, 1);
    assertMatch(stdout, /^No changes in the teams that could be compared; see the errors\.\n/);
  }));

for (
  const [existing, says] of [
    ["engineers", /Grafana has no team 'Engineers', but has 'engineers': use Grafana's spelling/],
    ["Engineer", /but has 'Engineer'/],
    ["Gardeners", undefined],
  ] as const
) {
  Deno.test(`plan ${says ? "warns" : "does not warn"} of a team that would be created beside '${existing}'`, () =>
    withWorld(async (world, config) => {
      world.grafana.state.addTeam(existing);
      const { code, stdout, stderr } = await runMain(["plan", config], world.environment);
      assertEquals(code, 0);
      assertMatch(stdout, /Engineers {2}\+ create/);
      if (says) assertMatch(stderr, says);
      else assertEquals(stderr.includes("has no team"), false);
      const lists = world.grafana.received.filter(({ path }) => /^\/api\/teams\/search\?perpage/.test(path));
      assertEquals(lists.length, 1, "the teams are listed once");
    }));
}

Deno.test("a team that another mapping names is not taken for the one that was meant", () =>
  withWorld(async (world, config) => {
    const mappings = ["Engineers", "Engineer"].map((team) =>
      `{ okta_group: "Engineering", grafana_team: "${team}" }`
    );
    await Deno.writeTextFile(config, `sync: { mappings: [${mappings.join()}] }`);
    world.grafana.state.addTeam("Engineer");
    const { stderr } = await runMain(["plan", config], world.environment);
    assertEquals(stderr.includes("has no team"), false);
  }));
