/** One log line for each event; those of a write, made or not, are audit lines. `docs/AUDIT.md` is their schema. */
import type { Mapping } from "../../config/schema.ts";
import { isRequestError } from "../../http/error.ts";
import { audit, type AuditOutcome } from "../../observability/audit.ts";
import type { Logger } from "../../observability/log.ts";
import type { Event } from "../act/events.ts";
import type { Action } from "../plan/actions.ts";
import { errorOf, WORDS } from "./words.ts";

/** The fields that every line of a mapping carries. */
export function fieldsOf({ okta_group, grafana_team }: Mapping) {
  return { okta_group, grafana_team };
}

/** The id of the person an action concerns; `id` is the one in Grafana's response. */
function userIdOf(action: Action, id: number | undefined): number | undefined {
  if ("user" in action) return action.user.userId;
  return "userId" in action ? action.userId : id;
}

function auditFields(action: Action, outcome: AuditOutcome, teamId: number | undefined, id?: number) {
  const isTeam = action.kind === "create_team";
  const [team_id, user_id] = isTeam ? [id, undefined] : [teamId, userIdOf(action, id)];
  return {
    ...fieldsOf(action.source.mapping),
    ...audit(action.kind === "remove_creator" ? "remove" : action.kind, outcome),
    ...team_id === undefined ? {} : { team_id },
    ..."address" in action ? { user: action.address } : {},
    ...user_id === undefined ? {} : { user_id },
    ..."role" in action ? { role: action.role } : {},
    why: action.why,
  };
}

/** Writes the line of an event. `teamId` is the team's, where it exists. */
export function tellEvent(event: Event, log: Logger, teamId?: number): void {
  switch (event.kind) {
    case "done":
    case "found":
    case "planned": {
      const { kind, action } = event;
      const id = "id" in event ? event.id : undefined;
      return log.info(WORDS[action.kind][kind], auditFields(action, kind, teamId, id));
    }
    case "on_hold": {
      const fields = { ...auditFields(event.action, "on_hold", teamId), reason: event.hold.reason };
      return log.info("On hold: {action} {user}, team {grafana_team} ({reason})", fields);
    }
    case "failed":
      if (event.isOld) return;
      return log.error("Team {grafana_team}: {_error}", {
        ...auditFields(event.action, "failed", teamId),
        _error: errorOf(event)?.message,
      });
    case "ambiguous": {
      const error = errorOf(event);
      return log.error("Team {grafana_team}: {_error}", {
        ...fieldsOf(event.hold.member.source.mapping),
        user: error?.user,
        _error: error?.message,
      });
    }
    case "blocked":
      if (event.isOld) return;
      return log.error("{_error}", {
        ...fieldsOf(event.source.mapping),
        ...event.address === undefined ? {} : { user: event.address },
        _error: event.error.message,
      });
    case "unsynced":
      // Told at the end of the cycle, with all that the same cause concerns.
    case "unknown":
      return;
  }
}

/** How many mappings are named in a line. */
const MOST_NAMED = 3;

type Unsynced = Extract<Event, { readonly kind: "unsynced" }>;

/** What unsynced mappings reported together have in common: the service that rejects everything, or the message. */
function causeOf({ error }: Unsynced): string {
  const cause = isRequestError(error.cause) ? error.cause : error;
  return isRequestError(cause, "unauthorized", "unreachable", "certificate")
    ? `${cause.service} ${cause.kind}`
    : error.message;
}

/** Tells what kept mappings from being synced: a line for each cause, however many mappings it concerns. */
export function tellUnsynced(events: readonly Event[], log: Logger): void {
  const unsynced = events.filter((event): event is Unsynced => event.kind === "unsynced");
  for (const [first, ...others] of Map.groupBy(unsynced, causeOf).values()) {
    if (!first) continue;
    const all = [first, ...others];
    const names = all.slice(0, MOST_NAMED).map(({ source: { mapping } }) =>
      `${mapping.okta_group} -> ${mapping.grafana_team}`
    ).join(", ");
    const more = all.length > MOST_NAMED ? " and others" : "";
    log.error("Sync failed for {_which}: {_error}", {
      ...others.length === 0 ? fieldsOf(first.source.mapping) : { mappings: all.length },
      _which: others.length === 0 ? names : `${all.length} mappings (${names}${more})`,
      _error: first.error.message,
    });
  }
}
