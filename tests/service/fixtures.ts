/** Reports as a cycle gives them, for the tests of what is made of them. */
import type { Mapping } from "../../src/config/schema.ts";
import { metricsOf } from "../../src/service/count.ts";
import type { News, Settings } from "../../src/service/happening.ts";
import { healthOf, isReady } from "../../src/service/health.ts";
import { boardOf } from "../../src/service/show.ts";
import { createStore } from "../../src/service/store.ts";
import { keyOfMapping } from "../../src/sync/plan/desired.ts";
import type { CycleReport, MappingReport } from "../../src/sync/tell/report.ts";

/** The beginning of time in these tests, in epoch milliseconds. */
export const BEGIN = Date.UTC(2026, 0, 1);

export { mapping } from "../support.ts";

/** How the sync of a mapping went: well, unless told otherwise. */
export function mappingReport(of: Mapping, details: Partial<MappingReport> = {}): MappingReport {
  return {
    key: keyOfMapping(of),
    mapping: of,
    groupMembers: 1,
    teamMembers: 1,
    added: 0,
    removed: 0,
    pending: 0,
    onHold: 0,
    errors: [],
    gaveUp: false,
    durationSeconds: 0.5,
    endedAt: BEGIN,
    ...details,
  };
}

/** A cycle that ended one second after the beginning. */
export function cycleReport(...mappings: readonly MappingReport[]): CycleReport {
  return {
    cycle: 1,
    isFull: true,
    dryRun: false,
    startedAt: BEGIN,
    endedAt: BEGIN + 1_000,
    durationSeconds: 1,
    interrupted: false,
    mappings,
    plans: [],
    joins: new Map(),
    teams: new Map(),
  };
}

/** A response of a service, whose clock is so many seconds ahead of ours. */
export function exchange(service: string, clockOffsetSeconds: number | undefined, status = "200"): News {
  const details = { service, method: "GET", route: "/", status, seconds: 0.1, clockOffsetSeconds };
  return { kind: "exchange", exchange: details };
}

/** What a service shows that has just begun and is told what happens, on a clock that the test moves. */
export function toldService(mappings: readonly Mapping[], settings: Partial<Settings> = {}, begin = BEGIN) {
  const clock = { now: begin };
  const store = createStore({ now: () => clock.now, monotonic: () => clock.now });
  const metrics = metricsOf(store);
  const configure = (these: readonly Mapping[]) =>
    store.tell({
      kind: "configured",
      mappings: these,
      settings: { intervalSeconds: 300, dryRun: false, showUsers: true, ...settings },
    });
  configure(mappings);
  return {
    clock,
    tell: store.tell,
    follow: store.follow,
    /** These mappings are synced from now on. */
    configure,
    metrics,
    health: () => healthOf(store.state(), store.moment()),
    isReady: () => isReady(store.state()),
    board: (search?: string) => boardOf(store.state(), store.moment(), search),
    /** The values of `/metrics` by series. */
    async series(): Promise<Map<string, number>> {
      const text = await metrics.registry.metrics();
      const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
      return new Map(lines.map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }));
    },
  };
}

/** A service that is told what happens. */
export type ToldService = ReturnType<typeof toldService>;
