/** `gots healthcheck`: asks the service that runs with the same configuration, for containers without a shell. */
import { get } from "node:http";
import { ConfigError } from "../config/error.ts";
import type { Config } from "../config/schema.ts";
import { errorMessage } from "../http/error.ts";
import { inUrl } from "../service/listen.ts";
import { type Io, load, STATUS } from "./context.ts";

/** How long the answer may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** The addresses that mean every address of the machine, and where it reaches itself then. */
const EVERYWHERE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "[::]": "::1" };

/** The answer's status and body. Not by `fetch`, which would ask a proxy where the environment names one. */
function ask(hostname: string, port: number): Promise<{ status: number | undefined; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  get({ hostname, port, path: "/health", signal }, (response) => {
    const chunks: Uint8Array[] = [];
    response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", async () => {
      resolve({ status: response.statusCode, body: await new Blob(chunks as BlobPart[]).text() });
    });
  }).on("error", (error) => reject(signal.aborted ? signal.reason : error));
  return promise;
}

/** What the service says of itself, in one line. */
function describe(body: string): string {
  try {
    const { status, message } = JSON.parse(body);
    return `${status}: ${message}`;
  } catch {
    return "something other than gots responded";
  }
}

/** Where the service listens is free to choose; it is asked on this machine. */
async function askService({ metrics }: Config, io: Io): Promise<number> {
  // A URL has one spelling of each address: ::0 is [::], 0 is 0.0.0.0.
  const spelling = URL.parse(`http://${inUrl(metrics.host)}`)?.hostname ?? "";
  const hostname = EVERYWHERE[spelling] ?? metrics.host;
  try {
    const { status, body } = await ask(hostname, metrics.port);
    io.terminal.print(`${describe(body)}\n`);
    return status === 200 ? STATUS.fine : STATUS.failed;
  } catch (error) {
    const where = `http://${inUrl(hostname)}:${metrics.port}/health`;
    io.terminal.note(`No response from ${where}: ${errorMessage(error)}\n`);
    return STATUS.failed;
  }
}

/** Asks `/health`. Its status is 0 or 1, as a container engine wants it. */
export async function healthcheck(file: string, io: Io): Promise<number> {
  try {
    const { config } = await load(file, io);
    if (config.metrics.enabled) return await askService(config, io);
    io.terminal.print("metrics.enabled is false: nothing to check\n");
    return STATUS.fine;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.terminal.note(`${error.message}\n`);
    return STATUS.failed;
  }
}
