/** What GOTS's users have today works as it is: the contract of the drop-in replacement, line by line. */
import { assertEquals } from "@std/assert";
import { textFormatter } from "../../src/observability/log.ts";
import { toldService } from "../service/fixtures.ts";
import { directoryWith, mapping } from "../support.ts";
import { documentWith, load, MAPPINGS, settingOf, type World } from "./world.ts";

/** A line of the contract: what it says, what happens, what is expected. */
type Line = readonly [says: string, happens: () => unknown, expected: unknown];

/** GOTS's settings, all of them, each unlike its default. */
const FULL = `okta:
  domain: company.okta.com
  auth_method: oauth
  api_token: 00file
  oauth:
    client_id: 0oafile
    client_secret: file-secret
    scopes:
      - okta.groups.read
grafana:
  url: https://grafana.example.com
  api_key: glsa_file
sync:
  interval_seconds: 600
  dry_run: true
  mappings:
    - okta_group: Engineering
      grafana_team: Engineers
logging:
  level: DEBUG
  format: text
metrics:
  enabled: true
  port: 9000
  host: 127.0.0.1
`;

const setting = (path: string, document: string, world: World = {}) => async () =>
  settingOf((await load(document, world)).config, path);

const inFile: readonly Line[] = ([
  ["okta.domain", "https://company.okta.com"],
  ["okta.auth_method", "oauth"],
  ["okta.api_token", "00file"],
  ["okta.oauth.client_id", "0oafile"],
  ["okta.oauth.client_secret", "file-secret"],
  ["okta.oauth.scopes", ["okta.groups.read"]],
  ["grafana.url", "https://grafana.example.com"],
  ["grafana.api_key", "glsa_file"],
  ["sync.interval_seconds", 600],
  ["sync.dry_run", true],
  ["sync.mappings.0.okta_group", "Engineering"],
  ["sync.mappings.0.grafana_team", "Engineers"],
  ["logging.level", "DEBUG"],
  ["logging.format", "text"],
  ["metrics.enabled", true],
  ["metrics.port", 9000],
  ["metrics.host", "127.0.0.1"],
] as const).map(([path, value]) => [`${path} is read from the file`, setting(path, FULL), value]);

const defaults: readonly Line[] = ([
  ["okta.auth_method", "api_token"],
  ["okta.oauth.scopes", ["okta.groups.read", "okta.users.read"]],
  ["sync.interval_seconds", 300],
  ["sync.dry_run", false],
  ["logging.level", "INFO"],
  ["logging.format", "json"],
  ["metrics.enabled", false],
  ["metrics.port", 8000],
  ["metrics.host", "0.0.0.0"],
] as const).map(([path, value]) => [`${path} has a default`, setting(path, documentWith()), value]);

const OVERRIDES = [
  ["OKTA_DOMAIN", "other.okta.com", "okta.domain", "https://other.okta.com"],
  ["OKTA_AUTH_METHOD", "api_token", "okta.auth_method", "api_token"],
  ["OKTA_API_TOKEN", "00env", "okta.api_token", "00env"],
  ["OKTA_CLIENT_ID", "0oaenv", "okta.oauth.client_id", "0oaenv"],
  ["OKTA_CLIENT_SECRET", "env-secret", "okta.oauth.client_secret", "env-secret"],
  ["OKTA_SCOPES", "okta.users.read", "okta.oauth.scopes", ["okta.users.read"]],
  ["GRAFANA_URL", "https://other.example.com/g", "grafana.url", "https://other.example.com/g"],
  ["GRAFANA_API_KEY", "glsa_env", "grafana.api_key", "glsa_env"],
  ["SYNC_INTERVAL_SECONDS", "120", "sync.interval_seconds", 120],
  ["SYNC_DRY_RUN", "false", "sync.dry_run", false],
  ["LOG_LEVEL", "critical", "logging.level", "CRITICAL"],
  ["LOG_FORMAT", "json", "logging.format", "json"],
  ["METRICS_ENABLED", "false", "metrics.enabled", false],
  ["METRICS_PORT", "9100", "metrics.port", 9100],
  ["METRICS_HOST", "::", "metrics.host", "::"],
] as const;

