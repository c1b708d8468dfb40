/** Everything that one configuration needs to sync, put together: the clients, and the memory between cycles. */
import type { Config } from "../config/schema.ts";
import { createGrafanaClient } from "../grafana/client.ts";
import type { Surroundings } from "../http/types.ts";
import { createOktaClient } from "../okta/client.ts";
import { runCycle } from "./cycle.ts";
import type { CycleOptions } from "./cycle_state.ts";
import { createCycleMemory } from "./memory.ts";
import type { CycleReport } from "./report.ts";

/** Runs cycles of one configuration. */
export interface Syncer {
  /** Runs a cycle; never two at once. */
  run(
    options?: Pick<CycleOptions, "dryRun" | "allowRemovals" | "onReading" | "onMapping">,
  ): Promise<CycleReport>;
}

/** Makes a syncer. */
export function createSyncer(config: Config, given: Surroundings): Syncer {
  // Cycles are counted anew by each process: with this the log tells them apart.
  const log = given.log.with({ run: crypto.randomUUID().slice(0, 8) });
  const surroundings = { ...given, log };
  const okta = createOktaClient(config.okta, surroundings);
  const grafana = createGrafanaClient(config.grafana, surroundings);
  const memory = createCycleMemory();
  const { now, monotonic } = surroundings;
  return {
    run: (options = {}) => runCycle({ config, okta, grafana, log, now, monotonic, memory, ...options }),
  };
}
