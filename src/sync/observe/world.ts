/** What a cycle sees: values, each with how it came to be known. */
import { createDirectory, type Directory } from "../../grafana/directory.ts";
import type { OrgUser, TeamMember } from "../../grafana/schema.ts";
import type { Mapping } from "../../config/schema.ts";
import type { OktaGroup, OktaUser } from "../../okta/schema.ts";

/** How something was seen. Only a `fresh` reading proves that somebody is missing from it. */
export type Reading<T> =
  /** Read to its end in this cycle. */
  | {
    readonly kind: "fresh";
    readonly value: T;
    readonly seconds: number;
    /** When it came to its end, in milliseconds on the monotonic clock. */
    readonly at: number;
    /** Why something may be missing from it, in words: then it does not prove anybody's absence. */
    readonly doubt?: string | undefined;
    /** Its last page was full: the next one may have been lost. */
    readonly endsFull?: boolean;
  }
  /** Read in an earlier cycle, with the changes reported since. */
  | { readonly kind: "remembered"; readonly value: T }
  | {
    readonly kind: "failed";
    readonly error: Error;
    readonly seconds: number;
    /** It was not asked for: the service is down, or it keeps failing. */
    readonly isSkipped: boolean;
  };

/** Readings are good for this long, in milliseconds: what is written later rests on newer ones. */
export const MOST_AGE_MS = 30_000;

/** Whether a reading still says how things are; one that failed does not get better. `now` is on the monotonic clock. */
export function isCurrent(reading: Reading<unknown>, now: number): boolean {
  if (reading.kind === "failed") return true;
  return reading.kind === "fresh" && now - reading.at <= MOST_AGE_MS;
}

/** A group and everybody in it, whatever their status. */
export interface Group extends OktaGroup {
  readonly users: readonly OktaUser[];
}

/** Groups by {@linkcode keyOfGroup}. */
export type GroupReadings = ReadonlyMap<string, Reading<Group>>;

/** The key of a mapping's group: mappings with the same key read the same group. */
export function keyOfGroup({ okta_group, okta_group_id }: Mapping): string {
  return okta_group_id ? `id ${okta_group_id}` : `name ${okta_group}`;
}

/** A team and who is in it. */
export interface Team {
  /** `undefined` if the team does not exist. */
  readonly id: number | undefined;
  /** How many members Grafana counts; it may show fewer. */
  readonly memberCount: number;
  readonly members: readonly TeamMember[];
}

/** The users of Grafana's organisation, and how to find people among them. */
export interface People {
  readonly byId: ReadonlyMap<number, OrgUser>;
  readonly directory: Directory;
  /** How many more users Grafana counts than it lists. Who they are, and in which teams, is not known. */
  readonly hidden: number;
}

/** The people who are these users. */
export function peopleOf(users: readonly OrgUser[], hidden = 0): People {
  return {
    byId: new Map(users.map((user) => [user.userId, user])),
    directory: createDirectory(users),
    hidden,
  };
}
