/** What is known of each mapping and team: pure functions from one state to the next. */
import type { Mapping } from "../config/schema.ts";
import { addressOf } from "../grafana/directory.ts";
import type { Change, HoldReason } from "../sync/plan/actions.ts";
import { keyOfMapping } from "../sync/plan/desired.ts";
import { partsOf, type TeamPlan } from "../sync/plan/team.ts";
import { type CycleReport, isSuccess, type MappingReport } from "../sync/tell/report.ts";

/** What is known of a mapping. Times are epoch milliseconds. */
export interface KnownMapping {
  /** {@linkcode keyOfMapping}. */
  readonly key: string;
  readonly mapping: Mapping;
  /** When it was configured first. */
  readonly since: number;
  /** Of its last sync. */
  readonly report: MappingReport | undefined;
  /** As they were counted last; 0 until then. */
  readonly groupMembers: number;
  readonly teamMembers: number;
  /** Since it was configured first. */
  readonly added: number;
  readonly removed: number;
  /** Whether its last sync did everything. */
  readonly isDone: boolean;
  readonly isInSync: boolean;
  /** Start of the last cycle that left it in sync. */
  readonly lastInSyncAt: number | undefined;
}

/** The configured mappings, in the order of the configuration. */
export interface KnownMappings {
  readonly all: readonly KnownMapping[];
  /** Where each stands, by its key. */
  readonly places: ReadonlyMap<string, number>;
}

/** Somebody, and the mapping on which they count, by its key. */
export interface Person {
  readonly key: string;
  readonly address: string;
}

/** What was found when a team was compared last. */
export interface KnownTeam {
  readonly pending: readonly Person[];
  readonly onHold: readonly Person[];
  readonly removalsOnHold: number;
  readonly reason: HoldReason | undefined;
  readonly explanation: string;
  readonly additions: readonly Person[];
  readonly removals: readonly Person[];
  /** Changes that were found and not carried out. */
  readonly left: { readonly add: number; readonly remove: number };
}

/** By the name of the team. */
export type KnownTeams = ReadonlyMap<string, KnownTeam>;

/** A mapping that was not synced yet. */
function unsynced(mapping: Mapping, since: number): KnownMapping {
  return {
    key: keyOfMapping(mapping),
    mapping,
    since,
    report: undefined,
    groupMembers: 0,
    teamMembers: 0,
    added: 0,
    removed: 0,
    isDone: false,
    isInSync: false,
    lastInSyncAt: undefined,
  };
}

/** These mappings and no others, with what is known of them already. */
export function withMappings(before: KnownMappings, mappings: readonly Mapping[], at: number): KnownMappings {
  const all = mappings.map((mapping) => ({
    ...find(before, keyOfMapping(mapping)) ?? unsynced(mapping, at),
    mapping,
  }));
  return { all, places: new Map(all.map(({ key }, place) => [key, place])) };
}

/** What is known of a mapping; `undefined` if it is not configured any more. */
export function find({ all, places }: KnownMappings, key: string): KnownMapping | undefined {
  const place = places.get(key);
  return place === undefined ? undefined : all[place];
}

/** After the sync of a mapping. What could not be counted stays as it was counted last. */
export function withReport(before: KnownMappings, report: MappingReport): KnownMappings {
  const [known, place] = [find(before, report.key), before.places.get(report.key)];
  if (!known || place === undefined) return before;
  const { groupMembers = known.groupMembers, teamMembers = known.teamMembers } = report;
  const all = before.all.with(place, {
    ...known,
    report,
    groupMembers,
    teamMembers,
    added: known.added + report.added,
    removed: known.removed + report.removed,
    isDone: isSuccess(report),
  });
  return { ...before, all };
}

/** After a cycle. A mapping is in sync if everything was done for it, and nothing is left of its team. */
export function withCycle(before: KnownMappings, report: CycleReport, teams: KnownTeams): KnownMappings {
  const reports = new Map(report.mappings.map((one) => [one.key, one]));
  const all = before.all.map((known) => {
    const one = reports.get(known.key);
    if (!one) return known;
    const { add, remove } = teams.get(known.mapping.grafana_team)?.left ?? { add: 0, remove: 0 };
    const isInSync = isSuccess(one) && add + remove === 0;
    return { ...known, isInSync, lastInSyncAt: isInSync ? report.startedAt : known.lastInSyncAt };
  });
  return { ...before, all };
}

/** After a cycle that was aborted: nothing is known to be synced. */
export function withoutSync(before: KnownMappings): KnownMappings {
  return { ...before, all: before.all.map((known) => ({ ...known, isDone: false, isInSync: false })) };
}

/** What a cycle left undone of a team's plan. */
function leftOf(
  { additions, removals, onHold }: ReturnType<typeof partsOf>,
  own: readonly MappingReport[],
): KnownTeam["left"] {
  const done = (count: "added" | "removed") => own.reduce((sum, report) => sum + report[count], 0);
  return {
    add: additions.length + (onHold?.additions.length ?? 0) - done("added"),
    remove: removals.length + (onHold?.removals.length ?? 0) - done("removed"),
  };
}

const people = (changes: readonly Change[]) =>
  changes.map(({ source: { key }, address }) => ({ key, address }));

function teamAfter(plan: TeamPlan, own: readonly MappingReport[]): KnownTeam {
  const parts = partsOf(plan);
  const { pending, onHold, additions, removals } = parts;
  return {
    pending: pending.map(({ member: { source: { key }, user } }) => ({
      key,
      address: addressOf(user.profile),
    })),
    onHold: onHold ? people([...onHold.removals, ...onHold.additions]) : [],
    removalsOnHold: onHold?.removals.length ?? 0,
    reason: onHold?.reason,
    explanation: onHold?.explanation ?? "",
    additions: people(additions),
    removals: people(removals),
    left: leftOf(parts, own),
  };
}

/** After a cycle. A team that could not be compared stays as it was found last. */
export function withPlans(before: KnownTeams, report: CycleReport, { all }: KnownMappings): KnownTeams {
  const names = new Set(all.map(({ mapping }) => mapping.grafana_team));
  const reports = Map.groupBy(report.mappings, ({ mapping }) => mapping.grafana_team);
  const own = report.plans.filter(({ team }) => names.has(team));
  return new Map([
    ...before,
    ...own.map((plan) => [plan.team, teamAfter(plan, reports.get(plan.team) ?? [])] as const),
  ]);
}

/** The teams of these mappings and no others. */
export function withTeamsOf(before: KnownTeams, { all }: KnownMappings): KnownTeams {
  const names = new Set(all.map(({ mapping }) => mapping.grafana_team));
  return new Map([...before].filter(([team]) => names.has(team)));
}
