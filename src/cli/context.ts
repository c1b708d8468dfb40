/** What every command begins with: the configuration, the log, the signals, the network. */
import { ConfigError } from "../config/error.ts";
import type { Environment } from "../config/environment.ts";
import { loadConfig, type Loaded } from "../config/load.ts";
import { suggestName } from "../config/problems.ts";
import { describePeer } from "../http/peer.ts";
import { proxyFor, runtimeVariables } from "../http/proxy.ts";
import { createFetch, sleep } from "../http/surroundings.ts";
import type { Surroundings } from "../http/types.ts";
import { createLog, type LogOptions } from "../observability/log.ts";
import { followSignals, type Shutdown } from "../service/shutdown.ts";
import type { Terminal } from "./terminal.ts";

/** The exit statuses. 64 and 78 are those of `sysexits.h`. */
export const STATUS = { fine: 0, failed: 1, changes: 2, usage: 64, config: 78 } as const;

/** The configuration that is read if none is named. */
export const DEFAULT_CONFIG = "config.yaml";

/** The commands, for suggestions. */
export const COMMANDS: readonly string[] = [
  "run",
  "sync",
  "plan",
  "check",
  "validate",
  "healthcheck",
  "demo",
  "help",
];

/** Arguments that fit no configuration. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The outer world of the program. */
export interface Io {
  readonly terminal: Terminal;
  readonly environment: Environment;
}

/** A command that has a configuration, a log and a network. */
export interface Context extends Surroundings {
  readonly loaded: Loaded;
  readonly shutdown: Shutdown;
  /** How many requests were made so far. */
  requestCount(): number;
  /** Closes what was opened. */
  release(): void;
}

/** Loads the configuration; a file that is missing may have been meant as a command. */
export async function load(file: string, { environment }: Io): Promise<Loaded> {
  try {
    const loaded = await loadConfig(file, { environment });
    checkAuthorities(loaded, file);
    return loaded;
  } catch (error) {
    const isMissing = error instanceof ConfigError && error.problems[0]?.startsWith("no such file");
    const meant = isMissing ? suggestName(file, [...COMMANDS, "version"]) : undefined;
    if (!meant) throw error;
    const command = meant === "version" ? "gots --version" : `the command: gots ${meant}`;
    throw new ConfigError(file, [`no such file; did you mean ${command}?`]);
  }
}

/** The runtime alone can tell whether a certificate is whole. */
function checkAuthorities({ authorities: { both, okta, grafana } }: Loaded, file: string): void {
  const sources = [["REQUESTS_CA_BUNDLE or SSL_CERT_FILE", both], ["okta.ca_file", okta], [
    "grafana.ca_file",
    grafana,
  ]];
  for (const [setting, certificates] of sources as [string, readonly string[]][]) {
    if (certificates.length === 0) continue;
    try {
      Deno.createHttpClient({ caCerts: [...certificates] }).close();
    } catch (cause) {
      const problem = `${setting} contains a damaged certificate; recreate the PEM file`;
      throw new ConfigError(file, [problem], { cause });
    }
  }
}

/** A `fetch` for each service, which trusts the authorities of that service alone. */
function createServiceFetch({ authorities: { both, okta, grafana }, proxies, config }: Loaded) {
  const addresses = [config.okta.domain, config.grafana.url];
  for (const [name, value] of Object.entries(runtimeVariables(addresses, proxies))) Deno.env.set(name, value);
  const forOkta = createFetch([...both, ...okta]);
  const forGrafana = createFetch([...both, ...grafana]);
  const { origin } = new URL(config.okta.domain);
  return {
    fetch: (url: string, init: RequestInit) =>
      (new URL(url).origin === origin ? forOkta : forGrafana).fetch(url, init),
    close() {
      forOkta.close();
      forGrafana.close();
    },
  };
}

/** How the commands that end by themselves log: a person reads text, a pipe gets what the configuration says. */
export function loggingFor(io: Io): Partial<LogOptions> {
  return io.terminal.isWatched ? { format: "text" } : {};
}

/** Says on standard output that log lines were lost, for commands whose output no program reads. */
export function tellLost({ terminal }: Io): void {
  const lost = terminal.lost();
  if (lost !== undefined) terminal.print(`${lost}\n`);
}

/** Puts a context together from a loaded configuration. */
export function createContext(loaded: Loaded, io: Io, logging: Partial<LogOptions> = {}): Context {
  const log = createLog({ ...loaded.config.logging, write: (line) => io.terminal.note(line), ...logging });
  for (const warning of loaded.warnings) log.warning("{_warning}", { _warning: warning });
  const shutdown = followSignals(log);
  const { fetch, close } = createServiceFetch(loaded);
  const proxyOf = (url: string) => proxyFor(url, loaded.proxies);
  let requests = 0;
  return {
    loaded,
    shutdown,
    fetch,
    now: Date.now,
    monotonic: () => performance.now(),
    sleep,
    random: Math.random,
    // It looks at the server directly, where something on the way may have shown a certificate of its own.
    describePeer: async (url) => proxyOf(url) ? undefined : await describePeer(url),
    proxyFor(url) {
      const proxy = proxyOf(url);
      return proxy && `${proxy.shown} (${proxy.variable})`;
    },
    log,
    signal: shutdown.signal,
    onExchange: () => requests++,
    requestCount: () => requests,
    release() {
      shutdown.release();
      close();
    },
  };
}
