/** The recent changes on the status page. */
import type { AuditAction, AuditOutcome } from "../../observability/audit.ts";
import type { Board, BoardChange } from "../board.ts";
import { clock, distance, plain } from "./words.ts";

/** What was done, and what then is followed by the team. */
const DONE: Readonly<Record<AuditAction, readonly [done: string, whole: string, link: string]>> = {
  add: ["added", "be added", "to"],
  remove: ["removed", "be removed", "from"],
  create_team: ["team created:", "be created: team", ""],
  create_user: ["account created", "get an account", "for"],
  join_organisation: ["added to the organisation", "be added to the organisation", "for"],
  leave_organisation: ["removed from the organisation", "be removed from the organisation", "because of"],
  set_role: ["given a role", "be given a role", "for"],
};

/** In words: `added to`, `would be removed from`, `on hold: not removed from`. */
function describe(action: AuditAction, outcome: AuditOutcome): string {
  const [done, whole, link] = DONE[action];
  const words: Readonly<Record<AuditOutcome, string>> = {
    done,
    found: `${done} (already so)`,
    planned: `would ${whole}`,
    on_hold: `on hold: not ${done}`,
    failed: `failed: not ${done}`,
  };
  return `${words[outcome]} ${link}`;
}

const SIGNS: Readonly<Record<AuditAction, string>> = {
  add: "+",
  remove: "−",
  create_team: "*",
  create_user: "*",
  join_organisation: "+",
  leave_organisation: "−",
  set_role: "*",
};

function Change({ change, now }: { change: BoardChange; now: string }) {
  const { at, cycle, action, outcome, user, grafana_team, okta_group, why } = change;
  const isAboutUser = action !== "create_team";
  return (
    <li class={`change ${outcome} ${action}`}>
      <span class="sign" aria-hidden="true">{SIGNS[action]}</span>
      <span class="what">
        {isAboutUser && <strong>{user === undefined ? "Somebody" : <bdi>{plain(user)}</bdi>}</strong>}{" "}
        {describe(action, outcome)}{" "}
        <strong>
          <bdi>{plain(grafana_team)}</bdi>
        </strong>
        <span class="why">
          {why ? <bdi>{plain(why)}</bdi> : okta_group && <bdi>{plain(okta_group)}</bdi>}
        </span>
      </span>
      <span class="when">
        <time datetime={at} title={clock(at)}>{distance(at, now)}</time> · cycle {cycle}
      </span>
    </li>
  );
}

/** The changes, the newest first. */
export function Changes({ board: { changes, timestamp, shows_users } }: { board: Board }) {
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">Recent changes</h2>
      {!shows_users && changes.length > 0 && (
        <p class="hint">
          People are not shown. Set <code>metrics.token</code> or <code>metrics.show_users</code>{" "}
          to see them here; the log names them.
        </p>
      )}
      {changes.length === 0
        ? <p class="hint">None since this process began.</p>
        : <ol class="changes">{changes.map((change) => <Change change={change} now={timestamp} />)}</ol>}
    </section>
  );
}
