/** Log lines about a whole cycle, and about joining the organisation. */
import { count } from "../../config/count.ts";
import { addressOf } from "../../grafana/directory.ts";
import type { Lockout } from "../../grafana/lockout.ts";
import type { Logger } from "../../observability/log.ts";
import type { Scope } from "../observe/changes.ts";
import type { People } from "../observe/world.ts";
import type { DesiredMember } from "../plan/desired.ts";
import type { Patience } from "../plan/setbacks.ts";
import { fieldsOf } from "./lines.ts";
import { listPeople, type News } from "./news.ts";

/**
 * Says what a cycle compares: once why it reads everything although changes were asked for, and how many mappings an
 * incremental one leaves as they are.
 */
export function tellScope(
  { isFull, whyFull, isWanted = false }: Scope,
  unchanged: number,
  mappings: number,
  news: News,
  log: Logger,
): void {
  const wasAsked = !isFull || whyFull !== undefined;
  if (wasAsked && news.isNew("why full", whyFull ?? "")) {
    log[isWanted ? "info" : "warning"]("{_reason}; gots reads everything instead", { _reason: whyFull });
  }
  if (unchanged === 0) return;
  const fields = { unchanged, mappings, _mappings: count(mappings, "mapping") };
  log.info("Nothing changed for {unchanged} of {_mappings} since the last cycle", fields);
}

/** Says once how many users Grafana hides. */
export function tellHidden(people: People | Error, news: News, log: Logger): void {
  if (people instanceof Error) return;
  const { hidden, byId } = people;
  if (!news.isNew("hidden users", hidden > 0 ? String(hidden) : "")) return;
  log.warning(
    "Grafana hides {hidden} of its {users} users from this credential (hidden_users in its configuration): gots " +
      "neither adds them to a team nor removes them; a server administrator (grafana.username) sees them",
    { hidden, users: byId.size + hidden },
  );
}

/** Says who joined and is not listed: nobody can tell whose account that is. */
export function tellUnlisted({ user, source: { mapping } }: DesiredMember, log: Logger): void {
  log.warning(
    "User {user} is pending: they are in the organisation, but Grafana does not list them, so gots cannot tell " +
      "whose account it is: take them out of hidden_users in Grafana's configuration, or add them to team " +
      "{grafana_team} by hand",
    { ...fieldsOf(mapping), user: addressOf(user.profile), action: "pending" },
  );
}

/** Says what is tried less often from now on. */
export function tellSlower(slower: readonly Patience[], intervalSeconds: number, log: Logger): void {
  for (const { name, failures, wait } of slower) {
    const minutes = Math.round(wait * intervalSeconds / 60);
    const fields = { _name: name, failures, wait, minutes };
    log.warning(
      "{_name} has failed {failures} times in a row: gots tries again in {wait} cycles, {minutes} min",
      fields,
    );
  }
}

const LOCKOUT_WORDS: Readonly<Record<Exclude<Lockout, "signs-in">, string>> = {
  "locks-out": "this Grafana rejects their first sign-in by OAuth (user already exists)",
  unknown: "whether this Grafana lets them sign in by OAuth for the first time cannot be read",
};

/** Warns of the lock-out that a plain `create` accepts. */
export function warnOfLockout(lockout: Lockout, log: Logger): void {
  if (lockout === "signs-in") return;
  log.warning(
    "grafana.missing_users is create, and {_words}: set oauth_allow_insecure_email_lookup = true under [auth] in " +
      "Grafana (auth.oauth_allow_insecure_email_lookup), or grafana.missing_users to auto",
    { _words: LOCKOUT_WORDS[lockout], action: "warn_of_lockout" },
  );
}

/** Says who left the organisation after we added them, and what helps. */
export function tellDeparted(users: readonly string[], log: Logger): void {
  if (users.length === 0) return;
  const message =
    "Left the organisation after gots added them: {users}. Unless someone removed them, Grafana did " +
    "when they signed in: set skip_org_role_sync = true or org_mapping in Grafana (docs/GRAFANA_SETUP.md). Until " +
    "then, full cycles add them again";
  log.warning(message, { users: listPeople([...users].sort()), action: "pending" });
}
