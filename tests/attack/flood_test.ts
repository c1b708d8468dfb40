/** The HTTP server under a flood: a real process, real sockets. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, freePort, gotsCommand } from "../support.ts";

const CONFIG = `
okta: { domain: "\${OKTA_DOMAIN}", api_token: "\${OKTA_API_TOKEN}" }
grafana: { url: "\${GRAFANA_URL}", api_key: "\${GRAFANA_API_KEY}" }
logging: { format: text }
metrics: { enabled: true, host: 127.0.0.1 }
sync: { interval_seconds: 60, mappings: [{ okta_group: A, grafana_team: T }] }
`;

/** A condition that comes true within the time limit of the test runner; asked for again after a moment. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = Date.now() + 30_000;
  while (!await condition()) {
    assert(Date.now() < limit, `it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The service as a process with so many file descriptors. */
interface Flooded {
  readonly world: World;
  readonly port: number;
  /** Standard error so far. */
  log(): string;
  isAlive(): boolean;
  /** Lets Okta answer, which waits for it from the start. */
  releaseOkta(): void;
  /** Whether `/health` answers 200 on a connection of its own. */
  isHealthy(): Promise<boolean>;
  /** Opens up to `count` connections that each send `text`, and gives them. */
  open(count: number, text: string): Promise<Deno.TcpConn[]>;
}

async function withProcess(descriptors: number, test: (flooded: Flooded) => Promise<void>): Promise<void> {
  await using world = startWorld();
  world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
  const released = Promise.withResolvers<void>();
  world.okta.intercept = (_request, proceed) => released.promise.then(proceed);
  const port = freePort();
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  const child = new Deno.Command("sh", {
    args: ["-c", `ulimit -n ${descriptors} && exec "$0" "$@"`, ...gotsCommand(), "run"],
    cwd,
    env: { ...world.environment, METRICS_PORT: String(port) },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  let alive = true;
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  const ended = child.status.then(({ code }) => {
    alive = false;
    return code;
  });
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const opened: Deno.TcpConn[] = [];
  const close = () => opened.splice(0).forEach((one) => one.close());
  try {
    await until(() => log.includes("Metrics server started") || !alive, "the service started");
    await test({
      world,
      port,
      log: () => log,
      isAlive: () => alive,
      releaseOkta: released.resolve,
      isHealthy: () =>
        fetch(`http://127.0.0.1:${port}/health`, { client, signal: AbortSignal.timeout(20_000) })
          .then(async (answer) => (await answer.text()).includes('"status":"healthy"'), () => false),
      async open(count, text) {
        for (let i = 0; i < count; i++) {
          const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
          if (!connection) break;
          opened.push(connection);
          await connection.write(new TextEncoder().encode(text)).catch(() => {});
        }
        return opened;
      },
    });
    assert(alive, log);
    child.kill("SIGTERM");
    close();
    assertEquals(await ended, 0, log);
  } finally {
    released.resolve();
    close();
    client.close();
    if (alive) child.kill("SIGKILL");
    await Promise.all([ended, reading]);
    await Deno.remove(cwd, { recursive: true });
  }
}

const HALVES: Readonly<Record<string, string>> = {
  "idle": "",
  "half-sent": "GET /health HTTP/1.1\r\nHost: gots\r\nX-Slow: ",
  "half-sent in their body": "POST /health HTTP/1.1\r\nHost: gots\r\nContent-Length: 1000000\r\n\r\nhalf",
};

for (const [what, text] of Object.entries(HALVES)) {
  Deno.test(`the HTTP server answers /health under 1,000 connections that are ${what}`, () =>
    withProcess(4_096, async ({ isHealthy, open, releaseOkta, log, world }) => {
      const connections = await open(1_000, text);
      assertEquals(connections.length, 1_000);
      assert(await isHealthy(), log());
      releaseOkta();
      await until(() => log().includes("Sync completed"), "a cycle ended under the flood");
      assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com"]);
      assert(await isHealthy(), log());
      assert(!/ERROR|WARNING/.test(log()), log());
    }));
}

for (const descriptors of [40, 64, 128]) {
  Deno.test(`the HTTP server survives running out of file descriptors, at ${descriptors} of them: caught, logged, the port opened again, and the cycle goes on`, () =>
    withProcess(descriptors, async ({ isHealthy, isAlive, open, releaseOkta, log, world }) => {
      await until(isHealthy, "it answers before the flood");
      // The system takes connections in the place of a process that is busy: all 400 may be open before it is out.
      const connections = await open(400, "GET /health HTTP/1.1\r\nHost: gots\r\n");
      await until(() => log().includes("The HTTP server stopped"), "the descriptors ran out");
      connections.splice(0).forEach((one) => one.close());
      await until(isHealthy, "it answers after the flood");
      assertMatch(
        log(),
        /ERROR - The HTTP server stopped: Error: Too many open files[^\n]*; it is opened again\n[^]*INFO - The HTTP server listens again\n/,
      );
      assert(isAlive());
      releaseOkta();
      await until(() => world.grafana.state.membersOf("T").length > 0, "the cycle went on");
      await until(() => log().includes("Sync completed"), "the cycle ended");
      assert(!/\n\s+at |error: Uncaught/.test(log()), log());
    }));
}

Deno.test("the HTTP server survives one flood after another", () =>
  withProcess(64, async ({ isHealthy, open, log }) => {
    for (let flood = 1; flood <= 3; flood++) {
      const connections = await open(400, "");
      const stopped = () => log().split("The HTTP server stopped").length - 1;
      await until(() => stopped() >= flood, `flood ${flood} took the port away`);
      connections.splice(0).forEach((one) => one.close());
      await until(isHealthy, `it answers after flood ${flood}`);
    }
    assertEquals(log().split("The HTTP server listens again").length - 1 >= 3, true);
  }));

Deno.test("SIGTERM ends the service in time although the port was taken away and nothing can be opened", () =>
  withProcess(40, async ({ open, log, releaseOkta }) => {
    await open(400, "");
    await until(() => log().includes("The HTTP server stopped"), "the descriptors ran out");
    releaseOkta();
  }));
