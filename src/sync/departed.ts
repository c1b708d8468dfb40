/** People whom gots added to the organisation and who are not in it any more: said once, with what helps. */
import { addressOf } from "../grafana/directory.ts";
import type { DesiredMember } from "./desired.ts";
import type { JoinOptions } from "./joining.ts";
import { listPeople } from "./tell.ts";
import type { Organisation } from "./plan.ts";

/**
 * Notices who has left. They are added again, but not before the next full cycle: Grafana's OAuth sign-in takes people
 * out of every organisation that it does not name, and would go on doing so.
 */
export function noteDeparted(
  members: readonly DesiredMember[],
  { byId, directory }: Organisation,
  { log, tryAgainAt, memory }: JoinOptions,
): void {
  const { joined, departed, outlook } = memory;
  const news = new Set<string>();
  for (const { user: { id, profile } } of members) {
    const isAway = joined.has(id) && !byId.has(joined.get(id) ?? NaN);
    if (!isAway && !departed.has(id)) continue;
    const isKnown = directory.match(profile).kind !== "unknown";
    if (isKnown) outlook.delete(id);
    if (isKnown || !isAway) continue;
    joined.delete(id);
    memory.tryAgainAt.set(id, tryAgainAt);
    outlook.set(id, "left the organisation after gots added them");
    if (!departed.has(id)) news.add(addressOf(profile));
    departed.add(id);
  }
  if (news.size === 0) return;
  const message =
    "Left the organisation after gots added them: {users}. Unless someone removed them, Grafana did when they signed " +
    "in: set skip_org_role_sync = true or org_mapping in Grafana (docs/GRAFANA_SETUP.md). Until then, full cycles " +
    "add them again";
  log.warning(message, { users: listPeople([...news].sort()), action: "pending" });
}
