import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, freePort, run, start } from "../support.ts";

/** What the predecessor's README shows as its configuration, word for word. */
const GOTS_CONFIG = `
okta:
  domain: \${OKTA_DOMAIN}        # Okta domain (e.g., company.okta.com)
  api_token: \${OKTA_API_TOKEN}  # Okta API token

grafana:
  url: \${GRAFANA_URL}           # Grafana URL (e.g., https://grafana.example.com)
  api_key: \${GRAFANA_API_KEY}   # Grafana API key

sync:
  interval_seconds: 300          # Sync frequency (minimum 60 seconds)
  dry_run: false                 # true = preview changes, false = apply changes
  mappings:
    - okta_group: "Engineering"  # Exact Okta group name
      grafana_team: "Engineers"  # Grafana team name (created if doesn't exist)
    - okta_group: "DataScience"
      grafana_team: "Data Scientists"

logging:
  level: INFO                    # DEBUG, INFO, WARNING, ERROR, CRITICAL
  format: json                   # json or text
`;

/** A simulated world and a directory with the configuration; both are gone after the test. */
async function withWorld(test: (world: World, cwd: string) => Promise<void>): Promise<void> {
  await using world = startWorld();
  const cwd = await directoryWith({ "config.yaml": GOTS_CONFIG });
  try {
    await test(world, cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** Holds back what Grafana is asked to write by such a request, until it is released. */
function holdWrites(world: World, isHeld = (request: Request) => request.method !== "GET") {
  const writing = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  world.grafana.intercept = async (request, proceed) => {
    if (isHeld(request)) {
      writing.resolve();
      await released.promise;
    }
    return await proceed();
  };
  return { begun: writing.promise, release: released.resolve };
}

function dotenv(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}\n`).join("");
}

Deno.test("GOTS's own configuration and .env start the service, which serves /health and /metrics and stops on SIGTERM", async () => {
  const world = startWorld();
  const port = freePort();
  world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
  world.okta.addGroup("DataScience", [world.addPerson("bob@example.com")]);
  const env = {
    ...world.environment,
    METRICS_ENABLED: "true",
    METRICS_PORT: String(port),
    METRICS_HOST: "127.0.0.1",
  };
  const cwd = await directoryWith({ "config.yaml": GOTS_CONFIG, ".env": dotenv(env) });
  try {
    const process = start([], { cwd });
    await process.waitFor(/Sync completed.*\n.*Data Scientists|Data Scientists[^]*Sync completed/);

    const ready = await fetch(`http://127.0.0.1:${port}/ready`);
    await ready.body?.cancel();
    const health = await (await fetch(`http://127.0.0.1:${port}/health`)).json();
    assertEquals(health.status, "healthy");
    assertEquals(health.sync_status["Engineering->Engineers"].status, "completed");
    assert(Date.parse(health.next_cycle_at) > Date.now());
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assertStringIncludes(
      metrics,
      'gots_users_added_total{okta_group="Engineering",grafana_team="Engineers"} 1\n',
    );

    process.kill("SIGTERM");
    const { code, stderr, stdout } = await process.finished;
    assertEquals([code, stdout], [0, ""], stderr);
    const last = stderr.trim().split("\n").map((line) => JSON.parse(line)).at(-1);
    assertEquals(last.message, "Shutdown complete. Goodbye!");
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
  } finally {
    await world.close();
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("SIGTERM in the middle of a cycle over 1,000 members exits 0, and the next run completes it", () =>
  withWorld(async (world, cwd) => {
    const members = Array.from({ length: 1_000 }, (_, i) => world.addPerson(`person${i}@example.com`));
    world.okta.addGroup("Engineering", members);
    world.okta.addGroup("DataScience", members.slice(0, 10));
    const process = start(["run"], { cwd, env: world.environment });
    await process.waitFor(/Added user person100@/);
    process.kill("SIGTERM");
    assertEquals((await process.finished).code, 0);
    const halfway = world.grafana.state.membersOf("Engineers").length;
    assert(halfway > 0 && halfway < 1_000, `${halfway} members`);

    assertEquals((await run(["sync"], { cwd, env: world.environment })).code, 0);
    assertEquals(world.grafana.state.membersOf("Engineers").length, 1_000);
  }));

Deno.test("a write that is under way when the signal comes is let finish", () =>
  withWorld(async (world, cwd) => {
    const people = ["alice", "bob"].map((name) => world.addPerson(`${name}@example.com`));
    world.okta.addGroup("Engineering", people);
    world.okta.addGroup("DataScience");
    const { begun, release } = holdWrites(
      world,
      ({ method, url }) => method === "POST" && url.endsWith("/members"),
    );
    const process = start(["run"], { cwd, env: world.environment });
    await begun;
    process.kill("SIGINT");
    await process.waitFor(/initiating graceful shutdown/);
    release();
    const { code, stderr } = await process.finished;
    assertEquals(code, 0);
    assertMatch(stderr, /Added user alice@example.com to team Engineers/);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
  }));

Deno.test("a write that hangs is cut off after its grace, with a word that its outcome is unknown", () =>
  withWorld(async (world, cwd) => {
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    const { begun, release } = holdWrites(world);
    const process = start(["run"], { cwd, env: world.environment });
    await begun;
    process.kill("SIGTERM");
    const { code, stderr } = await process.finished;
    release();
    assertEquals(code, 0);
    assertMatch(
      stderr,
      /POST \/api\/teams was interrupted by the shutdown; the next run will see whether Grafana carried it out/,
    );
  }));

Deno.test("a second signal exits at once", () =>
  withWorld(async (world, cwd) => {
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    const { begun, release } = holdWrites(world);
    const process = start(["run"], { cwd, env: world.environment });
    await begun;
    process.kill("SIGTERM");
    await process.waitFor(/initiating graceful shutdown/);
    process.kill("SIGTERM");
    assertEquals((await process.finished).code, 143);
    release();
  }));

Deno.test("a port in use ends the program with a clear message", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cwd = await directoryWith({ "config.yaml": GOTS_CONFIG });
  const { code, stderr } = await run(["run"], {
    cwd,
    env: {
      OKTA_DOMAIN: "127.0.0.1",
      OKTA_API_TOKEN: "t",
      GRAFANA_URL: "http://127.0.0.1:1",
      GRAFANA_API_KEY: "k",
      METRICS_ENABLED: "yes",
      METRICS_HOST: "127.0.0.1",
      METRICS_PORT: String(listener.addr.port),
    },
  });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "another program uses this port: stop it, or set metrics.port");
  listener.close();
  await Deno.remove(cwd, { recursive: true });
});