const overrides: readonly Line[] = OVERRIDES.flatMap(([variable, text, path, value]): Line[] => [
  [`${variable} overrides ${path}`, setting(path, FULL, { environment: { [variable]: text } }), value],
  [
    `an empty ${variable} counts as unset`,
    async () => {
      const config = (await load(FULL, { environment: { [variable]: "" } })).config;
      return JSON.stringify(settingOf(config, path)) ===
        JSON.stringify(settingOf((await load(FULL)).config, path));
    },
    true,
  ],
]);

const secretFiles: readonly Line[] = ([
  ["OKTA_API_TOKEN", "okta.api_token"],
  ["OKTA_CLIENT_SECRET", "okta.oauth.client_secret"],
  ["GRAFANA_API_KEY", "grafana.api_key"],
] as const).map(([variable, path]) => [
  `${variable}_FILE points to the file of ${path}`,
  setting(path, FULL, {
    environment: { [`${variable}_FILE`]: "/run/secrets/it" },
    files: { "/run/secrets/it": "from a#file\n" },
  }),
  "from a#file",
]);

const booleans: readonly Line[] = [
  ...["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "1", '"true"', '"Yes"', '"1"'].map((
    spelling,
  ) => [spelling, true] as const),
  ...["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "0", '"false"', '"No"', '"0"'].map((
    spelling,
  ) => [spelling, false] as const),
].flatMap(([spelling, value]): Line[] => {
  const environment = { X: spelling.replaceAll('"', ""), SYNC_DRY_RUN: spelling.replaceAll('"', "") };
  return [
    [
      `dry_run: ${spelling} is ${value}`,
      setting("sync.dry_run", documentWith({ sync: `{ ${MAPPINGS}, dry_run: ${spelling} }` })),
      value,
    ],
    [
      `${spelling} is ${value} in the environment`,
      setting("sync.dry_run", documentWith(), { environment }),
      value,
    ],
    [
      `${spelling} is ${value} behind \${VAR}`,
      setting("metrics.enabled", documentWith({ metrics: "\n  enabled: ${X}" }), { environment }),
      value,
    ],
  ];
});

const numbers: readonly Line[] = ["60", '"60"', "'60'", "${X}", '"${X}"', "${UNSET:-60}"].map((spelling) => [
  `interval_seconds: ${spelling} is 60`,
  setting(
    "sync.interval_seconds",
    documentWith({ sync: `\n  ${MAPPINGS}\n  interval_seconds: ${spelling}` }),
    {
      environment: { X: "60" },
    },
  ),
  60,
]);

const scopes: readonly Line[] = ["a,b", "a b", "a, b", " a ,, b ", "a\nb"].map((text) => [
  `OKTA_SCOPES=${JSON.stringify(text)} is split`,
  setting("okta.oauth.scopes", documentWith(), { environment: { OKTA_SCOPES: text } }),
  ["a", "b"],
]);

const oktaWith = (token: string) =>
  documentWith({ okta: `\n  domain: company.okta.com\n  api_token: ${token}` });
const variables: readonly Line[] = [
  ["${VAR} is expanded", setting("okta.api_token", oktaWith("${T}"), { environment: { T: "00x" } }), "00x"],
  [
    "${VAR} is expanded inside a value",
    setting("grafana.url", documentWith({ grafana: "\n  url: https://${H}/g\n  api_key: k" }), {
      environment: { H: "h.example.com" },
    }),
    "https://h.example.com/g",
  ],
  [
    "${VAR} is expanded in a mapping",
    setting(
      "sync.mappings.0.okta_group",
      documentWith({ sync: "\n  mappings:\n  - okta_group: ${G}\n    grafana_team: T" }),
      { environment: { G: "yes: {no}" } },
    ),
    "yes: {no}",
  ],
  ["${VAR:-default} has a default", setting("okta.api_token", oktaWith("${T:-00d}")), "00d"],
  [
    "an unset ${VAR} is no error if the environment supplies the setting",
    setting("okta.api_token", oktaWith("${T}"), { environment: { OKTA_API_TOKEN: "00env" } }),
    "00env",
  ],
  [
    "an unset ${VAR} is no error if a file supplies the setting",
    setting("okta.api_token", oktaWith("${T}"), {
      environment: { OKTA_API_TOKEN_FILE: "t" },
      files: { t: "00f" },
    }),
    "00f",
  ],
  [
    "an unset ${VAR} leaves an optional setting at its default",
    setting("logging.level", documentWith({ logging: "\n  level: ${L}" })),
    "INFO",
  ],
];

