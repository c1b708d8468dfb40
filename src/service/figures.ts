/** What the gauges of `/metrics` say of the service's state. */
import type { Figures, MappingFigures, TeamFigures } from "../observability/metrics.ts";
import { HOLD_REASONS } from "../sync/plan/actions.ts";
import { apiOf } from "./api.ts";
import type { Moment } from "./happening.ts";
import type { KnownMapping, KnownTeam } from "./known.ts";
import type { ServiceState } from "./state.ts";

/** The services that are asked, as metrics name them. */
const SERVICES = ["okta", "grafana"];

function mappingFigures(known: KnownMapping, now: Moment): MappingFigures {
  const { mapping: { okta_group, grafana_team }, report, lastInSyncAt = known.since } = known;
  return {
    okta_group,
    grafana_team,
    lastSync: report ? report.endedAt / 1_000 : 0,
    lastSuccess: Number(known.isDone),
    groupMembers: known.groupMembers,
    teamMembers: known.teamMembers,
    usersPending: report?.pending ?? 0,
    lastInSync: lastInSyncAt / 1_000,
    driftSeconds: known.isInSync ? 0 : (now.at - lastInSyncAt) / 1_000,
  };
}

/** Of a team that was never compared, nothing is known to be left or on hold. */
function teamFigures(grafana_team: string, team: KnownTeam | undefined): TeamFigures {
  return {
    grafana_team,
    left: team?.left ?? { add: 0, remove: 0 },
    onHold: team
      ? HOLD_REASONS.map((reason) => [reason, team.reason === reason ? team.removalsOnHold : 0])
      : [],
  };
}

/** What the gauges say now. */
export function figuresOf(state: ServiceState, now: Moment): Figures {
  const { settings, mappings, teams, apis, limits, lastCycle, log, startedAt } = state;
  const names = new Set(mappings.all.map(({ mapping }) => mapping.grafana_team));
  return {
    intervalSeconds: settings.intervalSeconds,
    isDryRun: settings.dryRun,
    startedAt: startedAt.at / 1_000,
    lastCycle: lastCycle ? lastCycle.endedAt / 1_000 : 0,
    lostAuditLines: log.lostAuditLines,
    mappings: mappings.all.map((known) => mappingFigures(known, now)),
    teams: Array.from(names, (name) => teamFigures(name, teams.get(name))),
    apis: SERVICES.map((service) => {
      const { acceptsCredential, clock } = apiOf(apis, service);
      return { service, acceptsCredential, clockOffsetSeconds: clock?.offsetSeconds };
    }),
    limits: [...limits.values()],
  };
}
