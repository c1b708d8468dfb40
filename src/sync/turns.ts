/** Gives each team its turn: what goes wrong with one is told, and the others go on. */
import type { Config } from "../config/schema.ts";
import type { GrafanaReads } from "../grafana/client.ts";
import { type Breaker, createBreaker } from "../http/breaker.ts";
import { isRequestError } from "../http/error.ts";
import { readAhead } from "../http/side_by_side.ts";
import type { Logger } from "../observability/log.ts";
import type { World } from "./join.ts";
import { type LookOptions, requireRead, UnreadError } from "./look.ts";
import { readTeam } from "./observe/team.ts";
import type { Team } from "./observe/world.ts";
import type { DesiredTeam, Source } from "./plan/desired.ts";
import { keyOfTeam } from "./plan/due.ts";
import type { View } from "./plan/team.ts";
import { inRounds } from "./rounds.ts";
import type { Synced, Turn } from "./advance.ts";
import { tellHolds } from "./tell/holds.ts";
import type { News } from "./tell/news.ts";
import type { MappingReport } from "./tell/report.ts";
import { createTeamTeller, type TeamTeller } from "./tell/team.ts";

/** Syncs one team as it is seen. `mayBulk` says whether one request may set all its members. */
export type SyncTeam = (view: View, mayBulk: boolean, teller: TeamTeller) => Promise<Synced>;

/** What turns need. */
export interface TurnOptions {
  readonly world: World;
  readonly look: LookOptions;
  readonly grafana: GrafanaReads;
  readonly missing_users: Config["grafana"]["missing_users"];
  readonly isDry: boolean;
  readonly isDue: (source: Source) => boolean;
  readonly news: News;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  readonly onMapping?: ((report: MappingReport, dryRun: boolean) => void) | undefined;
}

/** How many teams are read before their turn. */
const MOST_AHEAD = 8;

/** The turn of one team, with what was read of it ahead. */
async function takeTurn(
  team: DesiredTeam,
  people: World["people"],
  ahead: Promise<Team>,
  teller: TeamTeller,
  sync: SyncTeam,
  options: TurnOptions,
): Promise<Pick<Turn, "synced" | "outcome">> {
  const { look, log, news, isDry, missing_users, world: { joins: { joins } } } = options;
  const outcome = { key: keyOfTeam(team.name), name: `Grafana team '${team.name}'` };
  try {
    if (people instanceof Error) throw people;
    const view: View = { looks: [requireRead(team)], team: await ahead, people };
    const attempt = (latest: View, mayBulk: boolean) => sync(latest, mayBulk, teller);
    const synced = await inRounds(view, attempt, teller.events, look, log);
    tellHolds(synced.plan, { log, isDry, news, emit: teller.emit, joins, missing_users });
    return { synced, outcome: { ...outcome, error: undefined } };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    const reason = error instanceof Error ? error : new Error(String(error));
    teller.failed(error instanceof UnreadError ? error.sources : team.sources, reason);
    const wasAsked = !(people instanceof Error) && !(error instanceof UnreadError);
    return { synced: undefined, outcome: wasAsked ? { ...outcome, error: reason } : undefined };
  }
}

/** Reads teams before their turn; those for which nothing could be done are not read. */
function readTeamsAhead(
  teams: readonly DesiredTeam[],
  breaker: Breaker,
  { world, grafana, look }: TurnOptions,
) {
  const { people, teams: listed } = world;
  return readAhead(teams, MOST_AHEAD, async (team) => {
    const reason = breaker.reason() ?? [people, listed].find((one) => one instanceof Error);
    if (reason || listed instanceof Error) throw reason;
    return await readTeam(requireRead(team).name, listed.get(team.name), grafana, look.onReading);
  });
}

/**
 * Syncs the teams in turn. When Grafana is down, the rest is skipped.
 *
 * @param tellers Takes the teller of each team whose turn has come.
 * @throws {RequestError} of the kind `interrupted`.
 */
export async function takeTurns(
  teams: readonly DesiredTeam[],
  sync: SyncTeam,
  tellers: TeamTeller[],
  options: TurnOptions,
): Promise<readonly Turn[]> {
  const { world, isDry, isDue, log, now, monotonic, onMapping } = options;
  const breaker = createBreaker();
  const peek = readTeamsAhead(teams, breaker, options);
  const turns: Turn[] = [];
  for (const [i, team] of teams.entries()) {
    const ahead = peek(i);
    const down = breaker.reason();
    const teller = createTeamTeller(team.sources.filter(isDue), world.joined, log, now, monotonic);
    tellers.push(teller);
    const turn = await takeTurn(team, down ?? world.people, ahead, teller, sync, options);
    const reports = teller.reports();
    turns.push({ ...turn, team, reports, events: teller.events(), isSkipped: down !== undefined });
    for (const report of reports) onMapping?.(report, isDry);
    const failure = turn.outcome?.error ?? turn.synced?.stoppedBy;
    if (failure) breaker.failed(failure);
    else if (turn.outcome) breaker.succeeded();
  }
  return turns;
}
