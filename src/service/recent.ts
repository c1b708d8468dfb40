/** The last audit lines of this process, for the status page; and whether they reached the log. */
import type { AuditLine } from "../observability/audit.ts";

/** So many are kept. */
export const MOST_RECENT = 200;

/** Remembers the last audit lines. */
export interface Recent {
  add(line: AuditLine): void;
  /** The newest last. */
  lines(): readonly AuditLine[];
  /** Notes whether a line of the log was written, and whether it is one of the audit. */
  written(isWritten: boolean, isAudit: boolean): void;
  /** How many lines of the audit could not be written. */
  lost(): number;
  /** Why somebody should look at the log; `undefined` while its lines are written. */
  problem(): string | undefined;
}

/** Remembers nothing yet. */
export function createRecent(): Recent {
  const lines: AuditLine[] = [];
  let lost = 0;
  let isLosing = false;
  return {
    add(line) {
      lines.push(line);
      if (lines.length > MOST_RECENT) lines.shift();
    },
    lines: () => lines,
    written(isWritten, isAudit) {
      isLosing = !isWritten;
      if (!isWritten && isAudit) lost++;
    },
    lost: () => lost,
    problem() {
      if (!isLosing) return undefined;
      const lines = lost === 1 ? "1 line" : `${lost} lines`;
      return `the log cannot be written to standard error, and ${lines} of the audit ${
        lost === 1 ? "is" : "are"
      } lost: free space on its disk`;
    },
  };
}
