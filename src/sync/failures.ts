/** What keeps mappings from being synced: told once for all that it concerns. */
import type { Mapping } from "../config/schema.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";
import type { MappingReport } from "./report.ts";
import { fieldsOf } from "./tell.ts";

/** A mapping that could not be synced in this cycle, and why. */
export interface Failure {
  readonly mapping: Mapping;
  readonly error: unknown;
}

/** So many mappings are named in a line. */
const MOST_NAMED = 3;

/** What failures have in common that are one: the service that refuses everything, or else the message. */
function causeOf({ error }: Failure): string {
  const cause = error instanceof Error && isRequestError(error.cause) ? error.cause : error;
  return isRequestError(cause, "unauthorized", "unreachable", "certificate")
    ? `${cause.service} ${cause.kind}`
    : errorMessage(error);
}

/** Counts what kept a mapping from being synced, and notes it until it is told. */
export function failMapping(
  mapping: Mapping,
  report: MappingReport,
  error: unknown,
  failures: Failure[],
): void {
  report.errors.push({ message: errorMessage(error) });
  failures.push({ mapping, error });
}

/** Tells what kept mappings from being synced: a line for each cause, however many mappings it concerns. */
export function tellFailures(failures: readonly Failure[], log: Logger): void {
  for (const group of Map.groupBy(failures, causeOf).values()) {
    const names = group.map(({ mapping: { okta_group, grafana_team } }) =>
      `${okta_group} -> ${grafana_team}`
    );
    const more = names.length > MOST_NAMED ? " and others" : "";
    const [first, ...others] = group;
    const which = others.length === 0 && first ? fieldsOf(first.mapping) : { mappings: group.length };
    log.error("Sync failed for {_which}: {_error}", {
      ...which,
      _which: others.length === 0
        ? names[0]
        : `${names.length} mappings (${names.slice(0, MOST_NAMED).join(", ")}${more})`,
      _error: errorMessage(first?.error),
    });
  }
}
