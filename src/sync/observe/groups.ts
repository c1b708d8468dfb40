/** Reads Okta groups, each at most once a cycle unless a second reading is asked for. */
import type { Mapping } from "../../config/schema.ts";
import { type Breaker, createBreaker } from "../../http/breaker.ts";
import { asError, isRequestError } from "../../http/error.ts";
import { sideBySide } from "../../http/side_by_side.ts";
import { type OktaClient, UNLINKED } from "../../okta/client.ts";
import type { WantedGroup } from "../../okta/groups.ts";
import { type Listed, PAGE_SIZE } from "../../okta/pages.ts";
import type { OktaGroup, OktaUser } from "../../okta/schema.ts";
import { type Known, remembered } from "./known.ts";
import type { OnReading } from "./people.ts";
import { type Group, type GroupReadings, isCurrent, keyOfGroup, type Reading } from "./world.ts";

/** How many groups are read at once. */
const MOST_AT_ONCE = 8;

/** What reading groups needs. */
export interface GroupOptions {
  readonly okta: OktaClient;
  /** What earlier cycles saw. */
  readonly known: Known;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  readonly onReading?: OnReading | undefined;
}

interface ReadOptions extends Omit<GroupOptions, "known"> {
  /** Opens when Okta is down: then the rest is skipped. */
  readonly breaker: Breaker;
}

/** What reading some groups brought. */
export interface ReadGroups {
  /** In the order of the mappings. */
  readonly readings: GroupReadings;
  /** Okta's time before any of them was read, in epoch milliseconds; `undefined` if it did not say. */
  readonly at: number | undefined;
}

/** What finds a mapping's group in Okta; `foundId` is the id that its name led to a moment ago. */
export function wantedBy({ okta_group, okta_group_id }: Mapping, foundId?: string): WantedGroup {
  return { id: okta_group_id, name: okta_group, foundId };
}

function failed(error: unknown, seconds = 0, isSkipped = false): Reading<Group> {
  const reason = asError(error);
  return { kind: "failed", error: reason, seconds, isSkipped };
}

/** The reading of a group that was not asked for. */
function skipped(error: Error): Reading<Group> {
  return failed(error, 0, true);
}

/** The page size of a second reading: a list cut off at the end of a page is then cut off elsewhere. */
const OTHER_PAGE_SIZE = PAGE_SIZE - 1;

/** Why members may be missing from a list; `undefined` if none can be, as far as its links and the first reading say. */
function doubtOf(
  { items, isLinked, endsFull }: Listed<OktaUser>,
  first: Reading<Group> | undefined,
): string | undefined {
  if (!isLinked) return `Okta's response has no Link header: ${UNLINKED}`;
  if (first?.kind !== "fresh" || !(endsFull || first.endsFull)) return undefined;
  const before = new Set(first.value.users.map(({ id }) => id));
  if (before.size === items.length && items.every(({ id }) => before.has(id))) return undefined;
  return `one of two readings ended at a full page, and they differ (${before.size} and ${items.length} members): ` +
    "the next page may have been lost; if this stays, ask Okta's support";
}

/** Reads the members of a group to the last page. `first` is what was read of it earlier in this cycle. */
async function readGroup(
  group: OktaGroup,
  name: string,
  first: Reading<Group> | undefined,
  { okta, monotonic, onReading }: ReadOptions,
): Promise<Reading<Group>> {
  const startedAt = monotonic();
  const seconds = () => (monotonic() - startedAt) / 1_000;
  const onPage = (count: number) => onReading?.(`Okta group ${name}`, count);
  try {
    onPage(0);
    const list = await okta.listMembers(group.id, onPage, first ? OTHER_PAGE_SIZE : PAGE_SIZE);
    const { items: users, endsFull } = list;
    const value = { ...group, users };
    return {
      kind: "fresh",
      value,
      seconds: seconds(),
      at: monotonic(),
      doubt: doubtOf(list, first),
      endsFull,
    };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    return failed(error, seconds());
  }
}

/**
 * Finds and reads the group of every mapping, each group once, several side by side.
 *
 * @param found The groups as they were found earlier in this cycle: these are not searched for again.
 * @throws {RequestError} of the kind `interrupted`; every other failure is in the readings.
 */
