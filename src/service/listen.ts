/** Listens, and goes on listening. */
import type { Hono } from "hono";
import { errorMessage } from "../http/error.ts";
import type { Sleep } from "../http/types.ts";
import type { Logger } from "../observability/log.ts";

/** A host as a URL has it: IPv6 addresses in brackets. */
export function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** The address cannot be listened on. */
export class ListenError extends Error {
  constructor(host: string, port: number, cause: unknown) {
    const reason = cause instanceof Deno.errors.AddrInUse
      ? "another program uses this port: stop it, or set metrics.port"
      : cause instanceof Deno.errors.PermissionDenied
      ? "no right to use this port: set metrics.port to one above 1023"
      : `${cause instanceof Error ? cause.message : cause}: check metrics.host and metrics.port`;
    super(`Cannot listen on ${inUrl(host)}:${port}: ${reason}`, { cause });
    this.name = "ListenError";
  }
}

/** A server that listens. */
export interface Listening {
  /** Where it can be reached, such as `http://0.0.0.0:8000`. */
  readonly url: string;
  /** Stops listening and ends when the open answers have been given. */
  close(): Promise<void>;
}

/** What listening needs. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  readonly sleep: Sleep;
}

/** When the system refused to listen, it is tried again after this time, in milliseconds. */
const REOPEN_MS = 1_000;

/**
 * Listens on `host` and `port`. When the system takes the port away, because the process has run out of file
 * descriptors, this is logged and the port is opened again; the program goes on.
 *
 * @throws {ListenError} if it is not possible to begin with.
 */
export function listen(app: Hono, { host, port, log, sleep }: ListenOptions): Listening {
  const closing = new AbortController();
  const open = (on: number) =>
    Deno.serve({ hostname: host, port: on, onListen() {} }, (request) => app.fetch(request));
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = open(port);
  } catch (error) {
    throw new ListenError(host, port, error);
  }
  const listening = server.addr.port;

  async function keepOpen(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await server.finished;
        if (closing.signal.aborted) return;
      } catch (error) {
        log.error("The HTTP server stopped: {_error}; it is opened again", { _error: errorMessage(error) });
      }
      await reopen();
    }
  }

  async function reopen(): Promise<void> {
    for (;;) {
      await sleep(REOPEN_MS, closing.signal).catch(() => {});
      if (closing.signal.aborted) return;
      try {
        server = open(listening);
        log.info("The HTTP server listens again");
        return;
      } catch {
        // The port, or a file descriptor for it, is not free yet.
      }
    }
  }

  const kept = keepOpen();
  return {
    url: `http://${inUrl(host)}:${listening}`,
    async close() {
      closing.abort();
      await Promise.all([server.shutdown().catch(() => {}), kept]);
    },
  };
}
