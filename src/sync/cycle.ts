/** One cycle: decide what is to be compared, read the groups, fold them, and for each team compare, guard, apply, report. */
import type { Mapping } from "../config/schema.ts";
import { isRequestError } from "../http/error.ts";
import { allOrFirstError } from "../http/side_by_side.ts";
import type { OktaUser } from "../okta/schema.ts";
import { createBreaker } from "./breaker.ts";
import { type Cycle, type CycleOptions, fold, patienceOf, readFresh } from "./cycle_state.ts";
import { type DesiredTeam, type GroupReading, isRemembered, keyOfGroup } from "./desired.ts";
import { tellFailures } from "./failures.ts";
import { outcomesOf } from "./groups.ts";
import type { GuardedPlan } from "./guard.ts";
import type { Known, KnownTeam } from "./known.ts";
import { fairly, forgetLeavers, noteUnasked } from "./memory.ts";
import { readOrganisation, unreadable } from "./organisation.ts";
import { isDue, noteOutcomes } from "./patience.ts";
import type { Organisation } from "./plan.ts";
import type { CycleReport, MappingReport } from "./report.ts";
import { decideScope, type Scope } from "./scope.ts";
import { emptyReports, joinMembers, keyOfTeam, syncTeams } from "./teams.ts";
import { tellHidden, tellUnchanged } from "./tell.ts";

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

/** Grafana is down: nothing could be done with what Okta says, so it is not asked. */
function passOver(due: readonly Mapping[], error: Error, { fresh }: Cycle): void {
  const reading: GroupReading = { kind: "failed", error, seconds: 0, notAsked: true };
  for (const mapping of due) fresh.set(keyOfGroup(mapping), { reading, group: undefined });
}

/** Reads those of the groups that are not known, and says which Okta was not asked for. */
async function readUnknown(
  due: readonly Mapping[],
  { known, isFull }: Scope,
  cycle: Cycle,
): Promise<string[]> {
  const read = await readFresh(due.filter((one) => !known.groups.has(keyOfGroup(one))), known, cycle);
  if (isFull) known.oktaTime = read.at;
  const unread = [...read.groups].flatMap(([key, { reading }]) =>
    reading.kind === "failed" && reading.notAsked ? [key] : []
  );
  noteOutcomes(outcomesOf(due, read), patienceOf(cycle, unread));
  return unread;
}

/** Reads the users of Grafana and the groups that are due, side by side. */
async function readBoth(
  due: readonly Mapping[],
  scope: Scope,
  cycle: Cycle,
): Promise<readonly [Organisation | Error, readonly string[]]> {
  const { teams, known } = scope;
  if (teams instanceof Error) {
    passOver(due, teams, cycle);
    return [teams, []];
  }
  const { grafana, onReading } = cycle;
  const [organisation, unread] = await allOrFirstError([
    scope.organisation ?? readOrganisation(grafana, onReading).catch(unreadable("the users of Grafana")),
    readUnknown(due, scope, cycle),
  ]);
  if (!(organisation instanceof Error)) {
    known.userCount = organisation.byId.size;
    tellHidden(organisation, { log: cycle.log, told: cycle.memory.told });
  }
  return [organisation, unread];
}

/** Folds the groups of these mappings. Nobody joins the organisation from memory: a group with a stranger is read. */
async function foldDue(
  mappings: readonly Mapping[],
  organisation: Organisation | Error,
  known: Known,
  cycle: Cycle,
): Promise<DesiredTeam[]> {
  const desired = fold(mappings, known, cycle);
  if (organisation instanceof Error) return desired;
  const isStranger = ({ profile }: OktaUser) => organisation.directory.match(profile).kind === "unknown";
  const unproven = desired.flatMap(({ sources }) =>
    sources.filter((source) => isRemembered(source) && source.members.some(isStranger))
  );
  if (unproven.length === 0) return desired;
  await readFresh(unproven.map(({ mapping }) => mapping), known, cycle);
  return fold(mappings, known, cycle);
}

/** Syncs the mappings that are due. */
async function syncDue(due: readonly Mapping[], scope: Scope, cycle: Cycle): Promise<void> {
  const { config: { sync }, memory } = cycle;
  const { known, isFull } = scope;
  const [organisation, unread] = await readBoth(due, scope, cycle);
  const names = new Set(due.map(({ grafana_team }) => grafana_team));
  const mappings = sync.mappings.filter(({ grafana_team }) => names.has(grafana_team));
  const desired = await foldDue(mappings, organisation, known, cycle);
  const reports = new Map(desired.map((team) => [team, emptyReports(team, new Set(due))]));
  const unasked = await syncTeams(
    await joinMembers(organisation, reports, known, cycle),
    reports,
    scope,
    cycle,
  );
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
  const { config, now, monotonic, memory } = options;
  const begun = monotonic();
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
    failures: [],
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
  } finally {
    tellFailures(cycle.failures, cycle.log);
  }
  return {
    cycle: number,
    isFull,
    dryRun,
    startedAt: cycle.startedAt,
    endedAt: now(),
    durationSeconds: (monotonic() - begun) / 1_000,
    interrupted,
    mappings,
    plans,
    outlook: memory.join.outlook,
  };
}
