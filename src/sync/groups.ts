/** Reads Okta groups for the mappings that need them. */
import type { Mapping } from "../config/schema.ts";
import { isRequestError } from "../http/error.ts";
import { type OktaClient, UNLINKED } from "../okta/client.ts";
import type { WantedGroup } from "../okta/groups.ts";
import { type Listed, PAGE_SIZE } from "../okta/pages.ts";
import type { OktaGroup, OktaUser } from "../okta/schema.ts";
import type { Breaker } from "./breaker.ts";
import { type GroupReading, keyOfGroup, type ReadGroup } from "./desired.ts";
import type { Outcome } from "./patience.ts";
import { sideBySide } from "../http/side_by_side.ts";

/** So many groups are read at once. */
const MOST_AT_ONCE = 8;

/** What reading groups needs. */
export interface GroupOptions {
  readonly okta: OktaClient;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  /** Told while reading, for somebody who watches. */
  readonly onReading?: (what: string, count: number) => void;
}

/** What reading some groups brought. */
export interface ReadGroups {
  /** By the key of the group, in the order of the mappings. */
  readonly groups: ReadonlyMap<string, ReadGroup>;
  /** Okta's time before any of them was read, in epoch milliseconds; `undefined` if it did not say. */
  readonly at: number | undefined;
}

/** What finds a mapping's group in Okta; `found` is the group that it led to a moment ago. */
export function wantedBy({ okta_group, okta_group_id }: Mapping, found?: OktaGroup): WantedGroup {
  return { id: okta_group_id, name: okta_group, foundId: found?.id };
}

/** The page size of a second reading: a list that is cut off at the end of a page is cut off elsewhere then. */
const OTHER_PAGE_SIZE = PAGE_SIZE - 1;

/** Why members may be missing from a list; `undefined` if none can be, as far as its links and the first reading say. */
function whyUnproven(
  { items, isLinked, endsFull }: Listed<OktaUser>,
  first: GroupReading | undefined,
): string | undefined {
  if (!isLinked) return `Okta's answer carries no Link header: ${UNLINKED}`;
  if (first?.kind !== "complete" || !(endsFull || first.endsFull)) return undefined;
  const before = new Set(first.users.map(({ id }) => id));
  if (before.size === items.length && items.every(({ id }) => before.has(id))) return undefined;
  return `one of two readings ended at a full page, and they differ (${before.size} and ${items.length} members): ` +
    "the next page may have been lost; if this stays, ask Okta's support";
}

/**
 * Reads the members of a group to the last page. `first` is what was read of it before in this cycle.
 *
 * @throws {RequestError} of the kind `interrupted` on shutdown; every other failure is in the reading.
 */
async function readMembers(
  { okta_group }: Mapping,
  group: OktaGroup,
  first: GroupReading | undefined,
  { okta, monotonic, onReading }: GroupOptions,
): Promise<GroupReading> {
  const startedAt = monotonic();
  const seconds = () => (monotonic() - startedAt) / 1_000;
  const what = `Okta group ${okta_group}`;
  try {
    onReading?.(what, 0);
    const onPage = (count: number) => onReading?.(what, count);
    const list = await okta.listMembers(group.id, onPage, first ? OTHER_PAGE_SIZE : PAGE_SIZE);
    const { items: users, endsFull } = list;
    const unproven = whyUnproven(list, first);
    return { kind: "complete", users, seconds: seconds(), at: monotonic(), unproven, endsFull };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    return { kind: "failed", error, seconds: seconds() };
  }
}

/**
 * Finds and reads the group of every mapping, each group once, several side by side. When Okta is down, the rest is
 * not asked. `before` is what was read before in this cycle.
 *
 * @throws {RequestError} of the kind `interrupted` on shutdown; every other failure is in the readings.
 */
export async function readGroups(
  mappings: readonly Mapping[],
  breaker: Breaker,
  options: GroupOptions,
  before: ReadonlyMap<string, ReadGroup> = new Map(),
): Promise<ReadGroups> {
  const wanted = [...new Map(mappings.map((mapping) => [keyOfGroup(mapping), mapping]))];
  const read = new Map<string, ReadGroup>();
  const notAsked = (error: Error): ReadGroup => ({
    reading: { kind: "failed", error, seconds: 0, notAsked: true },
    group: undefined,
  });
  const down = breaker.reason();
  if (down) return { groups: new Map(wanted.map(([key]) => [key, notAsked(down)])), at: undefined };

  const { groups, at } = await options.okta.findGroups(
    wanted.map(([key, mapping]) => wantedBy(mapping, before.get(key)?.group)),
  );
  async function readOne(
    key: string,
    mapping: Mapping,
    found: OktaGroup | Error | undefined,
  ): Promise<ReadGroup> {
    if (found === undefined || found instanceof Error) {
      return { reading: { kind: "failed", error: found, seconds: 0 }, group: undefined };
    }
    return { reading: await readMembers(mapping, found, before.get(key)?.reading, options), group: found };
  }
  await sideBySide(wanted.entries(), MOST_AT_ONCE, async ([i, [key, mapping]]) => {
    const reason = breaker.reason();
    const one = reason ? notAsked(reason) : await readOne(key, mapping, groups[i]);
    read.set(key, one);
    if (reason) return;
    if (one.reading.kind === "complete") breaker.succeeded();
    else breaker.failed(one.reading.error);
  });
  return {
    groups: new Map(wanted.map(([key]) => [key, read.get(key) ?? notAsked(new Error("it was not read"))])),
    at,
  };
}

/** How reading each group went that was asked for. */
export function outcomesOf(mappings: readonly Mapping[], { groups }: ReadGroups): Outcome[] {
  const named = new Map(mappings.map((mapping) => [keyOfGroup(mapping), mapping.okta_group]));
  return [...groups].flatMap(([key, { reading }]) => {
    const name = `Okta group '${named.get(key)}'`;
    if (reading.kind === "complete") return [{ key, name, error: undefined }];
    return reading.notAsked ? [] : [{ key, name, error: reading.error }];
  });
}
