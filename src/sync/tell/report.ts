/** What a cycle did: for the log, the metrics, `/health`, the terminal and the exit status. */
import type { Mapping } from "../../config/schema.ts";
import { isServiceWide } from "../../http/error.ts";
import { countDone, type Event, growthBy } from "../act/events.ts";
import type { Scope } from "../observe/changes.ts";
import { type HoldReason, ofKind } from "../plan/actions.ts";
import type { Joins } from "../plan/join.ts";
import { keyOfMapping, type Source } from "../plan/desired.ts";
import type { TeamPlan } from "../plan/team.ts";
import { errorOf, keyOf, type SyncError } from "./words.ts";

/** How the sync of one mapping went. */
export interface MappingReport {
  /** The mapping's key. */
  readonly key: string;
  readonly mapping: Mapping;
  /** Members in the Okta group; `undefined` if it could not be read. */
  readonly groupMembers: number | undefined;
  /** Members of the Grafana team afterwards; `undefined` if it could not be read. */
  readonly teamMembers: number | undefined;
  readonly added: number;
  readonly removed: number;
  readonly pending: number;
  /** Removals on hold. They count on the team's first mapping. */
  readonly onHold: number;
  readonly holdReason?: HoldReason | undefined;
  readonly errors: readonly SyncError[];
  /** After a failure the rest of the changes was not tried. */
  readonly gaveUp: boolean;
  readonly durationSeconds: number;
  /** Epoch milliseconds. */
  readonly endedAt: number;
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
  readonly plans: readonly TeamPlan[];
  /** How far bringing pending users in has come, by Okta id; a dry run says what it would do. */
  readonly joins: Joins;
  /** All of Grafana's teams by name, or why they could not be read; none in an interrupted cycle. */
  readonly teams: Scope["teams"];
}

/** Whether everything that was to be done for a mapping was done. Pending users are no failure. */
export function isSuccess({ errors, onHold }: Pick<MappingReport, "errors" | "onHold">): boolean {
  return errors.length === 0 && onHold === 0;
}

/** Sums over the mappings of a cycle. */
export function totals({ mappings }: Pick<CycleReport, "mappings">) {
  const sum = (value: (mapping: MappingReport) => number) =>
    mappings.reduce((all, one) => all + value(one), 0);
  return {
    added: sum(({ added }) => added),
    removed: sum(({ removed }) => removed),
    pending: sum(({ pending }) => pending),
    onHold: sum(({ onHold }) => onHold),
    errors: sum(({ errors }) => errors.length),
  };
}

/** Unchanged mappings are reported as they were last synced. `endedAt` is epoch milliseconds. */
export function unchangedReports(
  mappings: readonly Mapping[],
  reports: ReadonlyMap<string, MappingReport>,
  endedAt: number,
): MappingReport[] {
  return mappings.flatMap((mapping) => reports.get(keyOfMapping(mapping)) ?? [])
    .filter(({ errors }) => errors.length === 0)
    .map((last) => ({ ...last, added: 0, removed: 0, durationSeconds: 0, endedAt }));
}

/**
 * How the sync of a mapping went, by what was planned for its team and what happened to it.
 *
 * @param plan `undefined` if the team could not be compared.
 * @param events Those of the whole team: what took effect before it was planned again, and what happened since.
 */
export function reportOf(
  { key, mapping, reading, members }: Source,
  plan: TeamPlan | undefined,
  { past, events }: { readonly past: readonly Event[]; readonly events: readonly Event[] },
  { seconds, endedAt }: { readonly seconds: number; readonly endedAt: number },
): MappingReport {
  const isOwn = (event: Event) => keyOf(event) === key;
  const own = events.filter(isOwn);
  const all = [...past.filter(isOwn), ...own];
  const hold = ofKind(plan?.holds ?? [], "on_hold").find(({ removals }) => removals[0]?.source.key === key);
  return {
    key,
    mapping,
    groupMembers: reading.kind === "failed" ? undefined : members.length,
    teamMembers: plan && plan.size + growthBy(events),
    added: countDone(all, "add"),
    removed: countDone(all, "remove"),
    pending: ofKind(plan?.holds ?? [], "pending").filter(({ member }) => member.source.key === key).length,
    onHold: hold?.removals.length ?? 0,
    holdReason: hold?.reason,
    errors: own.flatMap((event) => errorOf(event) ?? []),
    gaveUp: own.some((event) => event.kind === "failed" && (event.untried > 0 || isServiceWide(event.error))),
    durationSeconds: seconds + (reading.kind === "remembered" ? 0 : reading.seconds),
    endedAt,
  };
}
