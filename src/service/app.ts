/** What is answered over HTTP: `/health`, `/ready`, `/metrics`, and the status as a page and as JSON. */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { accepts } from "hono/accepts";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { compress } from "hono/compress";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { timingSafeEqual } from "hono/utils/buffer";
import { isLoopback } from "../config/fields.ts";
import type { Secret } from "../config/secret.ts";
import { escapeUnprintable, type Logger } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Board } from "./board.ts";
import type { Health } from "./health.ts";
import { ICON, SCRIPT, STYLE } from "./page/assets.ts";
import { renderPage } from "./page/page.tsx";

/** What is answered. */
export interface AppOptions {
  readonly health: () => Health;
  readonly isReady: () => boolean;
  readonly metrics: Pick<Metrics, "registry">;
  /** What the status shows, or what a search finds in it. @default {no status page} */
  readonly board?: ((search?: string) => Board) | undefined;
  /** Required for every path but `/health` and `/ready`. @default {everybody may look} */
  readonly token?: Secret | undefined;
  /** Where the server listens. @default {every address} */
  readonly host?: string | undefined;
  readonly log: Logger;
}

/** Only what comes from here is loaded, nothing is sent elsewhere, and no other page shows it in a frame. */
const POLICY = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  scriptSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

const OPENMETRICS = "application/openmetrics-text";

/** The same metrics in OpenMetrics 1.0, where a counter's family is named without `_total`. @see https://prometheus.io/docs/specs/om/open_metrics_spec/ */
function toOpenMetrics(text: string): string {
  return `${text.replace(/^# (HELP|TYPE) (\S+)_total /gm, "# $1 $2 ").replace(/\n{2,}/g, "\n")}# EOF\n`;
}

/** Lets in who shows the token: as a bearer (RFC 6750), or as the password that a browser asks for (RFC 7617). */
function demand(token: Secret): MiddlewareHandler {
  const isToken = (given: string) => timingSafeEqual(given, token.reveal());
  const bearer: MiddlewareHandler = bearerAuth({ verifyToken: isToken, realm: "gots" });
  const basic: MiddlewareHandler = basicAuth({
    verifyUser: (_user, password) => isToken(password),
    realm: "gots",
  });
  return async (c, next) => {
    const check = /^bearer /i.test(c.req.header("authorization") ?? "") ? bearer : basic;
    try {
      return await check(c, next);
    } catch (error) {
      if (error instanceof HTTPException) return error.getResponse();
      throw error;
    }
  };
}

/**
 * Refuses requests for another host than this machine's loopback names. Without it, any page that a browser on this
 * machine shows could read the answers, under a name of its own that leads here (DNS rebinding).
 *
 * @see RFC 9110 15.5.20
 */
function demandLoopbackName(host: string): MiddlewareHandler {
  const isOwn = (name: string) => isLoopback(name) || name === host || name.endsWith(".localhost");
  return async (c, next) => {
    const asked = URL.parse(`http://${c.req.header("host") ?? new URL(c.req.url).host}`)?.hostname;
    if (asked !== undefined && isOwn(asked)) return await next();
    const advice = "use localhost, or set metrics.token";
    return c.text(`Misdirected Request: without a token, only loopback names are answered; ${advice}\n`, 421);
  };
}

const json = (c: Context, value: unknown, status: 200 | 503 = 200) =>
  c.body(escapeUnprintable(JSON.stringify(value)), status, { "content-type": "application/json" });

function addStatus(app: Hono, board: NonNullable<AppOptions["board"]>): void {
  const searchOf = (c: Context) => c.req.query("q")?.trim() ?? "";
  app.get("/", (c) => {
    const search = searchOf(c);
    const whole = board();
    return c.html(renderPage(whole, search === "" ? whole : board(search), search));
  });
  app.get("/api/status", (c) => json(c, board(searchOf(c))));
  app.get("/status.css", (c) => c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/status.js", (c) => c.body(SCRIPT, 200, { "content-type": "text/javascript; charset=utf-8" }));
  app.get("/icon.svg", (c) => c.body(ICON, 200, { "content-type": "image/svg+xml" }));
}

/** Makes the application that answers; it reads only. */
export function createApp(options: AppOptions): Hono {
  const { health, isReady, metrics: { registry }, board, token, host, log } = options;
  const app = new Hono();
  app.use(secureHeaders({
    strictTransportSecurity: false,
    contentSecurityPolicy: POLICY,
    xFrameOptions: "DENY",
  }));
  app.use((c, next) => {
    c.header("cache-control", "no-store");
    return next();
  });
  app.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    return c.text("Method Not Allowed\n", 405, { allow: "GET, HEAD" });
  });
  if (!token && host !== undefined && isLoopback(host)) app.use(demandLoopbackName(host));
  app.use(compress());
  app.get("/health", (c) => {
    const body = health();
    return json(c, body, body.status === "unhealthy" ? 503 : 200);
  });
  app.get("/ready", (c) => c.json({ ready: isReady() }, isReady() ? 200 : 503));
  if (token) app.use(demand(token));
  app.get("/metrics", async (c) => {
    const text = await registry.metrics();
    const supports = ["text/plain", OPENMETRICS];
    const type = accepts(c, { header: "Accept", supports, default: "text/plain" });
    return type === OPENMETRICS
      ? c.body(toOpenMetrics(text), 200, { "content-type": `${OPENMETRICS}; version=1.0.0; charset=utf-8` })
      : c.body(text, 200, { "content-type": registry.contentType });
  });
  if (board) addStatus(app, board);
  app.notFound((c) => c.text("Not Found\n", 404));
  app.onError((error, c) => {
    log.error("The HTTP server could not answer: {_error}", { _error: error.message });
    return c.text("Internal Server Error\n", 500);
  });
  return app;
}
