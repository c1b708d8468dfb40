/** Carries out the plan of one team. */
import type { GrafanaReads } from "../../grafana/client.ts";
import { addressOf } from "../../grafana/directory.ts";
import { TEAM_ADMIN } from "../../grafana/schema.ts";
import { isOutage, isRequestError } from "../../http/error.ts";
import { nextTurn } from "../../http/turn.ts";
import { MOST_AGE_MS } from "../observe/world.ts";
import { type Change, type CreateTeam, ofKind } from "../plan/actions.ts";
import type { Source } from "../plan/desired.ts";
import type { Keeping } from "../plan/keep.ts";
import type { TeamPlan, View } from "../plan/team.ts";
import { expressTeam, isBulkWorthwhile } from "./bulk.ts";
import { carryOut } from "./carry_out.ts";
import type { Emit } from "./events.ts";
import type { Performer } from "./performer.ts";

/** The team was last read too long ago: it has to be planned again. */
export class OutdatedError extends Error {
  constructor() {
    super(`it was last checked more than ${MOST_AGE_MS / 1_000} s ago`);
    this.name = "OutdatedError";
  }
}

/**
 * A performer for a plan based on what was read at `readAt`. Once that is too old it throws {@linkcode OutdatedError}
 * instead of writing, and a write that would have to wait throws its {@linkcode RequestError}. Removing the creator of
 * a new team has no deadline: it has just been read, and no later plan knows who created the team.
 */
export function whileFresh(performer: Performer, readAt: number, monotonic: () => number): Performer {
  const requireFresh = () => {
    if (monotonic() - readAt > MOST_AGE_MS) throw new OutdatedError();
  };
  return {
    ...performer,
    async perform(action, teamId) {
      if (action.kind === "remove_creator") return await performer.perform(action, teamId);
      if (!performer.isDry) requireFresh();
      const event = await performer.perform(action, teamId);
      if (event.kind === "failed" && isRequestError(event.error, "postponed")) throw event.error;
      return event;
    },
    async performAll(changes, teamId, emails) {
      requireFresh();
      return await performer.performAll(changes, teamId, emails);
    },
  };
}

/** Names a write across cycles. */
export function keyOfWrite({ kind, user }: Change, teamId: number): string {
  return `${kind} ${user.userId} ${teamId}`;
}

/** Grafana as far as it is read while a team is written. */
type Reads = Pick<GrafanaReads, "listTeamMembers" | "readOwnId">;

/**
 * Creates a team. With a password, Grafana makes the account that creates a team its admin: it is taken out again.
 *
 * @returns its id; `undefined` in a dry run.
 * @throws {Error} if it could not be created, or not be left.
 */
async function createTeam(
  action: CreateTeam,
  performer: Performer,
  grafana: Reads,
  emit: Emit,
): Promise<number | undefined> {
  if (performer.isDry) {
    emit(await performer.perform(action));
    return undefined;
  }
  const ownId = await grafana.readOwnId();
  const event = await performer.perform(action);
  if (event.kind === "failed") throw event.error;
  emit(event);
  const id = event.kind === "done" || event.kind === "found" ? event.id : undefined;
  if (id === undefined || ownId === undefined) return id;
  const members = await grafana.listTeamMembers(id);
  const creator = members.find(({ userId, permission }) => userId === ownId && permission === TEAM_ADMIN);
  if (!creator) return id;
  const address = addressOf(creator);
  const left = await performer.perform({
    kind: "remove_creator",
    userId: ownId,
    address,
    source: action.source,
    why: "Grafana puts the account that creates a team into it, and gots signs in with this one",
  }, id);
  if (left.kind !== "failed") {
    emit(left);
    return id;
  }
  if (isOutage(left.error) && !isRequestError(left.error, "postponed")) throw left.error;
  const message = `could not take ${address}, who created it, out of the new team; remove them by hand`;
  throw new Error(`${message}: ${left.error.message}`, { cause: left.error });
}

