/** Everything that one configuration needs to sync, put together: the clients, and the state between cycles. */
import type { Config } from "../config/schema.ts";
import { createGrafanaClient } from "../grafana/client.ts";
import type { Surroundings } from "../http/types.ts";
import { createOktaClient } from "../okta/client.ts";
import { type CycleOptions, runCycle } from "./cycle.ts";
import { initialState } from "./state.ts";
import type { CycleReport } from "./tell/report.ts";

/** Runs cycles of one configuration. */
export interface Syncer {
  /** Runs a cycle; never two at once. */
  run(
    options?: Pick<CycleOptions, "dryRun" | "allowRemovals" | "onReading" | "onMapping">,
  ): Promise<CycleReport>;
}

/** Makes a syncer. */
export function createSyncer(config: Config, given: Surroundings): Syncer {
  // Each process counts its cycles from 1; this tells them apart in the log.
  const log = given.log.with({ run: crypto.randomUUID().slice(0, 8) });
  const surroundings = { ...given, log };
  const okta = createOktaClient(config.okta, surroundings);
  const grafana = createGrafanaClient(config.grafana, surroundings);
  const { now, monotonic } = surroundings;
  let state = initialState;
  return {
    async run(options = {}) {
      const before = state;
      // A cycle that breaks leaves everything as it was, but for its number.
      state = { ...before, cycles: before.cycles + 1 };
      const cycled = await runCycle(before, { config, okta, grafana, log, now, monotonic, ...options });
      state = cycled.state;
      return cycled.report;
    },
  };
}
