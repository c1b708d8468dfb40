/** Follows how far teams are from their groups, and since when: what each cycle left undone. */
import type { Mapping } from "../config/schema.ts";
import type { InSync } from "../observability/mapping_metrics.ts";
import { keyOfMapping } from "../sync/plan/desired.ts";
import { partsOf } from "../sync/plan/team.ts";
import { type CycleReport, isSuccess } from "../sync/tell/report.ts";

/** Changes of a team that were found and not carried out. */
export interface Left {
  readonly add: number;
  readonly remove: number;
}

/** How far teams are from their groups. */
export interface Drift {
  cycleEnded(report: CycleReport): void;
  /** A cycle ended before its time: nothing is known for certain. */
  cycleBroke(): void;
  inSync(mapping: Mapping): InSync;
  /** Whether a cycle of this process ever left it in sync. */
  wasInSync(mapping: Mapping): boolean;
  /** What was left when the team was last compared; `undefined` if it never was. */
  left(team: string): Left | undefined;
}

/** What a cycle left undone of a team's plan. */
function leftOf(plan: CycleReport["plans"][number], { mappings }: CycleReport): Left {
  const { additions, removals, onHold } = partsOf(plan);
  const own = mappings.filter(({ mapping }) => mapping.grafana_team === plan.team);
  const done = (count: "added" | "removed") => own.reduce((sum, report) => sum + report[count], 0);
  return {
    add: additions.length + (onHold?.additions.length ?? 0) - done("added"),
    remove: removals.length + (onHold?.removals.length ?? 0) - done("removed"),
  };
}

/** Follows the teams of a service that begins now. */
export function createDrift(now: () => number): Drift {
  const startedAt = now();
  const left = new Map<string, Left>();
  const known = new Map<string, { readonly isInSync: boolean; readonly lastInSyncAt: number | undefined }>();
  return {
    cycleEnded(report) {
      for (const plan of report.plans) left.set(plan.team, leftOf(plan, report));
      for (const one of report.mappings) {
        const { add, remove } = left.get(one.mapping.grafana_team) ?? { add: 0, remove: 0 };
        const isInSync = isSuccess(one) && add + remove === 0;
        const key = keyOfMapping(one.mapping);
        const lastInSyncAt = isInSync ? report.startedAt : known.get(key)?.lastInSyncAt;
        known.set(key, { isInSync, lastInSyncAt });
      }
    },
    cycleBroke() {
      for (const [key, { lastInSyncAt }] of known) known.set(key, { isInSync: false, lastInSyncAt });
    },
    inSync(mapping) {
      const { isInSync = false, lastInSyncAt = startedAt } = known.get(keyOfMapping(mapping)) ?? {};
      return { isInSync, lastInSyncAt };
    },
    wasInSync: (mapping) => known.get(keyOfMapping(mapping))?.lastInSyncAt !== undefined,
    left: (team) => left.get(team),
  };
}
