/** The configuration: every setting, its type, its default and its limits, in one zod schema. */
import * as z from "zod";
import { always, boolean, integer, isLoopback, name, oneOf, protects, secret, text } from "./fields.ts";
import { grafana } from "./grafana.ts";
import { oauth, okta } from "./okta.ts";

export { DEFAULT_MEMBER_STATUSES, DEFAULT_SCOPES, OKTA_USER_STATUSES, type OktaUserStatus } from "./okta.ts";

/** The log levels, by their names in Python's `logging`. */
export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;

/** A log level's name. */
export type LogLevelName = (typeof LOG_LEVELS)[number];

/** What may be done to a team. */
export const POLICIES = ["sync", "add-only"] as const;

const policy = oneOf(POLICIES, (value) => value.toLowerCase());

const removalLimitFields = z.strictObject({
  percent: protects(integer(0, 100, "a whole percentage from 0 to 100").optional()),
  min_team_size: protects(integer(0, 1_000_000, "a whole number of members").optional()),
}, "off, or percent and min_team_size");
const removalLimit = z.preprocess(
  (value) =>
    value === false || (typeof value === "string" && /^(?:off|no|false)$/i.test(value)) ? "off" : value,
  z.union([z.literal("off"), removalLimitFields], "off, or percent and min_team_size"),
);

/** Removals beyond this share of a team are put on hold; `off` means no limit. */
export type RemovalLimit =
  | "off"
  | {
    /** Of the team's members before the cycle. */
    readonly percent: number;
    /** Smaller teams have no limit. */
    readonly min_team_size: number;
  };

/** The default limit. */
export const DEFAULT_REMOVAL_LIMIT = { percent: 50, min_team_size: 5 } as const satisfies RemovalLimit;

/** Completes a limit with `fallback`, or with the defaults where that is off. */
function completeLimit(
  limit: z.output<typeof removalLimit> | undefined,
  fallback: RemovalLimit,
): RemovalLimit {
  if (limit === undefined || limit === "off") return limit ?? fallback;
  const { percent, min_team_size } = fallback === "off" ? DEFAULT_REMOVAL_LIMIT : fallback;
  return { percent: limit.percent ?? percent, min_team_size: limit.min_team_size ?? min_team_size };
}

const mapping = z.strictObject({
  okta_group: name.optional(),
  okta_group_id: protects(
    z.string("an id in quotes")
      .regex(/^[A-Za-z0-9]+$/, "the id of an Okta group, such as 00g1emaKYZTWRYYRRTSK")
      .optional(),
  ),
  grafana_team: name,
  allow_empty: protects(boolean.default(false)),
  policy: protects(policy.optional()),
  removal_limit: protects(removalLimit.optional()),
}, "an okta_group and a grafana_team");

const sync = z.strictObject({
  interval_seconds: integer(60, 31_536_000, "a whole number of seconds, from 60 to 31536000 (a year)")
    .default(300),
  dry_run: protects(boolean.default(false)),
  /** Whether cycles between two full ones ask only for what changed. */
  incremental: boolean.default(true),
  full_refresh_seconds: integer(60, 86_400, "a whole number of seconds, from 60 to 86400").default(900),
  policy: protects(policy.default("sync")),
  removal_limit: protects(removalLimit.default(DEFAULT_REMOVAL_LIMIT)),
  protected_users: protects(z.array(text, "a list of emails and logins").default([])),
  keep_team_admins: protects(boolean.default(false)),
  mappings: z.array(
    mapping.refine((value) => value?.okta_group ?? value?.okta_group_id, {
      ...always,
      path: ["okta_group"],
      error: "a name in quotes, or an okta_group_id",
    }),
    "a list of mappings",
  ).min(1, "at least one mapping"),
}, "settings");

/** Every mapping with what holds for it: its own settings, or those of `sync`. */
const syncWithDefaults = sync.transform((settings) => {
  const removal_limit = completeLimit(settings.removal_limit, DEFAULT_REMOVAL_LIMIT);
  return {
    ...settings,
    removal_limit,
    mappings: settings.mappings.map((own) => ({
      /** What the group is called in logs and metrics; it finds the group unless there is an id. */
      okta_group: own.okta_group ?? own.okta_group_id ?? "",
      okta_group_id: own.okta_group_id,
      grafana_team: own.grafana_team,
      allow_empty: own.allow_empty,
      policy: own.policy ?? settings.policy,
      removal_limit: completeLimit(own.removal_limit, removal_limit),
    })),
  };
});

const logging = z.strictObject({
  level: oneOf(LOG_LEVELS, (value) => value.toUpperCase()).default("INFO"),
  format: oneOf(["json", "text"], (value) => value.toLowerCase()).default("json"),
}, "settings");

/** What a bearer token is made of. @see RFC 6750 2.1 */
const TOKEN = "a token of at least 16 characters: letters, digits and -._~+/";

const metrics = z.strictObject({
  enabled: boolean.default(false),
  port: integer(1, 65_535, "a port number from 1 to 65535").default(8000),
  /** Without the brackets of a URL. An empty one means every address, as for Python's servers. */
  host: z.string("a string").transform((value) => value.trim().replace(/^\[(.*)\]$/, "$1") || "0.0.0.0")
    .default("0.0.0.0"),
  /** Required for every path but `/health` and `/ready`. */
  token: protects(
    secret(TOKEN).refine((value) => /^[\w.~+/-]{16,}=*$/.test(value.reveal()), TOKEN).optional(),
  ),
  status_page: boolean.default(true),
  /** Whether people's addresses are shown; by default only where not everybody can look. */
  show_users: protects(boolean.optional()),
}, "settings").transform(({ show_users, ...settings }) => ({
  ...settings,
  show_users: show_users ?? (settings.token !== undefined || isLoopback(settings.host)),
}));

/** The schema of `config.yaml`, with environment variables overriding it. */
export const configSchema = z.strictObject({
  okta: okta.prefault({} as z.input<typeof okta>),
  grafana: grafana.prefault({} as z.input<typeof grafana>),
  sync: syncWithDefaults.prefault({} as z.input<typeof sync>),
  logging: logging.prefault({}),
  metrics: metrics.prefault({}),
});

/** A checked configuration. Names are those of the file. */
export type Config = z.output<typeof configSchema>;

/** One line of `sync.mappings`: the members of an Okta group belong into a Grafana team. */
export type Mapping = Config["sync"]["mappings"][number];

/** The settings of each section, by its path. The sections themselves are under `""`. */
const SECTIONS: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  "": configSchema.shape,
  okta: okta.shape,
  "okta.oauth": oauth.shape,
  grafana: grafana.shape,
  sync: sync.shape,
  "sync.removal_limit": removalLimitFields.shape,
  "sync.mappings[]": mapping.shape,
  "sync.mappings[].removal_limit": removalLimitFields.shape,
  logging: logging.shape,
  metrics: metrics.in.shape,
};

/** The names of the settings in each section, for suggestions. */
export const SETTINGS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(SECTIONS).map(([section, settings]) => [section, Object.keys(settings)]),
);

/** A setting that fails closed, by its path with `[]` for every index, and what it is where nobody sets it. */
export const PROTECTING: ReadonlyMap<string, unknown> = new Map(
  Object.entries(SECTIONS).flatMap(([section, settings]) =>
    Object.entries(settings).filter(([, type]) => type.meta()?.protects)
      .map(([key, type]) => [`${section}.${key}`, type.safeParse(undefined).data] as const)
  ),
);
