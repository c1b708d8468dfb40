/** The sync of one team, mapping by mapping. */
import type { Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import { applyChanges } from "./apply.ts";
import type { DesiredTeam, Source } from "./desired.ts";
import { type GuardedPlan, guardPlan } from "./guard.ts";
import { addressOf, type Change, type CurrentTeam, type Organisation, planTeam, quoteAll } from "./plan.ts";
import type { MappingReport } from "./report.ts";

/** What the sync of a team needs. */
export interface TeamOptions {
  readonly grafana: GrafanaClient;
  /** Carries the cycle's number. */
  readonly log: Logger;
  readonly now: () => number;
  readonly dryRun: boolean;
  readonly memory: { readonly toldPending: Map<string, string> };
  readonly onReading?: (what: string, count: number) => void;
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

/** The fields that every line of a mapping carries. */
function fieldsOf({ okta_group, grafana_team }: Mapping) {
  return { okta_group, grafana_team };
}

async function readTeam(name: string, { grafana, onReading }: TeamOptions): Promise<CurrentTeam> {
  onReading?.(`Grafana team ${name}`, 0);
  const team = await grafana.findTeam(name);
  return { id: team?.id, members: team ? await grafana.listTeamMembers(team.id) : [] };
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

/** Reads the team, plans, guards; a team that is missing is created. */
async function prepareTeam(desired: DesiredTeam, organisation: Organisation, options: TeamOptions) {
  const current = await readTeam(desired.name, options);
  const plan = guardPlan(planTeam(desired, current, organisation), desired);
  return { plan, teamId: current.id ?? await createTeam(desired, options) };
}

/** Names people in a log line, the first hundred of them. */
function listPeople(people: readonly string[]): string {
  const more = people.length - 100;
  return more > 0 ? `${people.slice(0, 100).join(", ")} and ${more} more` : people.join(", ");
}

/** Names the pending users, once for each set of them. */
function tellPending({ team, pending }: GuardedPlan, { log, dryRun, memory }: TeamOptions): void {
  const users = pending.map(({ user }) => user.profile.email?.trim() || user.profile.login).sort();
  const told = users.join("\n");
  const before = memory.toldPending.get(team) ?? "";
  memory.toldPending.set(team, told);
  if (told === before || users.length === 0) return;
  const state = dryRun ? "not known in this organisation" : "pending, because Grafana does not know them";
  const who = users.length === 1 ? "1 user is" : `${users.length} users are`;
  const message =
    "Team {grafana_team}: {who} {state}: {users}. They join the team in the first cycle after they " +
    "signed in to Grafana once";
  const fields = { grafana_team: team, who, state, users: listPeople(users), action: "pending" };
  if (dryRun) log.info(message, fields);
  else log.warning(message, fields);
}

function tellWithheld({ team, withheld }: GuardedPlan, { log }: TeamOptions): void {
  if (!withheld) return;
  const { reason, removals, explanation } = withheld;
  const users = listPeople(removals.map(({ address }) => address));
  const count = removals.length === 1 ? "1 removal" : `${removals.length} removals`;
  log.error(
    "Team {grafana_team}: {count} withheld ({reason}): {explanation}. Still in the team: {users}",
    {
      grafana_team: team,
      count,
      reason,
      explanation,
      users,
      action: "withhold",
    },
  );
}

/** The report's part of a mapping that needs no writing: who is pending, who cannot be told apart. */
function reportUnresolved(plan: GuardedPlan, mapping: Mapping, report: MappingReport, log: Logger): void {
  report.pending = plan.pending.filter((member) => member.mapping === mapping).length;
  for (const { member, users } of plan.ambiguous.filter(({ member }) => member.mapping === mapping)) {
    const address = member.user.profile.email ?? member.user.profile.login;
    const who = users.map((user) => `${addressOf(user)} (id ${user.userId})`).join(", ");
    const error = users.length > 1
      ? `${users.length} Grafana users answer to ${address}: ${who}; none was touched, keep one of them`
      : `the Grafana user with the login ${address} has another email, ${who}; they were not touched: correct one of the two`;
    report.errors.push({ message: error, user: address });
    log.error("Team {team}: {error}", { team: plan.team, user: address, error });
  }
}

/** Logs and counts what kept a mapping from being synced. */
function failMapping({ mapping }: Source, report: MappingReport, error: unknown, options: TeamOptions): void {
  const message = errorMessage(error);
  report.errors.push({ message });
  options.log.error("Sync failed for {okta_group} -> {grafana_team}: {error}", {
    ...fieldsOf(mapping),
    error: message,
  });
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
  if (source.reading.kind === "failed") return failMapping(source, report, source.reading.error, options);

  const counts = { members: source.members.length, team_members: plan.size };
  log.info("Found {members} members in Okta group '{okta_group}'", { ...fieldsOf(mapping), ...counts });
  log.info("Found {team_members} members in Grafana team '{grafana_team}'", {
    ...fieldsOf(mapping),
    ...counts,
  });
  const diff = { to_add: additions.length, to_remove: removals.length };
  log.info("Sync diff: {to_add} to add, {to_remove} to remove", diff);
  reportUnresolved(plan, mapping, report, log);
  const target = { grafana: options.grafana, log, team: plan.team, teamId, dryRun: options.dryRun };
  await applyChanges([...additions, ...removals], report, target);
  report.durationSeconds += (options.now() - startedAt) / 1_000;
  log.info("Sync completed: +{added} users, -{removed} users, {errors} errors, {seconds}s", {
    added: report.added,
    removed: report.removed,
    errors: report.errors.length,
    seconds: report.durationSeconds.toFixed(2),
  });
}

/**
 * Brings one team to what its groups say and fills `reports`, one for each of its mappings.
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
  const endAll = (teamMembers?: number) => {
    for (const report of reports) {
      report.teamMembers = teamMembers;
      report.endedAt = options.now();
      options.onMapping?.(report, options.dryRun);
    }
  };
  const failAll = (error: Error): Error => {
    if (isRequestError(error, "interrupted")) throw error;
    for (const [i, source] of desired.sources.entries()) {
      const report = reports[i];
      const reason = source.reading.kind === "failed" ? source.reading.error : error;
      if (report) failMapping(source, report, reason, options);
    }
    endAll();
    return error;
  };
  if (organisation instanceof Error) return failAll(organisation);
  if (desired.sources.every(({ reading }) => reading.kind === "failed")) {
    return failAll(new Error("none of the team's groups could be read"));
  }

  try {
    const { plan, teamId } = await prepareTeam(desired, organisation, options);
    for (const [i, source] of desired.sources.entries()) {
      const report = reports[i];
      if (!report) continue;
      if (i === 0) report.withheld = plan.withheld?.removals.length ?? 0;
      await syncMapping(source, plan, teamId, report, options);
    }
    tellPending(plan, options);
    tellWithheld(plan, options);
    endAll(reports.reduce((size, { added, removed }) => size + added - removed, plan.size));
    return plan;
  } catch (error) {
    return failAll(error instanceof Error ? error : new Error(String(error)));
  }
}
