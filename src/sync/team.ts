/** The sync of one team, mapping by mapping. */
import type { Mapping } from "../config/schema.ts";
import { isRequestError } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import type { Logger } from "../observability/log.ts";
import { applyChanges } from "./apply.ts";
import { type BulkOptions, writeBulk } from "./bulk.ts";
import { takeOutCreator } from "./creator.ts";
import { decide, type DecideOptions } from "./decide.ts";
import type { DesiredTeam, GroupReading, Source } from "./desired.ts";
import { failMapping, type Failure } from "./failures.ts";
import type { GuardedPlan } from "./guard.ts";
import { type Change, nameGroups, type Organisation } from "./plan.ts";
import type { MappingReport } from "./report.ts";
import {
  fieldsOf,
  type PendingOptions,
  reportUnresolved,
  tellKept,
  tellPending,
  tellWithheld,
  type ToldMemory,
} from "./tell.ts";

/** What the sync of a team needs. */
export interface TeamOptions
  extends Omit<DecideOptions, "onUnread">, PendingOptions, Pick<BulkOptions, "bulk"> {
  /** Carries the cycle's number. */
  readonly log: Logger;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly told: ToldMemory;
  /** What kept mappings from being synced in this cycle. */
  readonly failures: Failure[];
  /** Writes that failed when they were last tried. */
  readonly failing: Set<string>;
  /** Teams whose removals the limit withheld when they were last compared for certain. */
  readonly limited: Set<string>;
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

async function createTeam(
  { name, sources }: DesiredTeam,
  { grafana, log, dryRun }: TeamOptions,
): Promise<{ readonly id: number; readonly isNew: boolean } | undefined> {
  const groups = sources.map(({ mapping }) => mapping.okta_group);
  const fields = {
    grafana_team: name,
    okta_group: groups[0],
    why: `mapped from ${nameGroups(groups)}`,
  };
  if (dryRun) {
    log.info("Would create team {grafana_team}", { ...fields, ...audit("create_team", "planned") });
    return undefined;
  }
  const ownId = await grafana.readOwnId();
  const team = await grafana.createTeam(name);
  const message = team.isNew
    ? "Created team {grafana_team}"
    : "Team {grafana_team} is there already: by a request whose answer was lost, or by other hands";
  log.info(message, {
    ...fields,
    ...audit("create_team", team.isNew ? "done" : "found"),
    team_id: team.id,
  });
  await takeOutCreator(team.id, ownId, fields, grafana, log);
  return team;
}

/** The part of a plan that is counted on one mapping. */
async function syncMapping(
  source: Source,
  plan: GuardedPlan,
  teamId: number | undefined,
  written: ReadonlySet<Change>,
  report: MappingReport,
  options: TeamOptions,
): Promise<void> {
  const { mapping } = source;
  const log = options.log.with(fieldsOf(mapping));
  const startedAt = options.monotonic();
  const share = (changes: readonly Change[]) => changes.filter((change) => change.mapping === mapping);
  const [additions, removals] = [share(plan.additions), share(plan.removals)];
  log.info("Starting sync: {okta_group} -> {grafana_team}", fieldsOf(mapping));
  if (source.reading.kind === "failed") {
    return failMapping(mapping, report, source.reading.error, options.failures);
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
  const target = { ...options, log, team: plan.team, teamId, written };
  await applyChanges(additions, report, target);
  // Whoever has left loses the team even where somebody cannot be added.
  if (!report.gaveUp || isRequestError(report.gaveUp, "forbidden", "server-error")) {
    await applyChanges(removals, report, target);
  }
  report.durationSeconds += (options.monotonic() - startedAt) / 1_000;
  log.info("Sync completed: +{added} users, -{removed} users, {errors} errors, {_seconds}s", {
    added: report.added,
    removed: report.removed,
    errors: report.errors.length,
    seconds: Number(report.durationSeconds.toFixed(3)),
    _seconds: report.durationSeconds.toFixed(2),
  });
}

/** What was, or would be, done with a team, and how Grafana is to show it from now on. */
export interface SyncedTeam {
  readonly plan: GuardedPlan;
  /** `undefined` if there is none, which only a dry run leaves so. */
  readonly id: number | undefined;
  readonly memberCount: number;
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
): Promise<SyncedTeam | Error> {
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
      failMapping(mapping, report, reading.kind === "failed" ? reading.error : error, options.failures);
    }
    endAll();
    return error;
  };
  if (organisation instanceof Error) return failAll(organisation);
  if (desired.sources.every(({ reading }) => reading.kind === "failed")) {
    return failAll(new Error("none of the team's groups could be read"));
  }

  try {
    const onUnread = (mapping: Mapping, reading: GroupReading) => {
      const report = reports.find((one) => one.mapping === mapping);
      if (report && reading.kind === "failed") {
        failMapping(mapping, report, reading.error, options.failures);
      }
    };
    const wasLimited = options.limited.has(desired.name);
    const decision = await decide(desired, organisation, { ...options, wasLimited, onUnread });
    const { plan, current } = decision;
    if (plan.withheld?.reason === "removal-limit") options.limited.add(desired.name);
    else if (!plan.withheld) options.limited.delete(desired.name);
    const created = current.id === undefined ? await createTeam(desired, options) : undefined;
    const teamId = current.id ?? created?.id;
    // Who is in a team that somebody else has just created was never read.
    const isRead = created?.isNew ?? true;
    // A bulk write would remove hidden members.
    const written = options.dryRun || teamId === undefined || !isRead || organisation.hidden > 0
      ? new Set<Change>()
      : await writeBulk(decision.desired, plan, current, teamId, options);
    for (const [i, { source, report }] of reported.entries()) {
      if (i === 0) {
        report.withheld = plan.withheld?.removals.length ?? 0;
        report.withheldReason = plan.withheld?.reason;
      }
      await syncMapping(source, plan, teamId, written, report, options);
    }
    tellPending(plan, options);
    tellKept(plan, options);
    tellWithheld(plan, options);
    const difference = reports.reduce((sum, { added, removed }) => sum + added - removed, 0);
    endAll(plan.size + difference);
    return { plan, id: teamId, memberCount: decision.countBefore + difference };
  } catch (error) {
    return failAll(error instanceof Error ? error : new Error(String(error)));
  }
}
