/** The log lines of what is not done: who is pending, kept or on hold. The same is not told twice. */
import { count } from "../../config/count.ts";
import type { Config } from "../../config/schema.ts";
import { addressOf } from "../../grafana/directory.ts";
import type { Logger } from "../../observability/log.ts";
import type { Event } from "../act/events.ts";
import { type Kept, ofKind, type OnHold, type Pending } from "../plan/actions.ts";
import type { TeamPlan } from "../plan/team.ts";
import type { Joining } from "../plan/join.ts";
import { allowCommand } from "./command.ts";
import { listPeople, type News } from "./news.ts";

/** What telling of holds needs. */
export interface HoldOptions {
  readonly log: Logger;
  readonly isDry: boolean;
  readonly news: News;
  /** Takes the event of each change on hold. */
  readonly emit: (event: Event) => void;
  /** How far bringing pending users in has come; of some of them something else is said. By Okta id. */
  readonly joins: ReadonlyMap<string, Joining>;
  readonly missing_users: Config["grafana"]["missing_users"];
}

function tellPending(team: string, pending: readonly Pending[], options: HoldOptions): void {
  const { log, isDry, news, joins, missing_users } = options;
  const users = pending.map(({ member: { user } }) => user).filter(({ id }) => !joins.get(id)?.outlook)
    .map(({ profile }) => addressOf(profile)).sort();
  if (!news.isNew(`pending ${team}`, users.join("\n"))) return;
  const unknown = missing_users === "wait"
    ? "they are not in this organisation"
    : "Grafana does not know them";
  log[isDry ? "info" : "warning"](
    "Team {grafana_team}: {_who} {_state}: {_users}. They join the team in the first cycle after they {_when}",
    {
      grafana_team: team,
      pending: users.length,
      _who: `${count(users.length, "user")} ${users.length === 1 ? "is" : "are"}`,
      _state: isDry ? "not known in this organisation" : `pending, because ${unknown}`,
      _users: listPeople(users),
      _when: missing_users === "wait"
        ? "are in the organisation (grafana.missing_users is wait)"
        : "have signed in to Grafana once",
      action: "pending",
    },
  );
}

function tellKept(team: string, kept: readonly Kept[], { log, news }: HoldOptions): void {
  const users = kept.map(({ change, reason }) => `${change.address} (${reason})`).sort();
  if (!news.isNew(`kept ${team}`, users.join("\n"))) return;
  log.info("Team {grafana_team}: kept although they are in no mapped group: {_users}", {
    grafana_team: team,
    kept: users.length,
    _users: listPeople(users),
    action: "keep",
  });
}

/** How to let the removals through. Only this process knows who was renamed. */
function adviceFor(team: string, kept: readonly Kept[]): string {
  const renamed = kept.filter(({ reason }) => reason === "renamed").map(({ change }) => change.address);
  const but = renamed.length > 0
    ? ` It would also remove ${listPeople(renamed)}, renamed in Okta: have them sign in to Grafana first.`
    : "";
  return `.${but} If that is intended, run once with this configuration: ${allowCommand(team)}`;
}

/** Tells who is on hold once for each set of them; afterwards it only reminds. */
function tellOnHold(
  team: string,
  hold: OnHold | undefined,
  kept: readonly Kept[],
  options: HoldOptions,
): void {
  const { log, news, emit } = options;
  const users = hold?.removals.map(({ address }) => address) ?? [];
  const waiting = hold?.additions.map(({ address }) => address) ?? [];
  const text = hold ? [hold.reason, ...hold.groups, "", ...users, "", ...waiting].join("\n") : "";
  const isNew = news.isNew(`on hold ${team}`, text);
  if (!hold) return;
  const fields = {
    grafana_team: team,
    removals: users.length,
    _removals: count(users.length, "removal"),
    reason: hold.reason,
    _explanation: hold.explanation,
    action: "hold",
  };
  if (!isNew) {
    return log.warning("Team {grafana_team}: {_removals} still on hold ({reason}): {_explanation}", fields);
  }
  for (const action of [...hold.removals, ...hold.additions]) emit({ kind: "on_hold", action, hold });
  log.error(
    "Team {grafana_team}: {_removals} on hold ({reason}): {_explanation}. Still in the team: {_users}{_also}{_advice}",
    {
      ...fields,
      _users: listPeople(users),
      _also: waiting.length > 0 ? `. Not added yet for the same reason: ${listPeople(waiting)}` : "",
      _advice: hold.reason === "removal-limit" ? adviceFor(team, kept) : "",
    },
  );
}

/** Tells what a plan does not do. */
export function tellHolds({ team, holds }: TeamPlan, options: HoldOptions): void {
  const kept = ofKind(holds, "kept");
  tellPending(team, ofKind(holds, "pending"), options);
  tellKept(team, kept, options);
  tellOnHold(team, ofKind(holds, "on_hold")[0], kept, options);
}
