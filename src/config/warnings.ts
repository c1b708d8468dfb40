/** Warnings about a configuration that can be used. */
import { type Environment, OVERRIDES } from "./environment.ts";
import { isMap } from "./expand.ts";
import { isLoopback } from "./fields.ts";
import { type Config, type Mapping, PROTECTING } from "./schema.ts";

/** The value at a path of keys in a parsed document. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => isMap(value) ? value[key] : undefined, document);
}

/** The paths of credentials written in the document itself, not in a variable. */
export function literalCredentials(document: unknown): string[] {
  return OVERRIDES.filter(({ path, secret }) => {
    const value = valueAt(document, path);
    return secret && typeof value === "string" && value !== "" && !value.includes("${");
  }).map(({ path }) => path.join("."));
}

/** Empty variables of settings that protect, where nothing else sets the value. */
export function emptyVariables(settings: unknown, environment: Environment, { metrics }: Config): string[] {
  return OVERRIDES.filter(({ path }) =>
    PROTECTING.has(path.join(".")) && valueAt(settings, path) === undefined &&
    (path[0] !== "metrics" || metrics.enabled)
  ).flatMap(({ variable, path }) => {
    const name = [variable, `${variable}_FILE`].find((one) => environment[one] === "");
    return name ? [`${name} is empty, which counts as unset: ${path.join(".")} keeps its default`] : [];
  });
}

/** Warnings about the addresses; `settings` are those that became `config`. */
export function oddAddresses(settings: unknown, { okta, grafana }: Config): string[] {
  const said: string[] = [];
  const { protocol, hostname } = new URL(grafana.url);
  if (protocol === "http:" && !isLoopback(hostname)) {
    said.push(
      "grafana.url: http:// sends Grafana's credential unencrypted; use https://, unless you trust every network " +
        "between gots and Grafana",
    );
  }
  const domain = new URL(okta.domain).hostname;
  if (String(valueAt(settings, ["okta", "domain"])).includes("-admin.") && !domain.includes("-admin.")) {
    said.push(`okta.domain: this is the address of the admin console; gots uses ${domain}, without -admin`);
  }
  return said;
}

/** Logs and metrics identify a mapping by its group and team: equal ones count once. */
export function mergeSameMappings(
  mappings: readonly Mapping[],
  warnings: string[],
  problems: string[],
): Mapping[] {
  const seen = new Map<string, Mapping>();
  for (const [i, mapping] of mappings.entries()) {
    const key = JSON.stringify([mapping.okta_group, mapping.grafana_team]);
    const same = seen.get(key);
    if (same && JSON.stringify(same) !== JSON.stringify(mapping)) {
      problems.push(
        `sync.mappings[${i}]: '${mapping.okta_group}' -> '${mapping.grafana_team}' appears earlier with different ` +
          "settings; keep one of them, or use a different name for each if their okta_group_id differs",
      );
    } else if (same) {
      warnings.push(
        `sync.mappings[${i}]: '${mapping.okta_group}' -> '${mapping.grafana_team}' appears twice; remove one of them`,
      );
    } else seen.set(key, mapping);
  }
  return [...seen.values()];
}
