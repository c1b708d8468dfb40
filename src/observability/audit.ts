/**
 * The audit lines of the log: one for each write to Grafana, and one for each that a dry run would make, that is
 * on hold, or that failed. `docs/AUDIT.md` is their schema.
 */

/** The version of the schema. It rises when a field changes its meaning or goes away. */
export const AUDIT_VERSION = 1;

/** What is, or would be, written. */
export const AUDIT_ACTIONS = [
  "add",
  "remove",
  "create_team",
  "create_user",
  "join_organisation",
  "leave_organisation",
  "set_role",
] as const;

/** What came of it. */
export const AUDIT_OUTCOMES = [
  "done",
  /** It was so already: by a request whose answer was lost, or by someone else. */
  "found",
  /** A dry run would do it. */
  "planned",
  /** It is not done, for safety. */
  "on_hold",
  "failed",
] as const;

/** What is, or would be, written. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What came of a write. */
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** The fields that make a log line one of the audit. */
export interface AuditMark {
  readonly audit: typeof AUDIT_VERSION;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
}

/** An audit line as logged. */
export interface AuditLine extends AuditMark {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Tells the cycles of one process from those of another. */
  readonly run: string;
  readonly cycle: number;
  readonly grafana_team: string;
  /** The group on which it is counted. */
  readonly okta_group?: string;
  /** The person affected: their email, or their login if they have none. */
  readonly user?: string;
  readonly why?: string;
}

/** Marks a log line as one of the audit. */
export function audit(action: AuditAction, outcome: AuditOutcome): AuditMark {
  return { audit: AUDIT_VERSION, action, outcome };
}
