/** Finds out what a cycle has to compare: everything, or only what has changed since the last one. */
import type { Config } from "../../config/schema.ts";
import type { GrafanaReads } from "../../grafana/client.ts";
import type { GrafanaTeam } from "../../grafana/schema.ts";
import { errorMessage, isRequestError } from "../../http/error.ts";
import { allOrFirstError } from "../../http/side_by_side.ts";
import type { OktaClient } from "../../okta/client.ts";
import { TooLongError } from "../../okta/pages.ts";
import { afterOktaChanges, afterTeamChanges, type Known, knowNothing, withoutTeams } from "./known.ts";
import { findPeople, type OnReading, unreadable } from "./people.ts";
import type { People } from "./world.ts";

/** What a cycle has to compare, and what was read to find that out. */
export interface Scope {
  readonly isFull: boolean;
  /** What is left as it is; everything else is compared. */
  readonly known: Known;
  /** Grafana's teams by name, or why they could not be read. */
  readonly teams: ReadonlyMap<string, GrafanaTeam> | Error;
  /** `undefined` if nobody needed them yet. */
  readonly people: People | undefined;
  /** Why everything is read although changes would do. */
  readonly whyFull?: string | undefined;
  /** The configuration asks for it. */
  readonly isWanted?: boolean;
  /** Whether Okta lets this credential ask for changes, as far as is known. */
  readonly mayAskChanges: boolean;
}

/** What finding out needs. */
export interface ChangesOptions {
  readonly sync: Config["sync"];
  readonly okta: OktaClient;
  readonly grafana: GrafanaReads;
  /** The monotonic clock, in milliseconds. */
  readonly monotonic: () => number;
  readonly onReading?: OnReading | undefined;
}

/** Changes are asked for from this long before the last time on, in milliseconds: Okta may show them a little late. */
const OVERLAP_MS = 120_000;

/** A full cycle that would be due this soon after the next one, in milliseconds, is not done before it. */
const SLACK_MS = 5_000;

/** When the next full cycle is due, on the clock of `fullAt`, in milliseconds. */
export function nextFullAt({ fullAt }: Known, { full_refresh_seconds }: Config["sync"]): number {
  return fullAt + full_refresh_seconds * 1_000 - SLACK_MS;
}

function byName(teams: readonly GrafanaTeam[]): ReadonlyMap<string, GrafanaTeam> {
  return new Map(teams.map((team) => [team.name, team]));
}

/** Why nobody knows since when to ask for changes, and what to do. */
const NO_DATE = "Okta's responses have no readable Date header; have the proxy in between pass it through";

/** What keeps every cycle from being incremental, where one should be. */
function whyAlwaysFull(
  { oktaTime, groups }: Known,
  sync: Config["sync"],
): Pick<Scope, "whyFull" | "isWanted"> {
  if (!sync.incremental) return {};
  const isShort = 2 * sync.interval_seconds * 1_000 > sync.full_refresh_seconds * 1_000 + SLACK_MS;
  if (isShort) return { whyFull: "sync.full_refresh_seconds is shorter than two intervals", isWanted: true };
  // Where no group was read, that was told.
  return oktaTime === undefined && groups.size > 0 ? { whyFull: NO_DATE } : {};
}

/** Everything is compared. */
async function beginFull({ grafana, monotonic }: ChangesOptions): Promise<Scope> {
  const fullAt = monotonic();
  const teams = await grafana.listTeams().then(byName).catch(unreadable("the teams of Grafana"));
  return { isFull: true, known: knowNothing(fullAt), teams, people: undefined, mayAskChanges: true };
}

/** Teams whose pending members Grafana knows by now are not known any more. */
async function afterNewcomers(
  known: Known,
  { grafana, onReading }: ChangesOptions,
): Promise<Pick<Scope, "known" | "people">> {
  const pending = [...known.teams.values()].flatMap((team) => team.pending);
  if (pending.length === 0) return { known, people: undefined };
  const { directory, people } = await findPeople(pending, known.userCount, grafana, onReading);
  const teams = withoutTeams(
    known.teams,
    (_, team) => team.pending.some(({ profile }) => directory.match(profile).kind !== "unknown"),
  );
  return { known: { ...known, teams }, people };
}

/** Okta's answers do not say of what time they are. */
class NoDateError extends Error {}

/** What keeps Okta from telling what has changed, in words. */
function describeNoChanges(error: unknown): string {
  if (error instanceof NoDateError) return NO_DATE;
  if (error instanceof TooLongError) return "too much changed to ask for it";
  if (isRequestError(error, "forbidden")) {
    return `Okta does not let this credential ask what has changed (${
      errorMessage(error)
    }): grant it the right to ` +
      "read users, and restart gots";
  }
  return `what has changed could not be read (${errorMessage(error)})`;
}

async function askChanges(known: Known, sinceMs: number, options: ChangesOptions): Promise<Scope> {
  const { sync, okta, grafana } = options;
  const [changes, teams] = await allOrFirstError([
    okta.listChanges(sinceMs),
    grafana.listTeams().then(byName),
  ]);
  if (changes.at === undefined) throw new NoDateError();
  const changed = afterTeamChanges(afterOktaChanges(known, changes, sync.mappings), teams);
  const after = await afterNewcomers({ ...changed, oktaTime: changes.at }, options);
  return { isFull: false, teams, mayAskChanges: true, ...after };
}

/**
 * Finds out what this cycle has to compare.
 *
 * @param known What earlier cycles saw; `undefined` if nothing.
 * @throws {RequestError} of the kind `interrupted`.
 */
export async function observeChanges(known: Known | undefined, options: ChangesOptions): Promise<Scope> {
  const { sync, monotonic } = options;
  if (!known) return await beginFull(options);
  const full = async (): Promise<Scope> => ({ ...await beginFull(options), ...whyAlwaysFull(known, sync) });
  if (known.oktaTime === undefined) return await full();
  // The cycle after this one would be too late.
  const isDue = monotonic() + sync.interval_seconds * 1_000 > nextFullAt(known, sync) + 2 * SLACK_MS;
  if (!sync.incremental || isDue) return await full();
  try {
    return await askChanges(known, known.oktaTime - OVERLAP_MS, options);
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    const isForbidden = isRequestError(error, "forbidden") && error.service === "Okta";
    return { ...await beginFull(options), whyFull: describeNoChanges(error), mayAskChanges: !isForbidden };
  }
}
