/** The log lines of a team that is no change: who is pending, what is withheld, who cannot be told apart, what failed. */
import type { Config, Mapping } from "../config/schema.ts";
import { addressOf, foldAddress } from "../grafana/directory.ts";
import { audit } from "../observability/audit.ts";
import type { Logger } from "../observability/log.ts";
import { allowCommand, type GuardedPlan } from "./guard.ts";
import { type Ambiguity, type Change, type Organisation } from "./plan.ts";
import type { MappingReport } from "./report.ts";

/** What was last told, by its subject; the same is not told again. */
export type ToldMemory = Map<string, string>;

/** What telling needs. */
export interface TellOptions {
  readonly log: Logger;
  readonly dryRun: boolean;
  readonly told: ToldMemory;
}

/** What telling of pending users needs besides. */
export interface PendingOptions {
  /** Pending users of whom something else is said. */
  readonly outlook: ReadonlyMap<string, string>;
  readonly missing_users: Config["grafana"]["missing_users"];
}

/** The fields that every line of a mapping carries. */
export function fieldsOf({ okta_group, grafana_team }: Mapping) {
  return { okta_group, grafana_team };
}

/** Whether this is news on its subject; remembers it. Nothing to tell is no news. */
function isNews(told: ToldMemory, subject: string, text: string): boolean {
  const before = told.get(subject);
  if (text === "") told.delete(subject);
  else told.set(subject, text);
  return text !== "" && text !== before;
}

/** Names people in a log line, the first hundred of them. */
export function listPeople(people: readonly string[]): string {
  const more = people.length - 100;
  return more > 0 ? `${people.slice(0, 100).join(", ")} and ${more} more` : people.join(", ");
}

/** Names the pending users, once for each set of them; not those whom a dry run would create, who have their own lines. */
export function tellPending(
  { team, pending }: GuardedPlan,
  { log, dryRun, told, outlook, missing_users }: TellOptions & PendingOptions,
): void {
  const users = pending.filter(({ user }) => !outlook.has(user.id)).map(({ user }) => addressOf(user.profile))
    .sort();
  if (!isNews(told, `pending ${team}`, users.join("\n"))) return;
  const waits = missing_users === "wait";
  const unknown = waits ? "this organisation does not know them" : "Grafana does not know them";
  const state = dryRun ? "not known in this organisation" : `pending, because ${unknown}`;
  const who = users.length === 1 ? "1 user is" : `${users.length} users are`;
  const message =
    "Team {grafana_team}: {_who} {_state}: {_users}. They join the team in the first cycle after they {_when}";
  const when = waits
    ? "came into the organisation (grafana.missing_users is wait)"
    : "signed in to Grafana once";
  const fields = {
    grafana_team: team,
    pending: users.length,
    _who: who,
    _state: state,
    _when: when,
    _users: listPeople(users),
    action: "pending",
  };
  if (dryRun) log.info(message, fields);
  else log.warning(message, fields);
}

/** Says once how many users Grafana hides. */
export function tellHidden(
  { hidden, byId }: Pick<Organisation, "hidden" | "byId">,
  { log, told }: Pick<TellOptions, "log" | "told">,
): void {
  if (!isNews(told, "hidden users", hidden > 0 ? String(hidden) : "")) return;
  log.warning(
    "Grafana hides {hidden} of its {users} users from this credential (hidden_users in its configuration): gots " +
      "neither adds them to a team nor removes them; a server administrator (grafana.username) sees them",
    { hidden, users: byId.size + hidden },
  );
}

/** Names the removals that are on hold, and those who are concerned once for each set of them; then it only reminds. */
export function tellWithheld(plan: GuardedPlan, { log, told }: TellOptions): void {
  const { team, withheld } = plan;
  const users = withheld?.removals.map(({ address }) => address) ?? [];
  const waiting = withheld?.additions.map(({ address }) => address) ?? [];
  const news = withheld ? [withheld.reason, ...withheld.groups, "", ...users, "", ...waiting].join("\n") : "";
  const isNew = isNews(told, `withheld ${team}`, news);
  if (!withheld) return;
  const { reason, explanation } = withheld;
  const removals = users.length;
  const _removals = removals === 1 ? "1 removal" : `${removals} removals`;
  if (!isNew) {
    const message = "Team {grafana_team}: {_removals} still on hold ({reason}): {_explanation}";
    const fields = { grafana_team: team, removals, _removals, reason, _explanation: explanation };
    return log.warning(message, { ...fields, action: "withhold" });
  }
  auditWithheld(plan, [...withheld.removals, ...withheld.additions], log);
  const fields = {
    grafana_team: team,
    removals,
    _removals,
    reason,
    _explanation: explanation,
    _users: listPeople(users),
    _also: waiting.length > 0 ? `. Not yet in it for the same reason: ${listPeople(waiting)}` : "",
    _advice: reason === "removal-limit" ? adviceFor(plan) : "",
    action: "withhold",
  };
  const message =
    "Team {grafana_team}: {_removals} withheld ({reason}): {_explanation}. Still in the team: {_users}{_also}{_advice}";
  log.error(message, fields);
}

