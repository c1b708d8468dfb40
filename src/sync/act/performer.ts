/**
 * Carries out single actions. This is the only file that writes to Grafana, and everything in it that writes returns
 * the event that tells of it.
 */
import type { GrafanaReads, GrafanaWrites, TeamEmails } from "../../grafana/client.ts";
import { asError, errorMessage, isRequestError } from "../../http/error.ts";
import type { Action, Change } from "../plan/actions.ts";
import type { Event } from "./events.ts";

/** Carries actions out, or says what it would do. Except where a method says otherwise, failures are events. */
export interface Performer {
  /** A dry run: nothing is written. */
  readonly isDry: boolean;
  /**
   * @param teamId The team of a change to a membership.
   * @throws {RequestError} of the kind `interrupted`.
   */
  perform(action: Action, teamId?: number): Promise<Event>;
  /**
   * Carries out all changes to a team by setting its members with one request, and reads back what came of it. Grafana
   * 11.1 and later.
   *
   * @throws {RequestError} if nothing has changed.
   */
  performAll(changes: readonly Change[], teamId: number, emails: TeamEmails): Promise<Performed>;
  /** Whether Grafana sets members with one request, as far as is known. */
  hasBulkWrite(): boolean;
}

/** What a write of several changes did. */
export interface Performed {
  /** What took effect. */
  readonly events: readonly Event[];
  /** What is still to be written. */
  readonly left: readonly Change[];
  /** Why nothing more may be written before the team is compared again. */
  readonly failure?: Error;
}

/** After these a write may have been carried out nevertheless, or may succeed another time. */
const UNCERTAIN = [
  "server-error",
  "rate-limited",
  "timeout",
  "unreachable",
  "too-large",
  "unexpected-shape",
  "not-json",
] as const;

/** Writes one action. It returns the event, so that no write goes untold. */
async function write(action: Action, teamId: number | undefined, grafana: GrafanaWrites): Promise<Event> {
  switch (action.kind) {
    case "create_team": {
      const { id, isNew } = await grafana.createTeam(action.team);
      return { kind: isNew ? "done" : "found", action, id };
    }
    case "add":
      await grafana.addTeamMember(idOf(teamId), action.user.userId);
      return { kind: "done", action };
    case "remove":
      await grafana.removeTeamMember(idOf(teamId), action.user.userId);
      return { kind: "done", action };
    case "remove_creator":
      await grafana.removeTeamMember(idOf(teamId), action.userId);
      return { kind: "done", action };
    case "join_organisation": {
      const result = await grafana.addOrgUser(action.address, action.role);
      if (result === "unknown") return { kind: "unknown", action };
      return result === "present" ? { kind: "found", action } : { kind: "done", action, id: result };
    }
    case "leave_organisation":
      await grafana.removeOrgUser(action.user.orgId, action.user.userId);
      return { kind: "done", action };
    case "create_user": {
      const id = await grafana.createUser(action.account);
      return id === "exists" ? { kind: "found", action } : { kind: "done", action, id };
    }
    case "set_role":
      await grafana.setOrgRole(action.userId, action.role);
      return { kind: "done", action };
  }
}

function idOf(teamId: number | undefined): number {
  if (teamId === undefined) throw new TypeError("a change to a team needs the team");
  return teamId;
}

/** It is unknown whether all members were set, so the team has to be compared again. */
export class BulkError extends Error {
  constructor(cause: unknown) {
    super(`its members could not be written at once, and are written one by one: ${errorMessage(cause)}`, {
      cause,
    });
    this.name = "BulkError";
  }
}

/**
 * Reads back what a write of several changes did: what is seen took effect, and what is not is still to be written. A
 * confirmed write that cannot be read back took effect. Someone whose account was replaced in between was added by email.
 */
async function readBack(
  changes: readonly Change[],
  teamId: number,
  grafana: Pick<GrafanaReads, "listTeamMembers">,
  failure: Error | undefined,
): Promise<Performed> {
  try {
    const members = await grafana.listTeamMembers(teamId);
    const byId = new Map(members.map((member) => [member.userId, member]));
    const byEmail = new Map(members.map((member) => [member.email, member]));
    const events: Event[] = [];
    const left: Change[] = [];
    for (const action of changes) {
      const { kind, user } = action;
      const shown = byId.get(user.userId) ?? (kind === "add" ? byEmail.get(user.email) : undefined);
      if ((shown !== undefined) !== (kind === "add")) left.push(action);
      else events.push({ kind: "done", action: { ...action, user: shown ?? user } });
    }
    return failure ? { events, left: [], failure } : { events, left };
  } catch (error) {
    const unread = asError(error);
    const events = failure ? [] : changes.map((action): Event => ({ kind: "done", action }));
    return { events, left: [], failure: failure ?? unread };
  }
}

/** Carries actions out. `hasBulkWrite` is what an earlier cycle found out. */
export function createWriter(
  hasBulkWrite: boolean,
  grafana: GrafanaWrites & Pick<GrafanaReads, "listTeamMembers">,
): Performer {
  let isSupported = hasBulkWrite;
  return {
    isDry: false,
    async perform(action, teamId) {
      try {
        return await write(action, teamId, grafana);
      } catch (error) {
        if (isRequestError(error, "interrupted")) throw error;
        const reason = asError(error);
        return { kind: "failed", action, error: reason, untried: 0 };
      }
    },
    async performAll(changes, teamId, emails) {
      let failure: Error | undefined;
      try {
        const result = await grafana.setTeamMembers(teamId, emails);
        if (result === "unsupported") isSupported = false;
        if (result !== "set") return { events: [], left: changes };
      } catch (error) {
        if (!isRequestError(error, ...UNCERTAIN)) throw error;
        failure = new BulkError(error);
      }
      return await readBack(changes, teamId, grafana, failure);
    },
    hasBulkWrite: () => isSupported,
  };
}

/** Says what would be done. `hasBulkWrite` is what an earlier cycle found out. */
export function createDryRun(hasBulkWrite: boolean): Performer {
  return {
    isDry: true,
    perform: (action) => Promise.resolve({ kind: "planned", action }),
    performAll: (changes) => Promise.resolve({ events: [], left: changes }),
    hasBulkWrite: () => hasBulkWrite,
  };
}
