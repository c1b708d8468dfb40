/** Decides what a cycle compares: everything, or only what changed since the last one. */
import type { Config } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { addressOf, createDirectory, type Directory } from "../grafana/directory.ts";
import type { GrafanaTeam } from "../grafana/schema.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import { allOrFirstError } from "../http/side_by_side.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import { TooLongError } from "../okta/pages.ts";
import type { DesiredMember } from "./desired.ts";
import { type Known, knowNothing, noteOktaChanges, noteTeams } from "./known.ts";
import { type OnReading, readOrganisation, unreadable } from "./organisation.ts";
import type { Organisation } from "./plan.ts";

/** What a cycle compares, and what was read to find that out. */
export interface Scope {
  readonly isFull: boolean;
  /** What is left as it is; everything else is compared. */
  readonly known: Known;
  /** Grafana's teams by name, or why they could not be read. */
  readonly teams: ReadonlyMap<string, GrafanaTeam> | Error;
  /** `undefined` if nobody needed it yet. */
  readonly organisation: Organisation | undefined;
}

/** What deciding needs. */
export interface ScopeOptions {
  readonly config: Pick<Config, "sync">;
  readonly okta: OktaClient;
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  readonly memory: ScopeMemory;
  readonly onReading?: OnReading;
}

/** What is kept from one cycle to the next. */
export interface ScopeMemory {
  /** `undefined` before the first cycle, and after one that broke off. */
  known: Known | undefined;
  /** Why Okta cannot be asked for changes, as it was last said. */
  noChanges: string | undefined;
  /** Okta forbids asking for changes: it is not asked any more. */
  isForbidden: boolean;
}

/** Nothing is known when a process begins. */
export function createScopeMemory(): ScopeMemory {
  return { known: undefined, noChanges: undefined, isForbidden: false };
}

/** Changes are asked for from so long before the last time on, in milliseconds: Okta may show them a little late. */
export const OVERLAP_MS = 120_000;

/** A full cycle that would be due this soon after the next one, in milliseconds, is not done before it. */
export const SLACK_MS = 5_000;

/** Users on one page of Grafana's list. */
const USERS_PER_PAGE = 1_000;

/** Why nobody knows since when to ask for changes, and what to do. */
const NO_DATE =
  "Okta's answers carry no Date header that can be read; let the proxy in between pass it through";

function byName(teams: readonly GrafanaTeam[]): ReadonlyMap<string, GrafanaTeam> {
  return new Map(teams.map((team) => [team.name, team]));
}

/** Whether the changes do not do any more: every full_refresh_seconds all is read, and after a start. */
function isFullDue({ config: { sync }, memory: { known, isForbidden }, monotonic }: ScopeOptions): boolean {
  if (!sync.incremental || isForbidden || known?.oktaTime === undefined) return true;
  const ageMs = monotonic() - known.fullAt;
  return ageMs + sync.interval_seconds * 1_000 > sync.full_refresh_seconds * 1_000 + SLACK_MS;
}

/** Everything is compared. */
async function beginFull({ grafana, memory, monotonic }: ScopeOptions): Promise<Scope> {
  memory.known = undefined;
  const teams = await grafana.listTeams().then(byName).catch(unreadable("the teams of Grafana"));
  return { isFull: true, known: knowNothing(monotonic()), teams, organisation: undefined };
}

/** How people are found who were unknown: by some look-ups, or in the whole list where that is less. */
async function findPeople(
  people: readonly DesiredMember[],
  { userCount }: Known,
  options: ScopeOptions,
): Promise<{ readonly directory: Directory; readonly organisation: Organisation | undefined }> {
  const addresses = new Set(
    people.flatMap(({ user: { profile } }) => [addressOf(profile), profile.login]),
  );
  if (addresses.size > Math.ceil(userCount / USERS_PER_PAGE)) {
    const organisation = await readOrganisation(options.grafana, options.onReading);
    return { directory: organisation.directory, organisation };
  }
  const found = [];
  for (const address of addresses) found.push(...await options.grafana.findOrgUsers(address));
  return { directory: createDirectory(found), organisation: undefined };
}

/** Teams whose pending members Grafana knows by now are not known any more. */
async function notePending(known: Known, options: ScopeOptions): Promise<Organisation | undefined> {
  const people = [...known.teams.values()].flatMap(({ pending }) => pending);
  if (people.length === 0) return undefined;
  const { directory, organisation } = await findPeople(people, known, options);
  for (const [name, { pending }] of known.teams) {
    if (pending.some(({ user }) => directory.match(user.profile).kind !== "unknown")) {
      known.teams.delete(name);
    }
  }
  return organisation;
}

/** What keeps Okta from telling what changed, in words. */
function describeNoChanges(error: unknown): string {
  if (error instanceof TooLongError) return "too much changed to ask for it";
  if (isRequestError(error, "forbidden")) {
    return `Okta does not let this credential ask what changed (${
      errorMessage(error)
    }): give it the right to read ` +
      "users, and restart gots";
  }
  return `what changed could not be read (${errorMessage(error)})`;
}

/** Says once why everything is read. */
function tellNoChanges(
  reason: string,
  { log, memory }: ScopeOptions,
  level: "info" | "warning" = "warning",
): void {
  if (memory.noChanges !== reason) {
    log[level]("{_reason}; gots reads everything instead", { _reason: reason });
  }
  memory.noChanges = reason;
}

/** Says once what keeps every cycle from being incremental, where one should be. */
function tellAlwaysFull(options: ScopeOptions): void {
  const { config: { sync }, memory: { known } } = options;
  if (!sync.incremental || known === undefined) return;
  const isShort = 2 * sync.interval_seconds * 1_000 > sync.full_refresh_seconds * 1_000 + SLACK_MS;
  if (isShort) tellNoChanges("sync.full_refresh_seconds is shorter than two intervals", options, "info");
  // Where no group was read, that was told.
  else if (known.oktaTime === undefined && known.groups.size > 0) tellNoChanges(NO_DATE, options);
}

/**
 * Asks Okta and Grafana what changed.
 *
 * @returns `undefined` if that cannot be told: then everything has to be compared.
 */
async function askChanges(known: Known, sinceMs: number, options: ScopeOptions): Promise<Scope | undefined> {
  const { config: { sync }, okta, grafana, memory } = options;
  try {
    const [changes, teams] = await allOrFirstError([
      okta.listChanges(sinceMs),
      grafana.listTeams().then(byName),
    ]);
    if (changes.at === undefined) {
      tellNoChanges(NO_DATE, options);
      return undefined;
    }
    noteOktaChanges(known, changes, sync.mappings);
    known.oktaTime = changes.at;
    noteTeams(known, teams);
    const organisation = await notePending(known, options);
    memory.noChanges = undefined;
    return { isFull: false, known, teams, organisation };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    memory.isForbidden ||= isRequestError(error, "forbidden") && error.service === "Okta";
    tellNoChanges(describeNoChanges(error), options);
    return undefined;
  }
}

/**
 * Decides what this cycle compares.
 *
 * @throws {RequestError} of the kind `interrupted` on shutdown.
 */
export async function decideScope(options: ScopeOptions): Promise<Scope> {
  const { memory: { known } } = options;
  tellAlwaysFull(options);
  if (isFullDue(options) || known?.oktaTime === undefined) return await beginFull(options);
  return await askChanges(known, known.oktaTime - OVERLAP_MS, options) ?? await beginFull(options);
}
