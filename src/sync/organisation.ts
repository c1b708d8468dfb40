/** Reads the users of Grafana's organisation. */
import type { GrafanaClient } from "../grafana/client.ts";
import { createDirectory } from "../grafana/directory.ts";
import type { OrgUser } from "../grafana/schema.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Organisation } from "./plan.ts";

/** Somebody who watches what is read. */
export type OnReading = (what: string, count: number) => void;

/**
 * Reads all users of the organisation. They are sorted in page by page, so that nothing else is held up for long.
 *
 * @throws {RequestError}
 */
export async function readOrganisation(grafana: GrafanaClient, onReading?: OnReading): Promise<Organisation> {
  const byId = new Map<number, OrgUser>();
  const directory = createDirectory();
  const { hidden } = await grafana.listOrgUsers((page) => {
    for (const user of page) byId.set(user.userId, user);
    directory.add(page);
    onReading?.("Grafana users", byId.size);
  });
  return { byId, directory, hidden };
}

/** What stands in place of what could not be read. @throws {RequestError} of the kind `interrupted`. */
export function unreadable(what: string): (error: unknown) => Error {
  return (error) => {
    if (isRequestError(error, "interrupted")) throw error;
    return new Error(`${what} could not be read: ${errorMessage(error)}`, { cause: error });
  };
}