const dotenv: readonly Line[] = [
  [
    ".env overrides the file, and a # in a value stays",
    setting("okta.api_token", FULL, { files: { ".env": "OKTA_API_TOKEN=00a#b # comment" } }),
    "00a#b",
  ],
  [
    "the real environment wins over .env",
    setting("okta.api_token", FULL, {
      environment: { OKTA_API_TOKEN: "00real" },
      files: { ".env": "OKTA_API_TOKEN=00dotenv" },
    }),
    "00real",
  ],
  [
    ".env feeds the file's ${VAR}",
    setting("okta.api_token", oktaWith("${T}"), { files: { ".env": "T=00dotenv" } }),
    "00dotenv",
  ],
  [
    "an empty variable in .env counts as unset",
    setting("okta.api_token", FULL, { files: { ".env": "OKTA_API_TOKEN=" } }),
    "00file",
  ],
  ["there may be no .env", setting("okta.api_token", FULL), "00file"],
];

const levels: readonly Line[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"].map((level) => [
  `LOG_LEVEL=${level.toLowerCase()} is ${level}`,
  setting("logging.level", documentWith(), { environment: { LOG_LEVEL: level.toLowerCase() } }),
  level,
]);

const certificates: readonly Line[] = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"].map((variable) => [
  `${variable} names further authorities`,
  async () => {
    const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    const directory = await directoryWith({ "ca.pem": pem });
    const { authorities } = await load(FULL, { environment: { [variable]: `${directory}/ca.pem` } });
    await Deno.remove(directory, { recursive: true });
    return authorities.both.map((text) => text === pem);
  },
  [true],
]);

const metrics: readonly Line[] = ([
  ["gots_sync_duration_seconds", "histogram"],
  ["gots_users_added_total", "counter"],
  ["gots_users_removed_total", "counter"],
  ["gots_sync_errors_total", "counter"],
  ["gots_last_sync_timestamp", "gauge"],
  ["gots_last_sync_success", "gauge"],
] as const).map(([name, type]) => [
  `${name} is a ${type} with the labels okta_group and grafana_team`,
  async () => {
    const { metrics } = toldService([mapping("Engineering", "Engineers")]);
    const text = await metrics.registry.metrics();
    const series = name + (type === "histogram" ? "_count" : "");
    return text.split("\n").filter((line) =>
      line === `# TYPE ${name} ${type}` ||
      line === `${series}{okta_group="Engineering",grafana_team="Engineers"} 0`
    ).length;
  },
  2,
]);

const log: readonly Line[] = [[
  "a text log line is `time - level - message`",
  () =>
    textFormatter({
      category: ["gots"],
      level: "info",
      message: ["Starting sync: ", "Engineering", " -> ", "Engineers"],
      rawMessage: "",
      timestamp: Date.UTC(2025, 0, 20, 10),
      properties: {},
    }),
  "2025-01-20 10:00:00 - INFO - Starting sync: Engineering -> Engineers\n",
]];

const contract: readonly Line[] = [
  ...[inFile, defaults, overrides, secretFiles, booleans, numbers, scopes, variables, dotenv, levels].flat(),
  ...[certificates, metrics, log].flat(),
];

for (const [says, happens, expected] of contract) {
  Deno.test(`contract: ${says}`, async () => assertEquals(await happens(), expected));
}
