/** What happens to the service: its state and metrics are derived from these. */
import type { Mapping } from "../config/schema.ts";
import type { Exchange, RateLimit } from "../observability/api_metrics.ts";
import type { AuditLine } from "../observability/audit.ts";
import type { CycleReport, MappingReport } from "../sync/tell/report.ts";

/** A moment, by both clocks. */
export interface Moment {
  /** The wall clock, in epoch milliseconds; only shown. */
  readonly at: number;
  /** Milliseconds that no setting of the clock moves: what the state follows from. */
  readonly monotonic: number;
}

/** The part of the configuration that the service shows. */
export interface Settings {
  readonly intervalSeconds: number;
  readonly dryRun: boolean;
  /** Whether the status names people. */
  readonly showUsers: boolean;
}

/** Something that happens, before its time is noted. */
export type News =
  /** These mappings are synced from now on, and no others. */
  | { readonly kind: "configured"; readonly mappings: readonly Mapping[]; readonly settings: Settings }
  | { readonly kind: "mapping ended"; readonly report: MappingReport }
  /** A cycle came to its end; what a shutdown interrupts does not. */
  | { readonly kind: "cycle ended"; readonly report: CycleReport }
  /** An error of our own ended a cycle early: nothing is known to be synced. */
  | { readonly kind: "cycle aborted" }
  /** When the next cycle is due, by the monotonic clock. */
  | { readonly kind: "next cycle"; readonly due: number }
  /** A request was answered, or failed. */
  | { readonly kind: "exchange"; readonly exchange: Exchange }
  | { readonly kind: "rate limit"; readonly limit: RateLimit }
  /** A request waits from now on for the rate limit of a service. */
  | { readonly kind: "wait"; readonly service: string; readonly seconds: number }
  /** An answer was received or a wait announced: the program is alive. */
  | { readonly kind: "progress" }
  /** What keeps a credential from being renewed; `undefined` once it was. */
  | { readonly kind: "credential"; readonly problem: string | undefined }
  | { readonly kind: "audit line"; readonly line: AuditLine }
  /** A line of the log was written, or is lost. */
  | { readonly kind: "log line"; readonly isWritten: boolean; readonly isAudit: boolean };

/** Something that happened, and when. */
export type Happening = News & Moment;
