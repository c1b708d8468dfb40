/** The sync of one team, mapping by mapping. */
import type { GrafanaClient } from "../grafana/client.ts";
import type { Mapping } from "../config/schema.ts";
import type { GrafanaTeam, TeamMember } from "../grafana/schema.ts";
import { isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import { applyChanges } from "./apply.ts";
import type { DesiredTeam, GroupReading, Source } from "./desired.ts";
import { type GuardedPlan, type GuardOptions, guardPlan } from "./guard.ts";
import { type Change, type CurrentTeam, type Organisation, planTeam, quoteAll } from "./plan.ts";
import { type Keeping, keepPeople } from "./policy.ts";
import type { MappingReport } from "./report.ts";
import {
  failMapping,
  fieldsOf,
  type PendingOptions,
  reportUnresolved,
  tellKept,
  tellPending,
  tellWithheld,
  type ToldMemory,
} from "./tell.ts";

/** What the sync of a team needs. */
export interface TeamOptions extends GuardOptions, PendingOptions {
  readonly grafana: GrafanaClient;
  /** Carries the cycle's number. */
  readonly log: Logger;
  readonly now: () => number;
  readonly dryRun: boolean;
  readonly keeping: Keeping;
  readonly told: ToldMemory;
  /** Writes that failed when they were last tried. */
  readonly failing: Set<string>;
  /** Teams whose removals the limit withheld when they were last compared for certain. */
  readonly limited: Set<string>;
  /** Reads the team's groups once more, and folds them. */
  readonly readAgain: (desired: DesiredTeam) => Promise<DesiredTeam>;
  readonly onReading?: (what: string, count: number) => void;
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

/** A team whose members something else writes. */
export class ForeignTeamError extends Error {
  constructor(team: string, by: string) {
    super(
      `Grafana team '${team}' is ${by}: gots left it alone; take its mappings out of the configuration, or end ` +
        "the other sync",
    );
    this.name = "ForeignTeamError";
  }
}

/** What else writes a team's members, in words; `undefined` if Grafana names nothing. */
export function describeForeign(team: GrafanaTeam, members: readonly TeamMember[]): string | undefined {
  if (team.isProvisioned) return "provisioned";
  const labels = new Set(members.flatMap((member) => member.labels ?? []));
  return labels.size > 0 ? `synced by ${[...labels].join(", ")}` : undefined;
}

/** @throws {ForeignTeamError} if Grafana says that the team is provisioned, or synced by something else. */
async function readTeam(name: string, { grafana, onReading }: TeamOptions): Promise<CurrentTeam> {
  onReading?.(`Grafana team ${name}`, 0);
  const team = await grafana.findTeam(name);
  if (!team) return { id: undefined, members: [] };
  const members = team.isProvisioned ? [] : await grafana.listTeamMembers(team.id);
  const foreign = describeForeign(team, members);
  if (foreign) throw new ForeignTeamError(name, foreign);
  return { id: team.id, members };
}

async function createTeam(
  { name, sources }: DesiredTeam,
  { grafana, log, dryRun }: TeamOptions,
): Promise<number | undefined> {
  const groups = sources.map(({ mapping }) => mapping.okta_group);
  const fields = { team: name, okta_group: groups[0], why: `mapped from Okta group ${quoteAll(groups)}` };
  if (dryRun) {
    log.info("Would create team {team}", { ...fields, action: "would_create_team" });
    return undefined;
  }
  const id = await grafana.createTeam(name);
  log.info("Created team {team}", { ...fields, action: "create_team" });
  return id;
}

/**
 * Plans and guards. Before anybody is removed, the groups are read once more: whoever is in either reading
 * stays. So nobody is lost who moved from one page to another while the group was read, or who came while
 * the cycle waited for a rate limit.
 */
async function planAndGuard(
  desired: DesiredTeam,
  current: CurrentTeam,
  organisation: Organisation,
  onUnread: (mapping: Mapping, reading: GroupReading) => void,
  options: TeamOptions,
): Promise<GuardedPlan> {
  const plan = (from: DesiredTeam) =>
    keepPeople(planTeam(from, current, organisation), from, current, options.keeping);
  const first = guardPlan(plan(desired), desired, options);
  if (first.removals.length === 0) return first;

  const again = await options.readAgain(desired);
  const failed = again.sources.filter(({ reading }) => reading.kind === "failed");
  if (failed.length > 0) {
    for (const { mapping, reading } of failed) onUnread(mapping, reading);
    return guardPlan(first, again, options);
  }
  const gone = new Set(first.removals.map(({ user }) => user.userId));
  const second = plan(again);
  const removals = second.removals.filter(({ user }) => gone.has(user.userId));
  return guardPlan({ ...second, removals }, again, options);
}

/** The part of a plan that is counted on one mapping. */
async function syncMapping(
  source: Source,
  plan: GuardedPlan,
  teamId: number | undefined,
  report: MappingReport,
  options: TeamOptions,
): Promise<void> {
  const { mapping } = source;
  const log = options.log.with(fieldsOf(mapping));
  const startedAt = options.now();
  const share = (changes: readonly Change[]) => changes.filter((change) => change.mapping === mapping);
  const [additions, removals] = [share(plan.additions), share(plan.removals)];
  log.info("Starting sync: {okta_group} -> {grafana_team}", fieldsOf(mapping));
  if (source.reading.kind === "failed") {
    return failMapping(mapping, report, source.reading.error, options.log);
  }

  const counts = { members: source.members.length, team_members: plan.size };
  log.info("Found {members} members in Okta group '{okta_group}'", { ...fieldsOf(mapping), ...counts });
  log.info("Found {team_members} members in Grafana team '{grafana_team}'", {
    ...fieldsOf(mapping),
    ...counts,
  });
  const diff = { to_add: additions.length, to_remove: removals.length };
  log.info("Sync diff: {to_add} to add, {to_remove} to remove", diff);
  reportUnresolved(plan, mapping, report, log);
  const target = { ...options, log, team: plan.team, teamId };
  await applyChanges(additions, report, target);
  // Whoever has left loses the team even where somebody cannot be added.
  if (!report.gaveUp || isRequestError(report.gaveUp, "forbidden", "server-error")) {
    await applyChanges(removals, report, target);
  }
  report.durationSeconds += (options.now() - startedAt) / 1_000;
  log.info("Sync completed: +{added} users, -{removed} users, {errors} errors, {seconds}s", {
    added: report.added,
    removed: report.removed,
    errors: report.errors.length,
    seconds: report.durationSeconds.toFixed(2),
  });
}

/**
 * Brings one team to what its groups say and fills `reports`, one for each of its mappings; a mapping
 * without a report is passed over.
 *
 * @returns what was, or would be, done; or why the team could not be compared.
 * @throws {RequestError} of the kind `interrupted` on shutdown; nothing else.
 */
export async function syncTeam(
  desired: DesiredTeam,
  organisation: Organisation | Error,
  reports: readonly MappingReport[],
  options: TeamOptions,
): Promise<GuardedPlan | Error> {
  const reported = desired.sources.flatMap((source) => {
    const report = reports.find(({ mapping }) => mapping === source.mapping);
    return report ? [{ source, report }] : [];
  });
  const endAll = (teamMembers?: number) => {
    for (const { report } of reported) {
      report.teamMembers = teamMembers;
      report.endedAt = options.now();
      options.onMapping?.(report, options.dryRun);
    }
  };
  const failAll = (error: Error): Error => {
    if (isRequestError(error, "interrupted")) throw error;
    for (const { source: { mapping, reading }, report } of reported) {
      failMapping(mapping, report, reading.kind === "failed" ? reading.error : error, options.log);
    }
    endAll();
    return error;
  };
  if (organisation instanceof Error) return failAll(organisation);
  if (desired.sources.every(({ reading }) => reading.kind === "failed")) {
    return failAll(new Error("none of the team's groups could be read"));
  }

  try {
    const current = await readTeam(desired.name, options);
    const onUnread = (mapping: Mapping, reading: GroupReading) => {
      const report = reports.find((one) => one.mapping === mapping);
      if (report && reading.kind === "failed") failMapping(mapping, report, reading.error, options.log);
    };
    const wasLimited = options.limited.has(desired.name);
    const plan = await planAndGuard(desired, current, organisation, onUnread, { ...options, wasLimited });
    if (plan.withheld?.reason === "removal-limit") options.limited.add(desired.name);
    else if (!plan.withheld) options.limited.delete(desired.name);
    const teamId = current.id ?? await createTeam(desired, options);
    for (const [i, { source, report }] of reported.entries()) {
      if (i === 0) {
        report.withheld = plan.withheld?.removals.length ?? 0;
        report.withheldReason = plan.withheld?.reason;
      }
      await syncMapping(source, plan, teamId, report, options);
    }
    tellPending(plan, options);
    tellKept(plan, options);
    tellWithheld(plan, options);
    endAll(reports.reduce((size, { added, removed }) => size + added - removed, plan.size));
    return plan;
  } catch (error) {
    return failAll(error instanceof Error ? error : new Error(String(error)));
  }
}
