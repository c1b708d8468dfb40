/** How the service names things. */
import type { Mapping } from "../config/schema.ts";

/** `Okta` or `Grafana`, by the label that metrics have. */
export function serviceName(service: string): string {
  return service === "okta" ? "Okta" : "Grafana";
}

/** `Engineering->Engineers` */
export function mappingName(
  { okta_group, grafana_team }: Pick<Mapping, "okta_group" | "grafana_team">,
): string {
  return `${okta_group}->${grafana_team}`;
}
