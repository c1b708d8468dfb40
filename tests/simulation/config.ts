/** The configuration that leads to a simulated world. */
import { type Config, configSchema } from "../../src/config/schema.ts";
import type { World } from "../../src/simulation/world.ts";

/** The checked configuration of a world, with settings of its sections laid over it. */
export function configOf(
  { environment }: World,
  { okta = {}, grafana = {}, sync = {} }: {
    readonly okta?: Readonly<Record<string, unknown>>;
    readonly grafana?: Readonly<Record<string, unknown>>;
    readonly sync?: Readonly<Record<string, unknown>>;
  } = {},
): Config {
  return configSchema.parse({
    okta: { domain: environment.OKTA_DOMAIN, api_token: environment.OKTA_API_TOKEN, ...okta },
    grafana: { url: environment.GRAFANA_URL, api_key: environment.GRAFANA_API_KEY, ...grafana },
    sync: { mappings: [{ okta_group: "Engineering", grafana_team: "Engineers" }], ...sync },
  });
}
