/** Syncs the teams one by one. A failure of one is reported and does not stop the others. */
import { type Breaker, createBreaker } from "../http/breaker.ts";
import { asError, errorMessage, isRequestError } from "../http/error.ts";
import { readAhead } from "../http/side_by_side.ts";
import type { Logger } from "../observability/log.ts";
import { BulkError } from "./act/performer.ts";
import { OutdatedError } from "./act/team.ts";
import type { Synced, Turn } from "./advance.ts";
import type { World } from "./join.ts";
import { readAnew, type Readers, requireRead, UnreadError } from "./read.ts";
import { readTeam } from "./observe/team.ts";
import type { Team } from "./observe/world.ts";
import type { DesiredTeam } from "./plan/desired.ts";
import { keyOfTeam } from "./plan/due.ts";
import type { View } from "./plan/team.ts";
import type { MappingReport } from "./tell/report.ts";
import type { TeamTeller } from "./tell/team.ts";

/** What turns need. */
export interface TurnOptions {
  readonly world: Pick<World, "people" | "teams">;
  readonly readers: Readers;
  readonly log: Logger;
  /** Makes what tells of a team when its turn comes. */
  readonly createTeller: (team: DesiredTeam) => TeamTeller;
  /** Syncs one team as read. `mayBulk` says whether one request may set all its members. */
  readonly sync: (view: View, mayBulk: boolean, teller: TeamTeller) => Promise<Synced>;
  readonly onMapping: (report: MappingReport) => void;
}

/** How often a team is planned in one cycle, and how often in a row without a successful write. */
const MOST_ROUNDS = 20;
const MOST_IDLE_ROUNDS = 2;

function isPassing(error: unknown): boolean {
  return isRequestError(error, "postponed") || error instanceof OutdatedError || error instanceof BulkError;
}

/** Syncs a team. If what was read is too old, or the outcome of a write is unknown, it starts over with new readings. */
async function syncInRounds(
  seen: View,
  teller: TeamTeller,
  { sync, readers, log }: TurnOptions,
): Promise<Synced> {
  const { name } = seen.desired[0];
  let [view, mayBulk, idle, written] = [seen, true, 0, 0];
  for (let round = 1;; round++) {
    try {
      return await sync(view, mayBulk, teller);
    } catch (error) {
      const done = teller.events().filter(({ kind }) => kind === "done").length;
      idle = done > written ? 0 : idle + 1;
      written = done;
      if (!isPassing(error) || round === MOST_ROUNDS || idle > MOST_IDLE_ROUNDS) throw error;
      mayBulk &&= !(error instanceof BulkError);
      const level = error instanceof OutdatedError ? "info" : "warning";
      log[level]("Team {team}: {error}; checking it again", { team: name, error: errorMessage(error) });
      view = await readAnew(view, readers);
    }
  }
}

/** The turn of one team, with what was read of it ahead. */
async function takeTurn(
  team: DesiredTeam,
  people: World["people"],
  ahead: Promise<Team>,
  teller: TeamTeller,
  options: TurnOptions,
): Promise<Pick<Turn, "synced" | "outcome">> {
  const outcome = { key: keyOfTeam(team.name), name: `Grafana team '${team.name}'` };
  try {
    if (people instanceof Error) throw people;
    const view = { desired: [team], team: await ahead, people } as const;
    const synced = await syncInRounds(view, teller, options);
    return { synced, outcome: { ...outcome, error: undefined } };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    const reason = asError(error);
    teller.failed(error instanceof UnreadError ? error.sources : team.sources, reason);
    const wasAsked = !(people instanceof Error) && !(error instanceof UnreadError);
    return { synced: undefined, outcome: wasAsked ? { ...outcome, error: reason } : undefined };
  }
}

/** How many teams are read before their turn. */
const MOST_AHEAD = 8;

/** Reads teams before their turn; those for which nothing could be done are not read. */
function readTeamsAhead(teams: readonly DesiredTeam[], breaker: Breaker, { world, readers }: TurnOptions) {
  const { people, teams: listed } = world;
  return readAhead(teams, MOST_AHEAD, async (team) => {
    const reason = breaker.reason() ?? [people, listed].find((one) => one instanceof Error);
    if (reason || listed instanceof Error) throw reason;
    return await readTeam(requireRead(team).name, listed.get(team.name), readers.grafana, readers.onReading);
  });
}

/**
 * Syncs the teams in turn. When Grafana is down, the rest is skipped.
 *
 * @throws {RequestError} of the kind `interrupted`.
 */
export async function takeTurns(
  teams: readonly DesiredTeam[],
  options: TurnOptions,
): Promise<readonly Turn[]> {
  const breaker = createBreaker();
  const peek = readTeamsAhead(teams, breaker, options);
  const turns: Turn[] = [];
  for (const [i, team] of teams.entries()) {
    const ahead = peek(i);
    const down = breaker.reason();
    const teller = options.createTeller(team);
    const turn = await takeTurn(team, down ?? options.world.people, ahead, teller, options);
    const reports = teller.reports();
    turns.push({ ...turn, team, reports, events: teller.events(), isSkipped: down !== undefined });
    for (const report of reports) options.onMapping(report);
    const failure = turn.outcome?.error ?? turn.synced?.stoppedBy;
    if (failure) breaker.failed(failure);
    else if (turn.outcome) breaker.succeeded();
  }
  return turns;
}
