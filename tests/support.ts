/** What tests share: a log that can be read, a clock that does not wait, a process that can be watched. */
import { DEFAULT_REMOVAL_LIMIT, type Mapping } from "../src/config/schema.ts";
import type { Surroundings } from "../src/http/types.ts";
import type { AuditLine } from "../src/observability/audit.ts";
import { createLog, type Logger } from "../src/observability/log.ts";
import { createStore, type Store } from "../src/service/store.ts";

/** A mapping of a group to a team, with the defaults unless other settings are given. */
export function mapping(
  okta_group: string,
  grafana_team: string,
  settings: Partial<Omit<Mapping, "okta_group" | "grafana_team">> = {},
): Mapping {
  const defaults = { allow_empty: false, policy: "sync", removal_limit: DEFAULT_REMOVAL_LIMIT } as const;
  return { okta_group, okta_group_id: undefined, grafana_team, ...defaults, ...settings };
}

/** A log whose lines can be read, as objects of its JSON form. */
export interface CapturedLog {
  readonly log: Logger;
  /** Every line so far, parsed. */
  lines(): Record<string, unknown>[];
  /** The messages so far, each behind its level: `INFO Starting sync: A -> B`. */
  messages(): string[];
}

/** A log of level DEBUG in memory. It takes the place of the process's log: one at a time. */
export function captureLog(onAudit?: (line: AuditLine) => void): CapturedLog {
  const written: string[] = [];
  const write = (line: string) => written.push(line);
  const log = createLog({ level: "DEBUG", format: "json", write, onAudit });
  const lines = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, messages: () => lines().map(({ level, message }) => `${level} ${message}`) };
}

/** Time that passes only in sleeps. */
export interface VirtualClock {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds, whatever the clock is set to. */
  readonly monotonic: () => number;
  readonly sleep: Surroundings["sleep"];
  /** Sets the clock forward or back by so many milliseconds, while no time passes. */
  setClock(ms: number): void;
  /** Every sleep so far, in milliseconds. */
  readonly slept: number[];
}

/** A clock that begins at `start` (epoch milliseconds) and jumps over each sleep. */
export function virtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = start;
  let passed = 0;
  const slept: number[] = [];
  return {
    now: () => now,
    monotonic: () => passed,
    setClock: (ms) => void (now += ms),
    slept,
    sleep(ms, signal) {
      signal.throwIfAborted();
      slept.push(ms);
      now += ms;
      passed += ms;
      return Promise.resolve();
    },
  };
}

/** Surroundings with virtual time, no randomness (full jitter at its most) and the real network. */
export function surroundings(
  overrides: Partial<Surroundings> = {},
  start?: number,
): Surroundings & { readonly captured: CapturedLog; readonly clock: VirtualClock; readonly store: Store } {
  const clock = virtualClock(start);
  const store = createStore(clock);
  const captured = captureLog((line) => store.tell({ kind: "audit line", line }));
  return {
    fetch,
    now: clock.now,
    monotonic: clock.monotonic,
    sleep: clock.sleep,
    random: () => 1,
    log: captured.log,
    signal: new AbortController().signal,
    captured,
    clock,
    store,
    ...overrides,
  };
}

/** How a process ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `gots` process. */
export interface Process {
  /** Resolves when standard error matches; rejects if the process ends before. */
  waitFor(pattern: RegExp): Promise<void>;
  kill(signal: Deno.Signal): void;
  readonly finished: Promise<Finished>;
}

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

/** The command that starts `gots`: the source, or the compiled program that `GOTS_BINARY` names. */
export function gotsCommand(): string[] {
  const binary = Deno.env.get("GOTS_BINARY");
  if (binary) return [binary];
  const permissions = ["--allow-net", "--allow-env", "--allow-read"];
  return [Deno.execPath(), "run", "--quiet", "--no-check", "--unstable-cron", ...permissions, MAIN];
}

/** How a process is started. */
export interface StartOptions {
  /** The environment, besides what Deno itself needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts `gots` as a process of its own, with nothing of this process's environment that could steer it. */
export function start(args: readonly string[], { env = {}, cwd }: StartOptions = {}): Process {
  const [program = "", ...before] = gotsCommand();
  const kept = ["PATH", "HOME", "DENO_DIR", "DENO_TLS_CA_STORE", "DENO_COVERAGE_DIR", "NPM_CONFIG_REGISTRY"];
  const inherited = kept.flatMap((name) => {
    const value = Deno.env.get(name) ?? Deno.env.get(name.toLowerCase());
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = new Deno.Command(program, {
    args: [...before, ...args],
    clearEnv: true,
    // Else deno itself asks whether there is a newer one, through the proxy of a test too.
    env: { ...Object.fromEntries(inherited), DENO_NO_UPDATE_CHECK: "1", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  let stderr = "";
  let changed = Promise.withResolvers<void>();
  let ended = false;
  const announce = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      announce();
    }
    ended = true;
    announce();
  })();
  const stdout = new Response(child.stdout).text();
  const finished = (async () => {
    const [status, out] = await Promise.all([child.status, stdout, reading]);
    return { code: status.code, stdout: out, stderr };
  })();
  return {
    async waitFor(pattern) {
      while (!pattern.test(stderr)) {
        if (ended) throw new Error(`gots ended without ${pattern}:\n${stderr}`);
        await changed.promise;
      }
    },
    kill: (signal) => child.kill(signal),
    finished,
  };
}

/** Runs `gots` to its end. */
export function run(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return start(args, options).finished;
}

/**
 * A port for a process that must be told one. It lies below those that systems give out by themselves, so that no
 * other test comes upon it before the process does.
 */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Whether this machine reaches itself over IPv6. */
export function hasIPv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes files into a new directory, and gives the directory's path. Remove it after the test.
 *
 * @default {mode 600}
 */
export async function directoryWith(
  files: Readonly<Record<string, string>>,
  mode = 0o600,
): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "gots-test-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/${name}`, text, { mode });
  }
  return directory;
}
