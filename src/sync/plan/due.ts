/** Which mappings a cycle syncs. */
import type { Mapping } from "../../config/schema.ts";
import { type Known, withoutTeams } from "../observe/known.ts";
import { keyOfGroup } from "../observe/world.ts";
import { fairly, isDue, type Setbacks } from "./setbacks.ts";

/** The key of a team, distinct from that of a group with the same name. */
export function keyOfTeam(team: string): string {
  return `team ${team}`;
}

/** What a cycle syncs, and what it leaves as it is known. */
export interface Due {
  readonly mappings: readonly Mapping[];
  /** Mappings whose team is left as it is known. */
  readonly unchanged: readonly Mapping[];
  readonly known: Known;
}

/**
 * The mappings whose team is not known to be in sync. What keeps failing is skipped for some cycles; when its time has
 * come, its team is compared even if it is known.
 */
export function dueMappings(
  mappings: readonly Mapping[],
  known: Known,
  setbacks: Setbacks,
  cycle: number,
): Due {
  const isDueNow = (key: string) => isDue(setbacks, key, cycle);
  const retried = new Set(
    mappings.filter((mapping) => setbacks.failing.has(keyOfGroup(mapping)) && isDueNow(keyOfGroup(mapping)))
      .map(({ grafana_team }) => grafana_team),
  );
  const teams = retried.size === 0 ? known.teams : withoutTeams(known.teams, (name) => retried.has(name));
  const due = mappings.filter((mapping) =>
    !teams.has(mapping.grafana_team) &&
    [keyOfGroup(mapping), keyOfTeam(mapping.grafana_team)].every(isDueNow)
  );
  const unchanged = mappings.filter(({ grafana_team }) => teams.has(grafana_team));
  return { unchanged, mappings: fairly(due, keyOfGroup, setbacks, cycle), known: { ...known, teams } };
}
