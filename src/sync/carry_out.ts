/** Carries out what was decided for one team, mapping by mapping. */
import { isRequestError } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import type { Logger } from "../observability/log.ts";
import { applyChanges } from "./apply.ts";
import { type BulkOptions, type BulkWritten, writeBulk } from "./bulk.ts";
import { takeOutCreator } from "./creator.ts";
import { type DecideOptions, type Decision, OutdatedError } from "./decide.ts";
import type { DesiredTeam, Source } from "./desired.ts";
import { failMapping, type Failure } from "./failures.ts";
import type { GuardedPlan } from "./guard.ts";
import { type Change, nameGroups } from "./plan.ts";
import type { MappingReport } from "./report.ts";
import { fieldsOf, type PendingOptions, reportUnresolved, type ToldMemory } from "./tell.ts";

/** What the sync of a team needs. */
export interface TeamOptions
  extends Omit<DecideOptions, "onUnread">, PendingOptions, Pick<BulkOptions, "bulk"> {
  /** Carries the cycle's number. */
  readonly log: Logger;
  readonly now: () => number;
  readonly told: ToldMemory;
  /** What kept mappings from being synced in this cycle. */
  readonly failures: Failure[];
  /** Writes that failed when they were last tried. */
  readonly failing: Set<string>;
  /** Teams whose removals the limit withheld when they were last compared for certain. */
  readonly limited: Set<string>;
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

/** What is written of a decision, and where. */
interface Target extends TeamOptions {
  readonly teamId: number | undefined;
  readonly goodUntil: number;
  readonly written: ReadonlySet<Change>;
}

/** Creates a team, and gives its id; a dry run only says so. */
async function createTeam(
  { name, sources }: DesiredTeam,
  { grafana, log, dryRun }: TeamOptions,
): Promise<number | undefined> {
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
  return team.id;
}

/** The part of a plan that is counted on one mapping. */
async function syncMapping(
  source: Source,
  plan: GuardedPlan,
  report: MappingReport,
  options: Target,
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
  const target = { ...options, log, team: plan.team };
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

/** The part of a plan that is written already, or the part that is not. */
function partOf(plan: GuardedPlan, isPart: (change: Change) => boolean): GuardedPlan {
  return { ...plan, additions: plan.additions.filter(isPart), removals: plan.removals.filter(isPart) };
}

/**
 * Carries out a decision; what is written at once is told of first.
 *
 * @param hidden How many users Grafana hides.
 * @returns the team's id; `undefined` if there is none, which only a dry run leaves so.
 * @throws {RequestError} `interrupted`, `postponed`, or of whatever kind ends it all; {@linkcode OutdatedError},
 * {@linkcode BulkError}. What was done is counted in the reports.
 */
export async function carryOut(
  { plan, desired: decided, current, goodUntil }: Decision,
  desired: DesiredTeam,
  reports: readonly MappingReport[],
  hidden: number,
  options: TeamOptions,
): Promise<number | undefined> {
  const reported = desired.sources.flatMap((source) =>
    reports.filter(({ mapping }) => mapping === source.mapping).map((report) => ({ source, report }))
  );
  for (const [i, { source: { mapping, reading }, report }] of reported.entries()) {
    report.withheld = i === 0 ? plan.withheld?.removals.length ?? 0 : 0;
    if (i === 0) report.withheldReason = plan.withheld?.reason;
    if (reading.kind === "complete") {
      reportUnresolved(plan, mapping, report, options.log.with(fieldsOf(mapping)));
    }
  }
  const teamId = current.id ?? await createTeam(desired, options);
  const isWriting = !options.dryRun && teamId !== undefined &&
    plan.additions.length + plan.removals.length > 0;
  if (isWriting && options.monotonic() > goodUntil) throw new OutdatedError();
  // A bulk write would remove hidden members.
  const { written, failure }: BulkWritten = isWriting && hidden === 0
    ? await writeBulk(decided, plan, current, teamId, options)
    : { written: new Set() };
  const carry = async (part: GuardedPlan) => {
    for (const { source, report } of reported) {
      await syncMapping(source, part, report, { ...options, teamId, goodUntil, written });
    }
  };
  if (written.size > 0) await carry(partOf(plan, (change) => written.has(change)));
  if (failure) throw failure;
  const rest = partOf(plan, (change) => !written.has(change));
  if (written.size === 0 || rest.additions.length + rest.removals.length > 0) await carry(rest);
  return teamId;
}
