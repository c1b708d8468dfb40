/**
 * Measures `gots`, from source and compiled, beside what the tools of its field do, against the same simulation in a
 * process of its own. Prints tables and writes `bench/results.json`; it asserts nothing. It takes about half an hour:
 * `deno task bench [part …]` measures some parts only (`cycles`, `large`, `overhead`, `start`, `memory`).
 */
import { formatTable } from "../src/cli/table.ts";
import { freePort } from "../tests/support.ts";
import type { Measured, Phase, Result, Task } from "./measure.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const PHASES: readonly Phase[] = ["first", "idle", "one change", "5 % churn"];
const directory = await Deno.makeTempDir({ prefix: "gots-bench-" });
const results: Record<string, unknown> = {};

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const source = (
  file: string,
) => [Deno.execPath(), "run", "-A", "--quiet", "--no-check", `${ROOT}bench/${file}`];

/** A program by the name that it has in the tables, and how it is started. */
interface Program {
  readonly name: "baseline" | "gots" | "gots, compiled";
  readonly command: readonly string[];
}

/** Compiles a program; `undefined` where that is not possible. */
async function compile(file: string, ...permissions: string[]): Promise<string | undefined> {
  const output = `${directory}/${file.replaceAll("/", "-")}`;
  const args = ["--quiet", "--no-check", ...permissions, "--output", output, file];
  const { success } = await new Deno.Command(`${ROOT}tools/compile.sh`, { args, cwd: ROOT, stderr: "null" })
    .output();
  return success ? output : undefined;
}

/** The simulated services, running. */
interface Services extends AsyncDisposable {
  readonly task: Omit<Task, "mappings" | "phases">;
}

/** Starts the simulated services, filled. */
async function startServices(options: Readonly<Record<string, string | number>>): Promise<Services> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [program = "", ...before] = source("world.ts");
  const child = new Deno.Command(program, { args: [...before, ...args], stdout: "piped", stderr: "null" })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) text += (await reader.read()).value ?? "";
  return {
    task: JSON.parse(text),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** Runs a program to its end and gives what it printed, parsed. */
async function run<T>(command: readonly string[], stdin?: string): Promise<T> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
    .spawn();
  const writer = child.stdin.getWriter();
  if (stdin !== undefined) await writer.write(new TextEncoder().encode(stdin));
  await writer.close().catch(() => {});
  return JSON.parse(new TextDecoder().decode((await child.output()).stdout));
}

/** Runs a program against fresh services. */
async function measureProgram(
  program: Program,
  options: Readonly<Record<string, string | number>>,
  phases = PHASES,
): Promise<Result> {
  await using services = await startServices(options);
  const task: Task = { ...services.task, mappings: Number(options.mappings), phases };
  return await run([...program.command, "--task", JSON.stringify(task)]);
}

const seconds = (value: number) => value < 0.1 ? `${(value * 1_000).toFixed(0)} ms` : `${value.toFixed(1)} s`;
const times = (ratio: number) => `${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)}×`;

/** The rows of one case: each program beside the baseline. */
function rowsOf(what: string, measured: ReadonlyMap<Program["name"], Result>, guessed?: Result): string[][] {
  const baseline = measured.get("baseline") ?? guessed;
  return (baseline?.phases ?? []).flatMap(({ phase, ...base }) =>
    [...measured].map(([name, { phases, peakMegabytes }]) => {
      const own = phases.find((one) => one.phase === phase) as Measured;
      const requests = own.oktaRequests + own.grafanaRequests;
      const before = base.oktaRequests + base.grafanaRequests;
      return [
        `${what}, ${phase}`,
        name,
        String(requests),
        seconds(own.wallSeconds),
        name === "baseline" ? "" : `${guessed ? "≈" : ""}${times(base.wallSeconds / own.wallSeconds)}`,
        name === "baseline" ? "" : times(before / requests),
        seconds(own.cpuSeconds),
        `${Math.round(peakMegabytes)} MB`,
        `${own.holdMilliseconds.toFixed(0)} ms`,
      ];
    })
  );
}

const HEAD = ["CASE", "PROGRAM", "REQUESTS", "TIME", "FASTER", "FEWER", "CPU", "PEAK", "HELD"];

/** What the baseline would take at another latency: as many requests, each as long as in `like`. */
function guess(known: Result, like: Result): Result {
  const phases = known.phases.map((one) => {
    const same = like.phases.find(({ phase }) => phase === one.phase) ?? one;
    const each = same.wallSeconds / (same.oktaRequests + same.grafanaRequests);
    return { ...one, wallSeconds: each * (one.oktaRequests + one.grafanaRequests) };
  });
  return { ...known, phases };
}

