/** A simulated Grafana: teams, users and rights as its HTTP API has them, held to exchanges that were recorded from a real one. */
import { Hono } from "hono";
import { type Env, identify } from "./grafana_actor.ts";
import { failure, message } from "./grafana_answer.ts";
import { addOrgRoutes } from "./grafana_org.ts";
import { addServerRoutes } from "./grafana_server.ts";
import { GrafanaState } from "./grafana_state.ts";
import { addTeamRoutes } from "./grafana_teams.ts";
import { serve, type SimulatedServer } from "./server.ts";

/** A simulated Grafana that is running; tests change `state` at will. */
export interface SimulatedGrafana extends SimulatedServer {
  readonly state: GrafanaState;
}

/** How the simulated Grafana is. */
export interface SimulatedGrafanaOptions {
  /** A token of an Admin service account. */
  readonly token: string;
  /** The path under which it is served, such as `/grafana`. @default {""} */
  readonly basePath?: string;
  /** @default {"9.5.0"} */
  readonly version?: string;
  /** The administrator's password. @default {"admin"} */
  readonly adminPassword?: string;
}

/** Starts a simulated Grafana on loopback. */
export function startGrafana(options: SimulatedGrafanaOptions): SimulatedGrafana {
  const { token, basePath = "", version = "9.5.0", adminPassword = "admin" } = options;
  const state = new GrafanaState();
  state.version = version;
  state.tokens.set(token, { id: 0, orgId: 1, name: "gots", role: "Admin" });
  const app = new Hono<Env>().basePath(basePath);
  app.get("/api/health", (c) => {
    const shown = state.hideVersion ? {} : { version: state.version };
    return c.json({ commit: "NA", database: "ok", ...shown });
  });
  app.use("/api/*", async (c, next) => {
    const actor = identify(c, state, adminPassword);
    if (!actor) {
      const [scheme] = c.req.header("authorization")?.split(" ") ?? [];
      const refusal = scheme === "Basic" ? "Invalid username or password" : "invalid API key";
      return c.json(failure(scheme ? refusal : "Unauthorized"), 401);
    }
    c.set("actor", actor);
    return await next();
  });
  addTeamRoutes(app, state);
  addOrgRoutes(app, state);
  addServerRoutes(app, state);
  app.notFound((c) => c.json(message("Not found"), 404));
  const simulated = serve((request) => app.fetch(request));
  return Object.assign(simulated, { state, url: simulated.url + basePath });
}
