/** Reports as a cycle gives them, for the tests of what is made of them. */
import type { Mapping } from "../../src/config/schema.ts";
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
  };
}
