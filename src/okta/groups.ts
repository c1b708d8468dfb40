/** Finds groups by their names or ids, many with one request. */
import type { ListAll } from "./pages.ts";
import { asError, isRequestError } from "../http/error.ts";
import { type OktaGroup, oktaGroupSchema } from "./schema.ts";

/** A group that does not exist, or exists more than once. */
export class GroupError extends Error {
  readonly kind: "group-not-found" | "group-ambiguous";

  constructor(kind: GroupError["kind"], message: string) {
    super(message);
    this.name = "GroupError";
    this.kind = kind;
  }
}

/** How to find a group: by its id, or else by its exact name. */
export interface WantedGroup {
  readonly id?: string | undefined;
  readonly name: string;
  /** The id found for this name a moment ago: it is not searched again, but must still have that name. */
  readonly foundId?: string | undefined;
}

/** What was found, in the order in which it was wanted. */
export interface FoundGroups {
  /** A {@linkcode GroupError} or a {@linkcode RequestError} in place of a group that could not be found. */
  readonly groups: readonly (OktaGroup | Error)[];
  /** Okta's time before any of them was read, in epoch milliseconds; `undefined` if it did not say. */
  readonly at: number | undefined;
}

/** Finds groups. */
export type FindGroups = (wanted: readonly WantedGroup[]) => Promise<FoundGroups>;

/** The most groups in one request, and the longest expression: URLs have length limits. */
const MOST_TERMS = 40;
const MOST_CHARACTERS = 1_500;

/** A name as a quoted text of Okta's search expression. */
export function quote(name: string): string {
  return `"${name.replace(/[\\"]/g, "\\$&")}"`;
}

/** Values in batches whose terms fit into one request. */
function batchesOf(values: Iterable<string>, termOf: (value: string) => string): string[][] {
  const batches: string[][] = [];
  let characters = Infinity;
  for (const value of new Set(values)) {
    characters += termOf(value).length + 4;
    const last = batches.at(-1);
    if (last && last.length < MOST_TERMS && characters <= MOST_CHARACTERS) last.push(value);
    else {
      batches.push([value]);
      characters = termOf(value).length;
    }
  }
  return batches;
}

/** The result of one request for several groups: the groups, or the error that affects all of them. */
type Answers = ReadonlyMap<string, readonly OktaGroup[] | Error>;

/** Makes a finder on these lists. */
export function createFindGroups(listAll: ListAll): FindGroups {
  /** Asks for all of these values. A request that Okta rejects is split in two, until the bad value is alone. */
  async function ask(
    query: "search" | "filter",
    values: readonly string[],
    termOf: (value: string) => string,
    onTime: (at: number | undefined) => void,
  ): Promise<Answers> {
    try {
      const expression = { [query]: values.map(termOf).join(" or ") };
      const list = { route: "/api/v1/groups", query: expression, item: oktaGroupSchema };
      const { items, at } = await listAll(list);
      onTime(at);
      return new Map(values.map((value) => [value, items]));
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      if (!isRequestError(error, "rejected") || values.length === 1) {
        const reason = asError(error);
        return new Map(values.map((value) => [value, reason]));
      }
      const middle = values.length / 2;
      const halves = [values.slice(0, middle), values.slice(middle)];
      const answers = await Promise.all(halves.map((half) => ask(query, half, termOf, onTime)));
      return new Map(answers.flatMap((half) => [...half]));
    }
  }

  async function askAll(
    query: "search" | "filter",
    values: Iterable<string>,
    termOf: (value: string) => string,
    onTime: (at: number | undefined) => void,
  ): Promise<Answers> {
    const batches = batchesOf(values, termOf);
    const answers = await Promise.all(batches.map((batch) => ask(query, batch, termOf, onTime)));
    return new Map(answers.flatMap((batch) => [...batch]));
  }

  return async (wanted) => {
    const times: (number | undefined)[] = [];
    const onTime = (at: number | undefined) => void times.push(at);
    const names = wanted.flatMap(({ id, foundId, name }) => id ?? foundId ? [] : [name]);
    const hits = await askAll("search", names, (name) => `profile.name eq ${quote(name)}`, onTime);
    const chosen = wanted.map(({ id, foundId, name }) =>
      id ?? foundId ?? chooseHit(hits.get(name) ?? [], name)
    );
    const ids = chosen.filter((one) => typeof one === "string");
    // Okta's search may be behind; this filter reads current data.
    const current = await askAll("filter", ids, (id) => `id eq "${id}"`, onTime);
    const groups = wanted.map((one, i) => {
      const id = chosen[i] ?? new TypeError("nothing was chosen");
      if (id instanceof Error) return id;
      const answer = current.get(id) ?? [];
      return answer instanceof Error ? answer : confirm(answer.find((group) => group.id === id), one);
    });
    const known = times.filter((at) => at !== undefined);
    return { groups, at: known.length === times.length && known.length > 0 ? Math.min(...known) : undefined };
  };
}

/** The id of the one group of exactly this name, or why there is none. */
function chooseHit(hits: readonly OktaGroup[] | Error, name: string): string | Error {
  if (hits instanceof Error) return hits;
  const exact = hits.filter((group) => group.profile.name === name);
  if (exact.length > 1) {
    const ids = exact.map(({ id }) => id).join(", ");
    const advice = "set okta_group_id in the mapping to the id of the right one";
    return new GroupError(
      "group-ambiguous",
      `${exact.length} Okta groups are named '${name}' (${ids}): ${advice}`,
    );
  }
  if (exact[0]) return exact[0].id;
  const near = hits.map(({ profile }) => profile.name)
    .filter((other) => other.toLowerCase() === name.toLowerCase()).map((other) => `'${other}'`).join(", ");
  const advice =
    "check the exact name, including case, under Directory > Groups in Okta, and that the credential can see it";
  return new GroupError(
    "group-not-found",
    `Group not found: ${name}: ${near ? `there is ${near}; ` : ""}${advice}`,
  );
}

/** The group as it is now, if it is still the one that was wanted. */
function confirm(group: OktaGroup | undefined, { id, name }: WantedGroup): OktaGroup | Error {
  if (!group) {
    const advice = "it was deleted, or the credential cannot see it: check Directory > Groups in Okta";
    return new GroupError("group-not-found", `Group not found: ${id ?? name}: ${advice}`);
  }
  if (id !== undefined || group.profile.name === name) return group;
  return new GroupError(
    "group-not-found",
    `Group not found: ${name}: it is now named '${group.profile.name}', but Okta's search still lists the old name: ` +
      "wait for the next cycle, or use the new name in the configuration",
  );
}
