/** The program runs with the permissions of the design and no more: net, env, read. */
import { assert, assertEquals } from "@std/assert";
import { startWorld } from "../../src/simulation/world.ts";
import { directoryWith, freePort, gotsCommand } from "../support.ts";

const CONFIG = `
okta: { domain: "\${OKTA_DOMAIN}", api_token: "\${OKTA_API_TOKEN}" }
grafana: { url: "\${GRAFANA_URL}", api_key: "\${GRAFANA_API_KEY}" }
logging: { level: DEBUG }
metrics: { enabled: true, host: 127.0.0.1, port: 1 }
sync: { mappings: [{ okta_group: A, grafana_team: T }] }
`;

const DENIED = ["--deny-write", "--deny-run", "--deny-ffi", "--deny-sys", "--deny-import", "--no-prompt"];

/** A line of the runtime's record of what was asked for. */
interface Asked {
  readonly permission: string;
  readonly value: string | null;
}

/** A command that was run with everything denied that it does not need, and what it asked for. */
interface Audited {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly asked: readonly Asked[];
}

/** Runs `gots` with these permissions; `use` is called while it runs. */
async function audit(
  args: readonly string[],
  { cwd, env = {}, use }: {
    cwd: string;
    env?: Readonly<Record<string, string>>;
    use?: (child: Deno.ChildProcess) => Promise<void>;
  },
): Promise<Audited> {
  const [program = "", ...before] = gotsCommand();
  const denied = before.length > 0 ? [...before.slice(0, -1), ...DENIED, ...before.slice(-1)] : [];
  const record = `${cwd}/asked.jsonl`;
  await Deno.remove(record).catch(() => {});
  const child = new Deno.Command(program, {
    args: [...denied, ...args],
    cwd,
    env: { ...env, NO_COLOR: "1", DENO_AUDIT_PERMISSIONS: record },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await use?.(child);
  const { code, stdout, stderr } = await output;
  const text = await Deno.readTextFile(record).catch(() => "");
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
    asked: text.split("\n").filter(Boolean).map((line) => JSON.parse(line)),
  };
}

/** The permissions that were asked for. The runtime records each opening of a file for reading as one for writing too. */
function permissionsOf({ asked }: Audited): Set<string> {
  const read = new Set(asked.filter(({ permission }) => permission === "read").map(({ value }) => value));
  const real = asked.filter(({ permission, value }) => permission !== "write" || !read.has(value));
  return new Set(real.map(({ permission }) => permission));
}

const ALLOWED = ["env", "net", "read"];

/** Fails unless the command worked, and asked for nothing beyond the design's permissions. */
function assertModest(audited: Audited, code = 0): void {
  assertEquals(audited.code, code, audited.stderr);
  const beyond = [...permissionsOf(audited)].filter((permission) => !ALLOWED.includes(permission));
  assertEquals(beyond, [], "more was asked for");
  assert(!/NotCapable|Requires \w+ access|PermissionDenied/.test(audited.stderr), audited.stderr);
}

const COMMANDS: readonly (readonly [args: string[], code: number])[] = [
  [["validate"], 0],
  [["check"], 0],
  [["plan"], 0],
  [["plan", "--format", "json"], 0],
  [["sync"], 0],
  [["--version"], 0],
  [["--help"], 0],
  [["plan", "--nope"], 64],
  [["missing.yaml"], 78],
  [["run"], 1],
];

Deno.test("every command works although write, run, ffi and sys are denied, and asks for none of them", async (t) => {
  await using world = startWorld();
  world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  for (const [args, code] of COMMANDS) {
    await t.step(`gots ${args.join(" ")}`, async () => {
      // As a privileged user the service could listen on port 1: one that is taken is refused to everybody.
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const env = { ...world.environment, METRICS_PORT: String(listener.addr.port) };
      assertModest(await audit(args, { cwd, env }), code);
      listener.close();
    });
  }
  assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com"]);
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("gots demo --once works although write, run, ffi and sys are denied, and asks for none of them", async () => {
  const cwd = await directoryWith({});
  const audited = await audit(["demo", "--once"], { cwd });
  assertModest(audited);
  assert(audited.stdout.includes("Teams after cycle 2:"), audited.stdout);
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("the service runs, serves its pages and stops although write, run, ffi and sys are denied", async () => {
  await using world = startWorld();
  world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  const port = freePort();
  const use = async (child: Deno.ChildProcess) => {
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/ready`).then(async (it) => (await it.json()).ready, () => false);
    while (!await isReady()) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const page of ["health", "metrics"]) {
      assertEquals(
        (await fetch(`http://127.0.0.1:${port}/${page}`).then(async (it) => [it.status, await it.text()]))[0],
        200,
      );
    }
    child.kill("SIGTERM");
  };
  assertModest(await audit(["run"], { cwd, env: { ...world.environment, METRICS_PORT: String(port) }, use }));
  assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com"]);
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("the record of permissions would show what is asked for beyond them", async () => {
  const cwd = await directoryWith({
    "ask.ts": `try { Deno.writeTextFileSync("out", ""); } catch {}
      try { Deno.hostname(); } catch {}
      try { Deno.dlopen("libc.so.6", {}); } catch {}`,
  });
  const record = `${cwd}/asked.jsonl`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-config", ...DENIED, `${cwd}/ask.ts`],
    cwd,
    env: { DENO_AUDIT_PERMISSIONS: record },
    stdout: "null",
    stderr: "null",
  }).output();
  assertEquals(code, 0);
  const asked = (await Deno.readTextFile(record)).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const permissions = permissionsOf({ code, stdout: "", stderr: "", asked });
  // The runtime records no start of a process; that one is refused is all that there is to see.
  for (const permission of ["write", "sys", "ffi"]) assert(permissions.has(permission), permission);
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("no file of the program starts a process or loads a library", async () => {
  const read = async (folder: URL): Promise<string> => {
    let text = "";
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const url = new URL(isDirectory ? `${name}/` : name, folder);
      text += isDirectory ? await read(url) : await Deno.readTextFile(url);
    }
    return text;
  };
  const source = await read(new URL("../../src/", import.meta.url));
  assertEquals(
    source.match(
      /Deno\.(?:Command|run|dlopen|write\w*|mkdir|remove|hostname|osRelease)\b|node:(?:child_process|os|ffi)/g,
    ),
    null,
  );
});

Deno.test("the tasks and the compiled program are given net, env and read alone", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  for (const name of ["start", "sync", "plan", "validate", "demo"]) {
    const given = [...tasks[name].matchAll(/--allow-(\w+)/g)].map(([, permission]) => permission).sort();
    assertEquals([name, given], [name, ALLOWED]);
  }
  const compile = await Deno.readTextFile(new URL("../../tools/compile.ts", import.meta.url));
  assertEquals([...compile.matchAll(/"--allow-(\w+)"/g)].map(([, permission]) => permission).sort(), ALLOWED);
});