/** What carrying out the plan of a team needs. */
export interface TeamWork {
  readonly plan: TeamPlan;
  /** What it rests on. */
  readonly view: View;
  readonly keeping: Keeping;
  /** Whether one request may set all members. */
  readonly mayBulk: boolean;
  /** Writes that failed when they were last tried, by {@linkcode keyOfWrite}; they come last. */
  readonly failedWrites: ReadonlySet<string>;
}

/** Tells what happens to each mapping. */
export interface Progress {
  readonly emit: Emit;
  /** The mappings that are synced. */
  sources(): readonly Source[];
  /** `false` if the mapping's group could not be read: there is nothing to do for it. */
  begin(source: Source): boolean;
  end(source: Source): void;
}

/** After this many events something else gets its turn. */
const EVENTS_IN_A_ROW = 500;

/** Carries out what one request can; gives the changes that are left. */
async function actAtOnce(
  work: TeamWork,
  teamId: number | undefined,
  performer: Performer,
  grafana: Reads,
  { emit }: Progress,
) {
  const { plan, view: { desired, team, people }, keeping, mayBulk } = work;
  const latest = desired[1] ?? desired[0];
  const changes = [...ofKind(plan.actions, "add"), ...ofKind(plan.actions, "remove")];
  const isPossible = teamId !== undefined && !performer.isDry && mayBulk && performer.hasBulkWrite();
  if (!isPossible || !isBulkWorthwhile(plan, latest, keeping, people)) return changes;
  // Somebody may have come into a team that was created just now.
  const members = team.id === undefined ? await grafana.listTeamMembers(teamId) : team.members;
  const emails = expressTeam({ ...team, members }, plan);
  if (!emails) return changes;
  const { events, left, failure } = await performer.performAll(changes, teamId, emails);
  for (const [i, event] of events.entries()) {
    if (i % EVENTS_IN_A_ROW === EVENTS_IN_A_ROW - 1) await nextTurn();
    emit(event);
  }
  if (failure) throw failure;
  return left;
}

/** After this many outages in a row the rest is left to the next cycle: the team may have been deleted. */
const MOST_OUTAGES = 5;

/** Carries out the changes of one mapping. @returns what made the rest pointless. */
async function actOnMapping(
  changes: readonly Change[],
  teamId: number | undefined,
  performer: Performer,
  failedWrites: ReadonlySet<string>,
  emit: Emit,
): Promise<Error | undefined> {
  const hasFailed = (change: Change) => teamId !== undefined && failedWrites.has(keyOfWrite(change, teamId));
  const ordered = [...changes.filter((one) => !hasFailed(one)), ...changes.filter(hasFailed)];
  const stoppedBy = await carryOut(ofKind(ordered, "add"), performer, MOST_OUTAGES, emit, teamId);
  // Somebody who has left loses the team even where somebody else cannot be added.
  if (stoppedBy && !isRequestError(stoppedBy, "forbidden", "server-error")) return stoppedBy;
  return await carryOut(ofKind(ordered, "remove"), performer, MOST_OUTAGES, emit, teamId) ?? stoppedBy;
}

/**
 * Carries out the plan of a team, mapping by mapping.
 *
 * @returns the team's id, and what made a part of it pointless.
 * @throws {Error} if the team could not be created, or has to be planned again. What took effect was emitted by then.
 */
export async function actOnTeam(
  work: TeamWork,
  performer: Performer,
  grafana: Reads,
  progress: Progress,
): Promise<{ readonly id: number | undefined; readonly stoppedBy: Error | undefined }> {
  const { plan, failedWrites } = work;
  let id = plan.teamId;
  for (const action of ofKind(plan.actions, "create_team")) {
    id = await createTeam(action, performer, grafana, progress.emit);
  }
  const left = await actAtOnce(work, id, performer, grafana, progress);
  let stoppedBy: Error | undefined;
  for (const source of progress.sources()) {
    if (!progress.begin(source)) continue;
    const own = left.filter((change) => change.source.key === source.key);
    const reason = await actOnMapping(own, id, performer, failedWrites, progress.emit);
    stoppedBy ??= reason;
    progress.end(source);
  }
  return { id, stoppedBy };
}
