/**
 * What a process knows from one cycle to the next: one readonly value. A cycle takes it and returns the next one; a
 * cycle that is interrupted or breaks leaves it as it was.
 */
import { type Identities, nobody } from "./identities.ts";
import { type JoinState, noJoins } from "./join.ts";
import type { Known } from "./observe/known.ts";
import { noSetbacks, type Setbacks } from "./plan/setbacks.ts";
import type { Told } from "./tell/news.ts";
import type { MappingReport } from "./tell/report.ts";

/** What is known. */
export interface State {
  /** How many cycles have begun. */
  readonly cycles: number;
  /** The groups and teams as they were seen; `undefined` before the first cycle. */
  readonly known: Known | undefined;
  /** Who is who. */
  readonly identities: Identities;
  /** Who is to join the organisation, and who could not. */
  readonly joins: JoinState;
  /** What went wrong lately. */
  readonly setbacks: Setbacks;
  /** Teams whose removals the limit put on hold when they were last compared for certain. */
  readonly limited: ReadonlySet<string>;
  /** Writes that failed when they were last tried, by {@linkcode keyOfWrite}; they come last. */
  readonly failedWrites: ReadonlySet<string>;
  /** What was said, and is not said again. */
  readonly told: Told;
  /** The last report of each mapping, by its key. */
  readonly reports: ReadonlyMap<string, MappingReport>;
  /** Okta lets this credential ask what has changed, as far as is known. */
  readonly mayAskChanges: boolean;
  /** Grafana sets a team's members with one request, as far as is known. */
  readonly hasBulkWrite: boolean;
}

/** A process that begins knows nothing, and nobody who was renamed. */
export const initialState: State = {
  cycles: 0,
  known: undefined,
  identities: nobody,
  joins: noJoins,
  setbacks: noSetbacks,
  limited: new Set(),
  failedWrites: new Set(),
  told: new Map(),
  reports: new Map(),
  mayAskChanges: true,
  hasBulkWrite: true,
};
