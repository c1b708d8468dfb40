/** The environment variables that override settings of the file. */

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable, the setting that it overrides, and whether it holds a credential. */
export interface Override {
  readonly variable: string;
  readonly path: readonly [string, ...string[]];
  /** A credential can also come from the file that `<variable>_FILE` names. */
  readonly secret?: boolean;
}

/** Every override, in the order of the file's sections. */
export const OVERRIDES: readonly Override[] = [
  { variable: "OKTA_DOMAIN", path: ["okta", "domain"] },
  { variable: "OKTA_AUTH_METHOD", path: ["okta", "auth_method"] },
  { variable: "OKTA_API_TOKEN", path: ["okta", "api_token"], secret: true },
  { variable: "OKTA_CLIENT_ID", path: ["okta", "oauth", "client_id"] },
  { variable: "OKTA_CLIENT_SECRET", path: ["okta", "oauth", "client_secret"], secret: true },
  { variable: "OKTA_PRIVATE_KEY", path: ["okta", "oauth", "private_key"], secret: true },
  { variable: "OKTA_PRIVATE_KEY_PATH", path: ["okta", "oauth", "private_key_path"] },
  { variable: "OKTA_KEY_ID", path: ["okta", "oauth", "key_id"] },
  { variable: "OKTA_SCOPES", path: ["okta", "oauth", "scopes"] },
  { variable: "GRAFANA_URL", path: ["grafana", "url"] },
  { variable: "GRAFANA_API_KEY", path: ["grafana", "api_key"], secret: true },
  { variable: "GRAFANA_USERNAME", path: ["grafana", "username"] },
  { variable: "GRAFANA_PASSWORD", path: ["grafana", "password"], secret: true },
  { variable: "SYNC_INTERVAL_SECONDS", path: ["sync", "interval_seconds"] },
  { variable: "SYNC_DRY_RUN", path: ["sync", "dry_run"] },
  { variable: "LOG_LEVEL", path: ["logging", "level"] },
  { variable: "LOG_FORMAT", path: ["logging", "format"] },
  { variable: "METRICS_ENABLED", path: ["metrics", "enabled"] },
  { variable: "METRICS_PORT", path: ["metrics", "port"] },
  { variable: "METRICS_HOST", path: ["metrics", "host"] },
  { variable: "METRICS_TOKEN", path: ["metrics", "token"], secret: true },
];

/** The override of a setting, by its written path. */
export function overrideOf(path: string): Override | undefined {
  return OVERRIDES.find((override) => override.path.join(".") === path);
}
