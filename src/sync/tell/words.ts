/** Events in words: the same ones in the log, in reports, and on the page. */
import { addressOf, foldAddress } from "../../grafana/directory.ts";
import type { Event } from "../act/events.ts";
import type { Action, Ambiguous } from "../plan/actions.ts";

/** Something that went wrong, with what to do. */
export interface SyncError {
  readonly message: string;
  /** The person it concerns, if it is one person: not everyone may see such a message. */
  readonly user?: string;
}

/** What each action says when it was done, was found done, and would be done. The fields are those of the log line. */
export const WORDS: Readonly<
  Record<Action["kind"], { readonly done: string; readonly found: string; readonly planned: string }>
> = {
  add: {
    done: "Added user {user} to team {grafana_team}",
    found: "User {user} is in team {grafana_team} already",
    planned: "Would add user {user} to team {grafana_team}",
  },
  remove: {
    done: "Removed user {user} from team {grafana_team}",
    found: "User {user} has left team {grafana_team} already",
    planned: "Would remove user {user} from team {grafana_team}",
  },
  create_team: {
    done: "Created team {grafana_team}",
    found: "Team {grafana_team} exists already: an earlier answer was lost, or someone else created it",
    planned: "Would create team {grafana_team}",
  },
  remove_creator: {
    done: "Removed user {user} from team {grafana_team}",
    found: "User {user} has left team {grafana_team} already",
    planned: "Would remove user {user} from team {grafana_team}",
  },
  join_organisation: {
    done: "Added user {user} to the organisation",
    found:
      "User {user} is in the organisation already: an earlier answer was lost, or someone else added them",
    planned: "Would add user {user} to the organisation",
  },
  leave_organisation: {
    done: "Removed user {user} from the organisation",
    found: "User {user} has left the organisation already",
    planned: "Would remove user {user} from the organisation",
  },
  create_user: {
    done: "Created user {user}",
    found: "User {user} exists already",
    planned: "Would create user {user}",
  },
  set_role: {
    done: "Gave user {user} the role {role}",
    found: "User {user} has the role {role}: Grafana gives it to new users",
    planned: "Would give user {user} the role {role}",
  },
};

function whatFailed(action: Action): string {
  switch (action.kind) {
    case "add":
    case "remove":
      return `could not ${action.kind} ${action.address}`;
    case "create_team":
      return "could not create the team";
    case "remove_creator":
      return `could not take ${action.address}, who created it, out of the new team; take them out by hand`;
    case "join_organisation":
      return `could not add ${action.address} to the organisation`;
    case "leave_organisation":
      return `${action.why}; they joined the organisation as Viewer and could not be taken out again`;
    case "create_user":
      return `could not create ${action.address}`;
    case "set_role":
      return `${action.address} was created, but does not have the role ${action.role} yet`;
  }
}

/** Why a member of a group cannot be put into the team, in words. */
function describeAmbiguity({ member: { user }, users }: Ambiguous): string {
  const { email, login } = user.profile;
  const address = addressOf(user.profile);
  const who = users.map((one) => `${addressOf(one)} (id ${one.userId})`).join(", ");
  if (users.length > 1) {
    return `${users.length} Grafana users could be ${address}: ${who}; none was touched, keep one of them`;
  }
  const names = new Set([email ?? "", login].map(foldAddress));
  const byLogin = users.find((one) => names.has(foldAddress(one.login)));
  return byLogin
    ? `the Grafana user with the login ${byLogin.login} has another email than ${address}, ${who}; they were not touched: correct one of the two`
    : `the Grafana user ${who} has the login of ${address} as email; they were not touched: correct one of the two`;
}

/** The error that an event is; `undefined` if it is none. */
export function errorOf(event: Event): SyncError | undefined {
  switch (event.kind) {
    case "failed": {
      const { action, error, untried } = event;
      const rest = untried > 0 ? ` (${untried} more ${untried === 1 ? "was" : "were"} not tried)` : "";
      const message = `${whatFailed(action)}: ${error.message}${rest}`;
      return "address" in action ? { message, user: action.address } : { message };
    }
    case "ambiguous": {
      return { message: describeAmbiguity(event.hold), user: addressOf(event.hold.member.user.profile) };
    }
    case "blocked": {
      const { address, error: { message } } = event;
      return address === undefined ? { message } : { message, user: address };
    }
    case "unsynced":
      return { message: event.error.message };
    case "done":
    case "found":
    case "planned":
    case "unknown":
    case "on_hold":
      return undefined;
  }
}

/** The key of the mapping on which an event counts. */
export function keyOf(event: Event): string {
  switch (event.kind) {
    case "ambiguous":
      return event.hold.member.source.key;
    case "unsynced":
    case "blocked":
      return event.source.key;
    default:
      return event.action.source.key;
  }
}
