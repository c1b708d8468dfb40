/** Finding one group, for tests. */
import type { OktaClient } from "../../src/okta/client.ts";
import type { OktaGroup } from "../../src/okta/schema.ts";

/** The group of this name, or with this id. @throws whatever stands in its place. */
export async function findGroup(client: OktaClient, name: string, id?: string): Promise<OktaGroup> {
  const { groups: [group] } = await client.findGroups([{ name, id }]);
  if (group === undefined || group instanceof Error) throw group ?? new TypeError("nothing was found");
  return group;
}
