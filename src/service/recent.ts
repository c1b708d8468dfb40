/** The last audit lines of this process, for the status page. */
import type { AuditLine } from "../observability/audit.ts";

/** So many are kept. */
export const MOST_RECENT = 200;

/** Remembers the last audit lines. */
export interface Recent {
  add(line: AuditLine): void;
  /** The newest last. */
  lines(): readonly AuditLine[];
}

/** Remembers nothing yet. */
export function createRecent(): Recent {
  const lines: AuditLine[] = [];
  return {
    add(line) {
      lines.push(line);
      if (lines.length > MOST_RECENT) lines.shift();
    },
    lines: () => lines,
  };
}