async function measureAll(
  programs: readonly Program[],
  options: Readonly<Record<string, string | number>>,
  phases = PHASES,
): Promise<Map<Program["name"], Result>> {
  const measured = new Map<Program["name"], Result>();
  for (const program of programs) measured.set(program.name, await measureProgram(program, options, phases));
  return measured;
}

async function measureCycles([baseline, ...own]: readonly Program[]): Promise<void> {
  if (!baseline) return;
  const rows: string[][] = [];
  const kept: Record<string, unknown> = {};
  let [likes, knowns] = [new Map<number, Result>(), new Map<number, Result>()];
  for (const latency of [2, 40]) {
    for (const mappings of [10, 100, 1_000]) {
      const what = `${mappings} × 100, ${latency} ms`;
      // A thousand mappings at 40 ms would take the baseline more than an hour.
      const isGuessed = mappings === 1_000 && latency === 40;
      const measured = await measureAll(isGuessed ? own : [baseline, ...own], {
        mappings,
        people: 100,
        latency,
      });
      const result = measured.get("baseline");
      if (result && latency === 2) knowns = new Map(knowns).set(mappings, result);
      if (result && mappings === 100) likes = new Map(likes).set(latency, result);
      const [known, like] = [knowns.get(mappings), likes.get(latency)];
      const guessed = isGuessed && known && like ? guess(known, like) : undefined;
      rows.push(...rowsOf(what, measured, guessed));
      kept[what] = { ...Object.fromEntries(measured), ...(guessed && { "baseline, calculated": guessed }) };
      print(formatTable(HEAD, rows.slice(-4 * measured.size)).join("\n"));
    }
  }
  results.cycles = kept;
}

async function measureLarge(programs: readonly Program[]): Promise<void> {
  const kept: Record<string, unknown> = {};
  const cases = [
    ["a team of 10,000, Grafana 11.1, 40 ms", {
      mappings: 1,
      people: 10_000,
      latency: 40,
      version: "11.1.0",
    }],
    ["a team of 10,000, Grafana 9.5, 40 ms", { mappings: 1, people: 10_000, latency: 40, version: "9.5.0" }],
    ["100 × 100, Grafana 9.5, 40 ms", { mappings: 100, people: 100, latency: 40, version: "9.5.0" }],
    ["10 × 100 among 100,000 users, 2 ms", { mappings: 10, people: 100, latency: 2, strangers: 100_000 }],
    ["a team of 100,000, Grafana 11.1, 0 ms", {
      mappings: 1,
      people: 100_000,
      latency: 0,
      version: "11.1.0",
    }],
  ] as const;
  for (const [what, options] of cases) {
    const isHuge = options.people === 100_000;
    const measured = await measureAll(programs.slice(isHuge ? 1 : 0), options, ["first"]);
    print(formatTable(HEAD, rowsOf(what, measured, isHuge ? measured.get("gots") : undefined)).join("\n"));
    kept[what] = Object.fromEntries(measured);
  }
  results.large = kept;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Times of one pair, in seconds. */
interface Pair {
  readonly own: number;
  readonly bare: number;
}

/** The time of the last of these cycles, and of a bare loop of `fetch` that makes the requests of that one. */
async function measurePair(phases: readonly Phase[]): Promise<Pair> {
  await using services = await startServices({ mappings: 1, people: 10_000, latency: 0 });
  const given = [
    "--full",
    "--task",
    JSON.stringify({ ...services.task, mappings: 1, phases } satisfies Task),
  ];
  const last = ({ phases }: Result) => phases.at(-1)?.wallSeconds ?? 0;
  const own = last(await run<Result>([...source("gots.ts"), ...given]));
  await (await fetch(`${services.task.control}/change/first`)).text();
  const requests = JSON.stringify(await run<unknown>([...source("gots.ts"), ...given, "--record"]));
  return { own, bare: last(await run<Result>([...source("bare.ts"), ...given], requests)) };
}

/** How much longer a cycle takes than its requests alone, pair by pair. */
async function measureOverhead(): Promise<void> {
  const cases: readonly (readonly [what: string, phases: readonly Phase[]])[] = [
    ["everything read again, nothing to change, warm", ["first", "idle", "idle", "idle", "idle"]],
    ["from empty, with 10,000 lines in the log, cold", ["first"]],
  ];
  const kept: Record<string, unknown> = {};
  for (const [what, phases] of cases) {
    const pairs: Pair[] = [];
    for (let i = 0; i < 7; i++) pairs.push(await measurePair(phases));
    const ratio = median(pairs.map(({ own, bare }) => own / bare));
    kept[what] = { pairs, ratio };
    print(
      `a team of 10,000, 0 ms, ${what}: ${ratio.toFixed(2)} times a bare loop of fetch (median of 7 pairs)`,
    );
  }
  results.overhead = kept;
}

/** Whether something answers 200 on this port; with as little work on this side as possible. */
async function askHealth(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ port });
    await connection.write(new TextEncoder().encode("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    const bytes = new Uint8Array(64);
    return (await connection.read(bytes) ?? 0) > 0 && new TextDecoder().decode(bytes).includes(" 200 ");
  } catch {
    return false;
  }
}

