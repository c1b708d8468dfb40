/** The HTTP server: `/health`, `/ready`, `/metrics`. */
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Metrics } from "../observability/metrics.ts";
import type { Status } from "./status.ts";

/** What the server shows. */
export interface AppOptions {
  readonly status: Pick<Status, "health" | "isReady">;
  readonly metrics: Pick<Metrics, "registry">;
}

/** Makes the application that answers; it reads only. */
export function createApp({ status, metrics }: AppOptions): Hono {
  const app = new Hono();
  app.use(secureHeaders({ strictTransportSecurity: false }));
  app.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    return c.text("Method Not Allowed\n", 405, { allow: "GET, HEAD" });
  });
  app.get("/health", (c) => {
    const health = status.health();
    return c.json(health, health.status === "unhealthy" ? 503 : 200);
  });
  app.get("/ready", (c) => c.json({ ready: status.isReady() }, status.isReady() ? 200 : 503));
  app.get("/metrics", async (c) => {
    const { registry } = metrics;
    return c.body(await registry.metrics(), 200, { "content-type": registry.contentType });
  });
  app.notFound((c) => c.text("Not Found\n", 404));
  return app;
}

/** The address cannot be listened on. */
export class ListenError extends Error {
  constructor(host: string, port: number, cause: unknown) {
    const reason = cause instanceof Deno.errors.AddrInUse
      ? "another program uses this port: stop it, or set metrics.port"
      : cause instanceof Deno.errors.PermissionDenied
      ? "no right to use this port: set metrics.port to one above 1023"
      : `${cause instanceof Error ? cause.message : cause}: check metrics.host and metrics.port`;
    super(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
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

/**
 * Listens on `host` and `port`.
 *
 * @throws {ListenError} if that is not possible.
 */
export function listen(
  app: Hono,
  { host, port }: { readonly host: string; readonly port: number },
): Listening {
  try {
    const server = Deno.serve({ hostname: host, port, onListen() {} }, (request) => app.fetch(request));
    const shown = host.includes(":") ? `[${host}]` : host;
    return { url: `http://${shown}:${server.addr.port}`, close: () => server.shutdown() };
  } catch (error) {
    throw new ListenError(host, port, error);
  }
}
