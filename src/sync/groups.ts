/** Reads Okta groups for the mappings that need them. */
import type { Mapping } from "../config/schema.ts";
import { isRequestError } from "../http/error.ts";
import type { Breaker } from "./breaker.ts";
import type { OktaClient } from "../okta/client.ts";
import type { OktaGroup } from "../okta/schema.ts";
import { type GroupReading, type GroupReadings, keyOfGroup } from "./desired.ts";
import type { Outcome } from "./patience.ts";

/** What reading groups needs. */
export interface GroupOptions {
  readonly okta: OktaClient;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told while reading, for somebody who watches. */
  readonly onReading?: (what: string, count: number) => void;
}

/**
 * The group of a mapping: by its id where it has one, else by its name.
 *
 * @throws {GroupError} {@linkcode RequestError}
 */
export function findGroupOf({ okta_group, okta_group_id }: Mapping, okta: OktaClient): Promise<OktaGroup> {
  return okta_group_id ? okta.getGroup(okta_group_id) : okta.findGroup(okta_group);
}

/**
 * Reads a mapping's group to its last page.
 *
 * @throws {RequestError} of the kind `interrupted` on shutdown; every other failure is in the reading.
 */
async function readGroup(
  mapping: Mapping,
  { okta, now, onReading }: GroupOptions,
): Promise<GroupReading> {
  const startedAt = now();
  const seconds = () => (now() - startedAt) / 1_000;
  const what = `Okta group ${mapping.okta_group}`;
  try {
    onReading?.(what, 0);
    const group = await findGroupOf(mapping, okta);
    const users = await okta.listMembers(group.id, (count) => onReading?.(what, count));
    return { kind: "complete", users, seconds: seconds() };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    return { kind: "failed", error, seconds: seconds() };
  }
}

/** Reads the group of every mapping, each group once. When Okta is down, the rest is not asked. */
export async function readGroups(
  mappings: readonly Mapping[],
  breaker: Breaker,
  options: GroupOptions,
): Promise<GroupReadings> {
  const readings = new Map<string, GroupReading>();
  for (const mapping of mappings) {
    const key = keyOfGroup(mapping);
    if (readings.has(key)) continue;
    const error = breaker.reason();
    if (error) {
      readings.set(key, { kind: "failed", error, seconds: 0, notAsked: true });
      continue;
    }
    const reading = await readGroup(mapping, options);
    readings.set(key, reading);
    if (reading.kind === "complete") breaker.succeeded();
    else breaker.failed(reading.error);
  }
  return readings;
}

/** How reading each group went that was asked for. */
export function outcomesOf(mappings: readonly Mapping[], readings: GroupReadings): Outcome[] {
  const named = new Map(mappings.map((mapping) => [keyOfGroup(mapping), mapping.okta_group]));
  return [...readings].flatMap(([key, reading]) => {
    const name = `Okta group '${named.get(key)}'`;
    if (reading.kind === "complete") return [{ key, name, error: undefined }];
    return reading.notAsked ? [] : [{ key, name, error: reading.error }];
  });
}
