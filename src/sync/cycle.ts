/** One cycle: decide what is to be compared, read the groups, fold them, and for each team compare, guard, apply, report. */
import type { Mapping } from "../config/schema.ts";
import { isRequestError } from "../http/error.ts";
import { createBreaker } from "./breaker.ts";
import { type Cycle, type CycleOptions, fold, patienceOf, readFresh } from "./cycle_state.ts";
import { type GroupReading, keyOfGroup } from "./desired.ts";
import { outcomesOf } from "./groups.ts";
import type { GuardedPlan } from "./guard.ts";
import type { KnownTeam } from "./known.ts";
import { fairly, forgetLeavers, noteUnasked } from "./memory.ts";
import { readOrganisation, unreadable } from "./organisation.ts";
import { isDue, noteOutcomes } from "./patience.ts";
import type { CycleReport, MappingReport } from "./report.ts";
import { decideScope, type Scope } from "./scope.ts";
import { emptyReports, joinMembers, keyOfTeam, syncTeams } from "./teams.ts";
import { tellUnchanged } from "./tell.ts";

/** The mappings that are to be synced now. What keeps failing is passed over for some cycles. */
function dueMappings({ known }: Scope, { config, memory }: Cycle): Mapping[] {
  const isDueNow = (key: string) => isDue(memory.patience, key, memory.cycles);
  for (const mapping of config.sync.mappings) {
    const key = keyOfGroup(mapping);
    // A group that failed is tried again when its time has come, and its team with it.
    if (memory.patience.has(key) && isDueNow(key)) known.teams.delete(mapping.grafana_team);
  }
  const due = config.sync.mappings.filter((mapping) =>
    !known.teams.has(mapping.grafana_team) &&
    [keyOfGroup(mapping), keyOfTeam(mapping.grafana_team)].every(isDueNow)
  );
  return fairly(due, keyOfGroup, memory);
}

/** Syncs the mappings that are due. */
async function syncDue(due: readonly Mapping[], scope: Scope, cycle: Cycle): Promise<void> {
  const { config: { sync }, memory } = cycle;
  const { known, teams, isFull } = scope;
  const organisation = scope.organisation ??
    await readOrganisation(cycle.grafana, cycle.onReading).catch(unreadable("the users of Grafana"));
  const down = [organisation, teams].find((one) => one instanceof Error);
  let unread: string[] = [];
  if (organisation instanceof Error || down instanceof Error) {
    const error = down instanceof Error ? down : new Error("Grafana is down");
    // Nothing could be done with what Okta says, so it is not asked.
    for (const mapping of due) {
      const reading: GroupReading = { kind: "failed", error, seconds: 0, notAsked: true };
      cycle.fresh.set(keyOfGroup(mapping), { reading, group: undefined });
    }
  } else {
    known.userCount = organisation.byId.size;
    const read = await readFresh(due.filter((one) => !known.groups.has(keyOfGroup(one))), known, cycle);
    if (isFull) known.oktaTime = read.at;
    unread = [...read.groups].flatMap(([key, { reading }]) =>
      reading.kind === "failed" && reading.notAsked ? [key] : []
    );
    noteOutcomes(outcomesOf(due, read), patienceOf(cycle, unread));
  }
  const names = new Set(due.map(({ grafana_team }) => grafana_team));
  const desired = fold(sync.mappings.filter(({ grafana_team }) => names.has(grafana_team)), known, cycle);
  const reports = new Map(desired.map((team) => [team, emptyReports(team, new Set(due))]));
  const present = down instanceof Error ? down : await joinMembers(organisation, reports, known, cycle);
  const unasked = await syncTeams(present, reports, scope, cycle);
  noteUnasked(memory, [...unread, ...unasked]);
  if (isFull) forgetLeavers(memory, desired);
}

/** What did not change is as it was when it was synced last. */
function carryOver(known: ReadonlyMap<string, KnownTeam>, { mappings, now, dryRun, onMapping }: Cycle): void {
  for (const { reports } of known.values()) {
    for (const before of reports) {
      const report = { ...before, added: 0, removed: 0, durationSeconds: 0, endedAt: now() };
      mappings.push(report);
      onMapping?.(report, dryRun);
    }
  }
}

/**
 * Runs one cycle. It does not throw for what Okta or Grafana do: every failure is in the report, on the
 * mappings that it concerns, and the others go on.
 */
export async function runCycle(options: CycleOptions): Promise<CycleReport> {
  const { config, now, memory } = options;
  const number = ++memory.cycles;
  const dryRun = options.dryRun ?? config.sync.dry_run;
  const [mappings, plans]: [MappingReport[], GuardedPlan[]] = [[], []];
  const cycle: Cycle = {
    ...options,
    number,
    startedAt: now(),
    dryRun,
    mappings,
    plans,
    log: options.log.with({ cycle: number }),
    breakers: { okta: createBreaker(), grafana: createBreaker() },
    fresh: new Map(),
  };
  let isFull = true;
  let interrupted = false;
  try {
    const scope = await decideScope({ ...cycle, memory: memory.scope });
    ({ isFull } = scope);
    memory.scope.known = undefined;
    const due = dueMappings(scope, cycle);
    const unchanged = new Map(scope.known.teams);
    if (!isFull) tellUnchanged(new Set(unchanged.keys()), config.sync.mappings, cycle.log);
    if (due.length > 0) await syncDue(due, scope, cycle);
    carryOver(unchanged, cycle);
    memory.scope.known = scope.known;
  } catch (error) {
    if (!isRequestError(error, "interrupted")) throw error;
    interrupted = true;
  }
  return {
    cycle: number,
    isFull,
    dryRun,
    startedAt: cycle.startedAt,
    endedAt: now(),
    interrupted,
    mappings,
    plans,
    outlook: memory.join.outlook,
  };
}
