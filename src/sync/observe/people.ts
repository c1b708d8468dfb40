/** Reads the people of Grafana's organisation. */
import type { GrafanaReads } from "../../grafana/client.ts";
import { createDirectory, type Directory, emailOf } from "../../grafana/directory.ts";
import type { OrgUser } from "../../grafana/schema.ts";
import { errorMessage, isRequestError } from "../../http/error.ts";
import type { OktaUser } from "../../okta/schema.ts";
import type { People } from "./world.ts";

/** Told while something is read: what, and how many so far. */
export type OnReading = (what: string, count: number) => void;

/** Users on one page of Grafana's list. */
const USERS_PER_PAGE = 1_000;

/**
 * Reads all users of the organisation. They are indexed page by page, so that nothing else is held up for long.
 *
 * @throws {RequestError}
 */
export async function readPeople(
  grafana: Pick<GrafanaReads, "listOrgUsers">,
  onReading?: OnReading,
): Promise<People> {
  const byId = new Map<number, OrgUser>();
  const directory = createDirectory();
  const { hidden } = await grafana.listOrgUsers((page) => {
    for (const user of page) byId.set(user.userId, user);
    directory.add(page);
    onReading?.("Grafana users", byId.size);
  });
  return { byId, directory, hidden };
}

/**
 * Finds people who were unknown: by one search each, or in the whole list where that takes fewer requests.
 *
 * @param userCount How many users the organisation had.
 * @returns where to look them up, and everybody if all were read.
 * @throws {RequestError}
 */
export async function findPeople(
  wanted: readonly OktaUser[],
  userCount: number,
  grafana: Pick<GrafanaReads, "listOrgUsers" | "findOrgUsers">,
  onReading?: OnReading,
): Promise<{ readonly directory: Directory; readonly people: People | undefined }> {
  const addresses = new Set(
    wanted.flatMap(({ profile }) => [emailOf(profile) || profile.login, profile.login]),
  );
  if (addresses.size > Math.ceil(userCount / USERS_PER_PAGE)) {
    const people = await readPeople(grafana, onReading);
    return { directory: people.directory, people };
  }
  const found = [];
  for (const address of addresses) found.push(...await grafana.findOrgUsers(address));
  return { directory: createDirectory(found), people: undefined };
}

/** A placeholder for something that could not be read. @throws {RequestError} of the kind `interrupted`. */
export function unreadable(what: string): (error: unknown) => Error {
  return (error) => {
    if (isRequestError(error, "interrupted")) throw error;
    return new Error(`${what} could not be read: ${errorMessage(error)}`, { cause: error });
  };
}
