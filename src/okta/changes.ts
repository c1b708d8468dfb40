/** What changed in Okta since a moment, by filters that read current data. */
import { allOrFirstError } from "../http/side_by_side.ts";
import { badLink } from "./link.ts";
import type { ListAll, ListOptions } from "./pages.ts";
import { type OktaGroup, oktaGroupSchema, type OktaUser, oktaUserSchema } from "./schema.ts";

/** What changed. */
export interface Changes {
  /** Groups with another name or other members; new ones too. Okta does not report deleted ones. */
  readonly groups: readonly OktaGroup[];
  /** Users with another status or profile, deactivated ones too; Okta does not report deleted ones. */
  readonly users: readonly OktaUser[];
  /** Okta's time before any of that was read, in epoch milliseconds; `undefined` if it did not say. */
  readonly at: number | undefined;
}

/** With more pages of changes than this, reading everything is no more work. */
const MOST_PAGES = 10;

/**
 * Asks what changed since `sinceMs`, Okta's time in epoch milliseconds.
 *
 * @throws {TooLongError} if too much did.
 * @throws {RequestError} also if a list came without a `Link` header: it may be cut short.
 * @see https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Group/#tag/Group/operation/listGroups
 */
export async function listChanges(listAll: ListAll, sinceMs: number): Promise<Changes> {
  const since = new Date(sinceMs).toISOString();
  const changed = async <T extends { readonly id: string }>(
    route: string,
    filter: string,
    item: ListOptions<T>["item"],
  ) => {
    const list = await listAll({ route, query: { filter }, item, mostPages: MOST_PAGES });
    if (!list.isLinked) throw badLink(route, "the response has no Link header, so changes may be missing");
    return list;
  };
  const [groups, users, deactivated] = await allOrFirstError([
    changed(
      "/api/v1/groups",
      `lastUpdated gt "${since}" or lastMembershipUpdated gt "${since}"`,
      oktaGroupSchema,
    ),
    changed("/api/v1/users", `lastUpdated gt "${since}"`, oktaUserSchema),
    // Okta leaves them out of every other list of users.
    changed("/api/v1/users", `status eq "DEPROVISIONED" and lastUpdated gt "${since}"`, oktaUserSchema),
  ]);
  const times = [groups.at, users.at, deactivated.at].filter((at) => at !== undefined);
  return {
    groups: groups.items,
    users: [...users.items, ...deactivated.items],
    at: times.length === 3 ? Math.min(...times) : undefined,
  };
}
