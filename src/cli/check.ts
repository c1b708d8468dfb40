/** `gots check`: will it work? Checks everything that a cycle needs, and writes nothing. */
import { count } from "../config/count.ts";
import { checkGrafana } from "./check_grafana.ts";
import { isRequestError } from "../http/error.ts";
import type { Finding, FindingResult } from "./finding.ts";
import { escapeUnprintable, plainLine } from "../observability/log.ts";
import { checkOkta } from "./check_okta.ts";
import { SIGNAL_STATUS } from "../service/shutdown.ts";
import { createContext, type Io, load, loggingFor, STATUS } from "./context.ts";

/** The version of the JSON form; it rises when a field changes its meaning or goes away. */
export const CHECK_VERSION = 1;

const SIGNS: Readonly<Record<FindingResult, string>> = { ok: "✓", warning: "!", failed: "✗", skipped: "-" };
const COLOURS: Readonly<Record<FindingResult, string>> = {
  ok: "\x1b[32m",
  warning: "\x1b[33m",
  failed: "\x1b[31m",
  skipped: "\x1b[2m",
};

/** The options of `gots check`. */
export interface CheckOptions {
  readonly format: "text" | "json";
}

/** One line, and what to do under it. */
function formatFinding({ service, what, result, seen, advice }: Finding, hasColour: boolean): string {
  const line = plainLine(`${SIGNS[result]} ${service}: ${what}: ${seen}`);
  const shown = hasColour ? `${COLOURS[result]}${line}\x1b[0m` : line;
  return advice ? `${shown}\n    ${plainLine(advice)}\n` : `${shown}\n`;
}

/** With more mappings than this, the groups and the teams that are fine have one line. */
const MOST_MAPPINGS = 20;

/** The last line names no more failures than this. */
const MOST_NAMED = 5;

/** `group` or `team` of a finding that can share a line with others of its kind. */
function kindOf({ what, result }: Finding): string | undefined {
  return result === "ok" ? what.match(/^(group|team) '/)?.[1] : undefined;
}

/** One line for the groups, or the teams, that are fine; empty if none is. */
function formatFine([first, ...others]: readonly Finding[], hasColour: boolean): string {
  if (!first) return "";
  const what = count(1 + others.length, kindOf(first) ?? "check");
  return formatFinding({ ...first, what, seen: "fine (--format json lists each one)" }, hasColour);
}

/** The names of what failed, for the last line. */
function nameFailures(failed: readonly Finding[]): string {
  if (failed.length === 0) return "";
  const names = failed.slice(0, MOST_NAMED).map(({ service, what }) => `${service}: ${what}`);
  const more = failed.length - names.length;
  return ` (${plainLine(names.join("; "))}${more > 0 ? `; and ${more} more` : ""})`;
}

function formatSum(findings: readonly Finding[]): string {
  const of = (result: FindingResult) => findings.filter((one) => one.result === result);
  const failed = of("failed");
  const verdict = failed.length > 0 ? "Not ready" : "Ready";
  const counts = [
    `${count(failed.length, "failure")}${nameFailures(failed)}`,
    count(of("warning").length, "warning"),
    `${of("skipped").length} skipped`,
  ];
  return `${verdict}: ${count(findings.length, "check")}, ${counts.join(", ")}\n`;
}

function formatJson(findings: readonly Finding[]): string {
  const ok = findings.every(({ result }) => result !== "failed");
  const lines = findings.map((finding) => ({ ...finding, advice: finding.advice ?? null }));
  return `${escapeUnprintable(JSON.stringify({ version: CHECK_VERSION, ok, findings: lines }, null, 2))}\n`;
}

/** Checks the configuration against Okta and Grafana, and says what was seen and what to do. */
export async function check(file: string, { format }: CheckOptions, io: Io): Promise<number> {
  const loaded = await load(file, io);
  const { level } = loaded.config.logging;
  const context = createContext(loaded, io, {
    ...loggingFor(io),
    ...(level === "DEBUG" ? {} : { level: "ERROR" as const }),
  });
  for (const warning of loaded.warnings) io.terminal.note(`Warning: ${warning}\n`);
  const findings: Finding[] = [];
  const isShort = loaded.config.sync.mappings.length > MOST_MAPPINGS;
  const show = (text: string) => {
    io.terminal.progress("");
    if (format === "text") io.terminal.print(text);
    io.terminal.progress("Checking …");
  };
  try {
    for (const look of [checkOkta, checkGrafana]) {
      const fine: Finding[] = [];
      // Somebody is waiting for the answer: little time between the attempts.
      for await (const finding of look(loaded.config, { ...context, random: () => 0.1 })) {
        findings.push(finding);
        if (isShort && kindOf(finding)) fine.push(finding);
        else show(formatFinding(finding, io.terminal.hasColour));
      }
      show(formatFine(fine, io.terminal.hasColour));
    }
    io.terminal.progress("");
    io.terminal.print(format === "json" ? formatJson(findings) : formatSum(findings));
    return findings.some(({ result }) => result === "failed") ? STATUS.failed : STATUS.fine;
  } catch (error) {
    const signal = context.shutdown.received();
    if (isRequestError(error, "interrupted") && signal) {
      io.terminal.note("Interrupted before all checks were done.\n");
      return SIGNAL_STATUS[signal];
    }
    throw error;
  } finally {
    context.release();
  }
}
