/** What a cycle did: for the log, the metrics, `/health`, the terminal and the exit status. */
import type { Mapping } from "../config/schema.ts";
import type { GuardedPlan, WithholdingReason } from "./guard.ts";

/** Something that went wrong, with what to do. */
export interface SyncError {
  readonly message: string;
  /** The person whom it concerns, where it is one: such a message is not for every eye. */
  readonly user?: string;
}

/** How the sync of one mapping went. */
export interface MappingReport {
  readonly mapping: Mapping;
  /** Members of the Okta group who count; `undefined` if it could not be read. */
  groupMembers: number | undefined;
  /** Members of the Grafana team afterwards; `undefined` if it could not be read. */
  teamMembers: number | undefined;
  added: number;
  removed: number;
  pending: number;
  withheld: number;
  /** Why they are withheld. */
  withheldReason?: WithholdingReason | undefined;
  /** After this failure the rest of the changes was not tried. */
  gaveUp?: Error | undefined;
  readonly errors: SyncError[];
  durationSeconds: number;
  /** Epoch milliseconds. */
  endedAt: number;
}

/** How a cycle went. */
export interface CycleReport {
  /** Counts the cycles of this process from 1. */
  readonly cycle: number;
  /** Everything was read; otherwise only what changed since the cycle before. */
  readonly isFull: boolean;
  readonly dryRun: boolean;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** By the monotonic clock. */
  readonly durationSeconds: number;
  /** A shutdown came before everything was done; the next run does the rest. */
  readonly interrupted: boolean;
  /** The mappings that were begun; in an interrupted cycle the last ones may be unfinished. */
  readonly mappings: readonly MappingReport[];
  /** What was, or in a dry run would be, changed: one for each team that could be read. */
  readonly plans: readonly GuardedPlan[];
  /** What a dry run would do for pending users, by Okta's id, where that is known: `would be created as Viewer`. */
  readonly outlook?: ReadonlyMap<string, string>;
}

/** Tells mappings apart. */
export function keyOfMapping({ okta_group, grafana_team }: Mapping): string {
  return JSON.stringify([okta_group, grafana_team]);
}

/** Whether everything that was to be done for a mapping was done. Pending users are no failure. */
export function isSuccess({ errors, withheld }: MappingReport): boolean {
  return errors.length === 0 && withheld === 0;
}

/** Sums over the mappings of a cycle. */
export function totals({ mappings }: CycleReport) {
  const sum = (value: (mapping: MappingReport) => number) =>
    mappings.reduce((all, one) => all + value(one), 0);
  return {
    added: sum(({ added }) => added),
    removed: sum(({ removed }) => removed),
    pending: sum(({ pending }) => pending),
    withheld: sum(({ withheld }) => withheld),
    errors: sum(({ errors }) => errors.length),
  };
}