/** From the start of the program to its first answer to `/health`, in seconds. */
async function startToHealth(command: readonly string[], env: Record<string, string>): Promise<number> {
  const port = freePort();
  const [program = "", ...args] = command;
  const started = performance.now();
  const child = new Deno.Command(program, {
    args,
    cwd: directory,
    env: { ...env, METRICS_PORT: String(port) },
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (;;) {
    if (await askHealth(port)) break;
    await new Promise((resolve) => setTimeout(resolve));
  }
  const taken = (performance.now() - started) / 1_000;
  child.kill("SIGKILL");
  await child.status;
  return taken;
}

async function timeOf(command: readonly string[]): Promise<number> {
  const [program = "", ...args] = command;
  const started = performance.now();
  await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
  return (performance.now() - started) / 1_000;
}

async function measureStart(): Promise<void> {
  const how = ["task", "--quiet", "compile", "--directory", directory];
  await new Deno.Command(Deno.execPath(), { args: how, cwd: ROOT, stderr: "inherit" }).output();
  const binary = `${directory}/gots`;
  await using services = await startServices({ mappings: 2, people: 10 });
  const { okta, grafana, oktaToken, grafanaToken } = services.task;
  const mapping = "{ okta_group: group-0, grafana_team: group-0 }";
  await Deno.writeTextFile(`${directory}/config.yaml`, `sync: { mappings: [${mapping}] }\n`);
  const env = {
    OKTA_DOMAIN: okta,
    OKTA_API_TOKEN: oktaToken,
    GRAFANA_URL: grafana,
    GRAFANA_API_KEY: grafanaToken,
    METRICS_ENABLED: "true",
    METRICS_HOST: "127.0.0.1",
  };
  const pairs: { readonly own: number; readonly empty: number }[] = [];
  for (let i = 0; i < 11; i++) {
    const empty = await timeOf([Deno.execPath(), "eval", "0"]);
    pairs.push({ own: await startToHealth([binary, "run"], env), empty });
  }
  const ratio = median(pairs.map(({ own, empty }) => own / empty));
  const own = median(pairs.map((pair) => pair.own));
  results.start = { pairs, ratio };
  print(
    `start to /health, compiled: ${seconds(own)}, ${
      ratio.toFixed(2)
    } times deno eval 0 (median of ${pairs.length})`,
  );
}

async function measureMemory(): Promise<void> {
  await using services = await startServices({ mappings: 100, people: 100 });
  const task: Task = { ...services.task, mappings: 100, phases: [] };
  const own = await run<{ megabytes: number; full: number }>([
    ...source("idle.ts"),
    "--task",
    JSON.stringify(task),
  ]);
  const empty = await run<{ megabytes: number }>(source("empty.ts"));
  results.memory = { own, empty };
  const more = own.megabytes - empty.megabytes;
  print(
    `after 1,000 idle cycles, ${own.full} of them full: ${own.megabytes.toFixed(0)} MB, ` +
      `${more.toFixed(0)} MB more than an empty Hono server`,
  );
}

const compiled = await compile("bench/gots.ts", "--allow-all");
const programs: Program[] = [
  { name: "baseline", command: source("baseline.ts") },
  { name: "gots", command: source("gots.ts") },
  ...(compiled ? [{ name: "gots, compiled", command: [compiled] } as const] : []),
];
const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  overhead: measureOverhead,
  start: measureStart,
  memory: measureMemory,
  large: () => measureLarge(programs),
  cycles: () => measureCycles(programs),
};
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(PARTS);
const { model } = { model: (await Deno.readTextFile("/proc/cpuinfo")).match(/model name\s*:\s*(.*)/)?.[1] };
results.machine = {
  cpu: model,
  cores: navigator.hardwareConcurrency,
  deno: Deno.version.deno,
  os: Deno.osRelease(),
};
for (const part of wanted) await PARTS[part]?.();
await Deno.writeTextFile(`${ROOT}bench/results.json`, `${JSON.stringify(results, null, 2)}\n`);
await Deno.remove(directory, { recursive: true });