async function readGroups(
  mappings: readonly Mapping[],
  options: ReadOptions,
  found: GroupReadings = new Map(),
): Promise<ReadGroups> {
  const { okta, breaker } = options;
  const wanted = [...new Map(mappings.map((mapping) => [keyOfGroup(mapping), mapping]))];
  const down = breaker.reason();
  if (down) return { readings: new Map(wanted.map(([key]) => [key, skipped(down)])), at: undefined };

  const { groups, at } = await okta.findGroups(wanted.map(([key, mapping]) => {
    const before = found.get(key);
    return wantedBy(mapping, before?.kind === "fresh" ? before.value.id : undefined);
  }));
  const readings = new Map<string, Reading<Group>>(
    wanted.map(([key]) => [key, skipped(new Error("it was not read"))]),
  );
  await sideBySide(wanted.entries(), MOST_AT_ONCE, async ([i, [key, mapping]]) => {
    const group = groups[i];
    const reason = breaker.reason();
    if (reason) return void readings.set(key, skipped(reason));
    const reading = group === undefined || group instanceof Error
      ? failed(group)
      : await readGroup(group, mapping.okta_group, found.get(key), options);
    readings.set(key, reading);
    if (reading.kind === "failed") breaker.failed(reading.error);
    else breaker.succeeded();
  });
  return { readings, at };
}

/** The groups of one cycle. */
export interface Groups {
  /** Reads those that were not read in this cycle yet, or too long ago. */
  read(mappings: readonly Mapping[]): Promise<ReadGroups>;
  /** The same of those that are not known. */
  readUnknown(mappings: readonly Mapping[]): Promise<ReadGroups>;
  /** The same of those that did not fail in this cycle, and were not skipped. */
  readUnlessFailed(mappings: readonly Mapping[]): Promise<ReadGroups>;
  /** Reads all of these again. */
  readAgain(mappings: readonly Mapping[]): Promise<GroupReadings>;
  /** The same of those, however lately: if they cannot be read any more, what was read before counts no longer. */
  readAnewUnlessFailed(mappings: readonly Mapping[]): Promise<ReadGroups>;
  /** Skips these: nothing could be done with what Okta says. */
  skip(mappings: readonly Mapping[], error: Error): void;
  /** These groups as they were read first in this cycle, or else as they are known. */
  readings(mappings: readonly Mapping[]): GroupReadings;
  /** Everything that was read first in this cycle. */
  fresh(): GroupReadings;
}

const KEPT_FAILING = skipped(new Error("it kept failing and is skipped in this cycle"));

/** Reads groups for one cycle. */
export function createGroups({ known, ...given }: GroupOptions): Groups {
  const options = { ...given, breaker: createBreaker() };
  const fresh = new Map<string, Reading<Group>>();
  const readingOf = (key: string) => fresh.get(key) ?? remembered(known, key) ?? KEPT_FAILING;
  const isReadable = (mapping: Mapping) => readingOf(keyOfGroup(mapping)).kind !== "failed";
  const isRead = (key: string) => {
    const reading = fresh.get(key);
    return reading !== undefined && isCurrent(reading, given.monotonic());
  };
  async function read(mappings: readonly Mapping[]): Promise<ReadGroups> {
    const groups = await readGroups(mappings.filter((mapping) => !isRead(keyOfGroup(mapping))), options);
    for (const [key, reading] of groups.readings) {
      // While Okta is down, what it said earlier in this cycle counts.
      const isSkipped = reading.kind === "failed" && reading.isSkipped;
      if (!isSkipped || !fresh.has(key)) fresh.set(key, reading);
    }
    return groups;
  }
  return {
    read,
    readUnknown: (mappings) => read(mappings.filter((mapping) => !known.groups.has(keyOfGroup(mapping)))),
    readUnlessFailed: (mappings) => read(mappings.filter(isReadable)),
    readAnewUnlessFailed(mappings) {
      const again = mappings.filter(isReadable);
      for (const mapping of again) fresh.delete(keyOfGroup(mapping));
      return read(again);
    },
    readAgain: async (mappings) => (await readGroups(mappings, options, fresh)).readings,
    skip(mappings, error) {
      for (const mapping of mappings) fresh.set(keyOfGroup(mapping), skipped(error));
    },
    readings: (mappings) => new Map(mappings.map(keyOfGroup).map((key) => [key, readingOf(key)])),
    fresh: () => fresh,
  };
}
