/** `gots sync` and `gots plan`: one cycle, carried out or only shown. */
import type { Loaded } from "../config/load.ts";
import { suggestName } from "../config/problems.ts";
import { escapeUnprintable } from "../observability/log.ts";
import { SIGNAL_STATUS } from "../service/shutdown.ts";
import type { CycleOptions } from "../sync/cycle.ts";
import { createSyncer } from "../sync/syncer.ts";
import { type CycleReport, isSuccess } from "../sync/tell/report.ts";
import {
  type Context,
  createContext,
  DEFAULT_CONFIG,
  type Io,
  load,
  loggingFor,
  STATUS,
  tellLost,
  UsageError,
} from "./context.ts";
import { formatAllowCommands, formatPlanJson, formatPlanTable } from "./plan_format.ts";
import { SIMILAR_ADVICE, similarTeam } from "./similar_team.ts";
import { formatSummary } from "./summary.ts";

/** Runs one cycle with progress on the terminal. */
async function runOnce(
  context: Context,
  io: Io,
  options: Pick<CycleOptions, "dryRun" | "allowRemovals"> = {},
): Promise<CycleReport> {
  const { config } = context.loaded;
  const report = await createSyncer(config, context).run({
    ...options,
    onReading: (what, count) => io.terminal.progress(`Reading ${what}${count > 0 ? `: ${count}` : ""} …`),
  });
  io.terminal.progress("");
  return report;
}

function statusOf({ interrupted, mappings }: CycleReport, context: Context): number {
  const signal = context.shutdown.received();
  if (interrupted && signal) return SIGNAL_STATUS[signal];
  return mappings.every(isSuccess) ? STATUS.fine : STATUS.failed;
}

/** The options of `gots sync`. */
export interface SyncOptions {
  /** Teams for which the removal limit does not count. */
  readonly allowRemovals?: readonly string[];
}

/** @throws {UsageError} if no mapping has such a team. */
function checkTeams(teams: readonly string[], { config }: Loaded): void {
  const known = config.sync.mappings.map(({ grafana_team }) => grafana_team);
  for (const team of teams) {
    if (known.includes(team)) continue;
    const near = suggestName(team, known);
    throw new UsageError(
      `--allow-removals: no mapping has the team '${team}'${near ? `; did you mean '${near}'?` : ""}`,
    );
  }
}

/** Runs one cycle and says what it did. */
export async function sync(file: string, { allowRemovals = [] }: SyncOptions, io: Io): Promise<number> {
  const loaded = await load(file, io);
  checkTeams(allowRemovals, loaded);
  const context = createContext(loaded, io, loggingFor(io));
  try {
    const report = await runOnce(context, io, { allowRemovals: new Set(allowRemovals) });
    io.terminal.print(`${formatSummary(report, context.requestCount())}\n`);
    tellLost(io);
    return statusOf(report, context);
  } finally {
    context.release();
  }
}

/** The options of `gots plan`. */
export interface PlanOptions {
  readonly format: "table" | "json";
  readonly detailedExitcode?: boolean;
}

/** Warns of teams that would be created although Grafana has one of nearly the same name, which no mapping names. */
function warnOfSimilarTeams({ plans, teams }: CycleReport, context: Context): void {
  const missing = plans.filter(({ teamId }) => teamId === undefined);
  if (teams instanceof Error) return;
  const mapped = new Set(context.loaded.config.sync.mappings.map(({ grafana_team }) => grafana_team));
  for (const { team } of missing) {
    const similar = similarTeam(team, teams, mapped);
    if (!similar) continue;
    const message = "Grafana has no team '{grafana_team}', but has '{similar}': {advice}";
    context.log.warning(message, { grafana_team: team, similar, advice: SIMILAR_ADVICE });
  }
}

/** Shows what a cycle would change, and changes nothing. */
export async function plan(file: string, { format, detailedExitcode }: PlanOptions, io: Io): Promise<number> {
  const loaded = await load(file, io);
  const { level } = loaded.config.logging;
  // The table shows what the log would say; only problems are logged as well.
  const context = createContext(loaded, io, {
    ...loggingFor(io),
    ...(level === "INFO" ? { level: "WARNING" } : {}),
  });
  try {
    const report = await runOnce(context, io, { dryRun: true });
    warnOfSimilarTeams(report, context);
    const status = statusOf(report, context);
    const config = file === DEFAULT_CONFIG ? "" : file;
    if (format === "json") {
      io.terminal.print(`${escapeUnprintable(JSON.stringify(formatPlanJson(report, config), null, 2))}\n`);
    } else {
      const table = formatPlanTable(report, io.terminal.hasColour);
      const commands = formatAllowCommands(report, config);
      io.terminal.print(`${table}\n${commands}${formatSummary(report, context.requestCount())}\n`);
    }
    const changes = report.plans.some((one) => one.actions.length > 0);
    return status === STATUS.fine && detailedExitcode && changes ? STATUS.changes : status;
  } finally {
    context.release();
  }
}