/** One line for each change that is withheld. */
function auditWithheld({ withheld, teamId }: GuardedPlan, changes: readonly Change[], log: Logger): void {
  for (const { action, address, user: { userId }, mapping, why } of changes) {
    log.info("Withheld: {action} {user}, team {grafana_team} ({reason})", {
      ...audit(action, "withheld"),
      ...fieldsOf(mapping),
      team_id: teamId,
      user: address,
      user_id: userId,
      why,
      reason: withheld?.reason,
    });
  }
}

/** How to let the removals through; the renamed are known to this process only. */
function adviceFor({ team, kept }: GuardedPlan): string {
  const renamed = kept.filter(({ reason }) => reason === "renamed").map(({ address }) => address);
  const but = renamed.length > 0
    ? ` It would remove ${
      listPeople(renamed)
    } as well, who were renamed in Okta: let them sign in to Grafana before.`
    : "";
  return `.${but} If that is meant, run once with this configuration: ${allowCommand(team)}`;
}

/** Names whom the configuration keeps in the team, once for each set of them. */
export function tellKept({ team, kept }: GuardedPlan, { log, told }: TellOptions): void {
  const users = kept.map(({ address, reason }) => `${address} (${reason})`).sort();
  if (!isNews(told, `kept ${team}`, users.join("\n"))) return;
  const fields = { grafana_team: team, kept: users.length, _users: listPeople(users), action: "keep" };
  log.info("Team {grafana_team}: kept although no group says so: {_users}", fields);
}

/** Why a member of a group cannot be put into the team, in words. */
export function describeAmbiguity({ member: { user }, users }: Ambiguity): string {
  const { email, login } = user.profile;
  const address = addressOf(user.profile);
  const who = users.map((one) => `${addressOf(one)} (id ${one.userId})`).join(", ");
  if (users.length > 1) {
    return `${users.length} Grafana users answer to ${address}: ${who}; none was touched, keep one of them`;
  }
  const names = new Set([email ?? "", login].map(foldAddress));
  const byLogin = users.find((one) => names.has(foldAddress(one.login)));
  return byLogin
    ? `the Grafana user with the login ${byLogin.login} has another email than ${address}, ${who}; they were not touched: correct one of the two`
    : `the Grafana user ${who} has the login of ${address} as email; they were not touched: correct one of the two`;
}

/** The report's part of a mapping that needs no writing: who is pending, who cannot be told apart. */
export function reportUnresolved(
  plan: GuardedPlan,
  mapping: Mapping,
  report: MappingReport,
  log: Logger,
): void {
  report.pending = plan.pending.filter((member) => member.mapping === mapping).length;
  for (const ambiguity of plan.ambiguous.filter(({ member }) => member.mapping === mapping)) {
    const user = addressOf(ambiguity.member.user.profile);
    const error = describeAmbiguity(ambiguity);
    report.errors.push({ message: error, user });
    log.error("Team {grafana_team}: {_error}", { ...fieldsOf(mapping), user, _error: error });
  }
}

/** Says how many mappings an incremental cycle leaves as they are, if there are any. */
export function tellUnchanged(
  unchangedTeams: ReadonlySet<string>,
  mappings: readonly Mapping[],
  log: Logger,
): void {
  const unchanged = mappings.filter(({ grafana_team }) => unchangedTeams.has(grafana_team)).length;
  if (unchanged === 0) return;
  const noun = mappings.length === 1 ? "mapping" : "mappings";
  const message = `Nothing changed for {unchanged} of {mappings} ${noun} since the last cycle`;
  log.info(message, { unchanged, mappings: mappings.length });
}
