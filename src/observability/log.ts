/** The log: GOTS's text lines, or one JSON object a line; in UTC, on standard error. */
import {
  compareLogLevel,
  configureSync,
  getLevelFilter,
  getLogger,
  type Logger,
  type LogLevel,
  type LogRecord,
  sanitizeControlSequences,
  type Sink,
  type TextFormatter,
  withFilter,
} from "@logtape/logtape";
import type { LogLevelName } from "../config/schema.ts";
import { AUDIT_VERSION, type AuditLine } from "./audit.ts";

export type { Logger };

/** How the log looks and where it goes. */
export interface LogOptions {
  readonly level: LogLevelName;
  readonly format: "json" | "text";
  /** Takes each finished line, its newline included; `false` if it could not be written. */
  readonly write: (line: string) => unknown;
  /** Told of each line whether it was written, and whether it is one of the audit. */
  readonly onWritten?: ((isWritten: boolean, isAudit: boolean) => void) | undefined;
  /** Told of each audit line, also where the level leaves it out. */
  readonly onAudit?: ((line: AuditLine) => void) | undefined;
}

const NAMES: Readonly<Record<LogLevel, LogLevelName>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warning: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

const LEVELS: Readonly<Record<LogLevelName, LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
};

/** What moves a terminal, turns the direction of what follows, or cannot be seen. @see https://www.unicode.org/reports/tr9/ */
const UNPRINTABLE = /(?![\u200c\u200d])[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes what cannot be seen or moves a terminal, as JSON does: a JSON text stays the same value. The joiners
 * that scripts and emoji need stay.
 */
export function escapeUnprintable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) =>
      character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

/** Makes a text of unknown origin safe for one line of a terminal or a log: nothing in it moves, colours or breaks. */
export function plainLine(text: string): string {
  return escapeUnprintable(sanitizeControlSequences(text, { sgr: "escape", newlines: "escape" }));
}

function message(record: LogRecord): string {
  return record.message.map(String).join("");
}

/** `2025-01-20 10:00:00 - INFO - Starting sync: Engineering -> Engineers` */
export const textFormatter: TextFormatter = (record) => {
  const time = new Date(record.timestamp).toISOString().slice(0, 19).replace("T", " ");
  return `${time} - ${NAMES[record.level]} - ${plainLine(message(record))}\n`;
};

/** A field whose name begins so only completes the sentence: it is in the message, and not beside it. */
const WORDS_ONLY = "_";

/** What a line says besides its message. */
function fieldsOf(properties: LogRecord["properties"]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !name.startsWith(WORDS_ONLY)));
}

/** `{"timestamp":"2025-01-20T10:00:00.000Z","level":"INFO","message":"…","okta_group":"…"}` */
export const jsonFormatter: TextFormatter = (record) => {
  const timestamp = new Date(record.timestamp).toISOString();
  const own = { timestamp, level: NAMES[record.level], message: message(record) };
  return `${escapeUnprintable(JSON.stringify({ ...own, ...fieldsOf(record.properties), ...own }))}\n`;
};

/** Whether the properties of a line are those of the audit. */
function isAudit(fields: Record<string, unknown>): fields is Omit<AuditLine, "timestamp"> {
  return fields.audit === AUDIT_VERSION;
}

/** Hands audit lines on. */
function auditSink(onAudit: (line: AuditLine) => void): Sink {
  return ({ timestamp, properties }) => {
    const fields = fieldsOf(properties);
    if (isAudit(fields)) onAudit({ ...fields, timestamp });
  };
}

/** Sets up the log of this process and gives it. */
export function createLog({ level, format, write, onAudit, onWritten }: LogOptions): Logger {
  const formatter = format === "json" ? jsonFormatter : textFormatter;
  const lines = withFilter((record) => {
    const isWritten = write(formatter(record)) !== false;
    onWritten?.(isWritten, isAudit(record.properties));
  }, getLevelFilter(LEVELS[level]));
  configureSync({
    reset: true,
    sinks: { lines, audit: auditSink(onAudit ?? (() => {})) },
    loggers: [
      {
        category: "gots",
        lowestLevel: onAudit && compareLogLevel(LEVELS[level], "info") > 0 ? "info" : LEVELS[level],
        sinks: onAudit ? ["lines", "audit"] : ["lines"],
      },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
  return getLogger("gots");
}
