/** Whole configurations as they are in use with GOTS: `gots validate` accepts each, and reads it as GOTS does. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { runMain } from "../cli/world.ts";
import { directoryWith, run } from "../support.ts";
import { documentWith, load, MAPPINGS, settingOf } from "./world.ts";

/** A configuration, what stands around it, and what it amounts to. */
interface Configuration {
  readonly document: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The text of `.env`. */
  readonly dotenv?: string;
  /** `group -> team`, where it is not the one of {@linkcode MAPPINGS}. */
  readonly mappings?: readonly string[];
  /** Settings by path. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What `gots validate` warns of, on standard error. */
  readonly warns?: string;
}

const okta = (...settings: string[]) => documentWith({ okta: settings.map((one) => `\n  ${one}`).join("") });
const grafana = (url: string) => documentWith({ grafana: `\n  url: ${url}\n  api_key: glsa_key` });
const mappings = (text: string) => documentWith({ sync: `\n  mappings:${text}` });
const interval = (text: string) => documentWith({ sync: `\n  interval_seconds: ${text}\n  ${MAPPINGS}` });

/** GOTS 0.3.1 accepts each, with these values; only slashes and ends of lines at the end of a value it keeps. */
const ACCEPTED: Readonly<Record<string, Configuration>> = {
  "the smallest configuration": {
    document: documentWith(),
    settings: {
      "okta.domain": "https://company.okta.com",
      "okta.auth_method": "api_token",
      "okta.api_token": "00token",
      "grafana.url": "https://grafana.example.com",
      "grafana.api_key": "glsa_key",
      "sync.interval_seconds": 300,
      "sync.dry_run": false,
      "logging.level": "INFO",
      "logging.format": "json",
      "metrics.enabled": false,
    },
  },
  "every setting with an API token, and comments": {
    document: `# GOTS
okta:
  domain: company.okta.com # without https://
  auth_method: api_token
  # 00 at its beginning
  api_token: 00abc#def # the first # belongs to it

grafana:
  url: "https://grafana.example.com"
  api_key: 'glsa_key'
sync:
  # at night
  interval_seconds: 3600
  dry_run: True
  mappings:
    # the first
    - okta_group: "Engineering" # exact
      grafana_team: "Engineers"
    # - okta_group: "Sales"
    #   grafana_team: "Sales"
logging:
  level: WARNING
  format: text
metrics:
  enabled: Yes
  port: 9100
  host: 127.0.0.1
`,
    settings: {
      "okta.api_token": "00abc#def",
      "sync.interval_seconds": 3_600,
      "sync.dry_run": true,
      "logging.level": "WARNING",
      "logging.format": "text",
      "metrics.enabled": true,
      "metrics.port": 9_100,
      "metrics.host": "127.0.0.1",
    },
  },
  "every value from a variable": {
    document: `okta: { domain: "\${D}", auth_method: "\${A}", api_token: "\${T}" }
grafana: { url: "\${U}", api_key: "\${K}" }
sync:
  interval_seconds: \${I}
  dry_run: \${N}
  mappings: [{ okta_group: "\${G}", grafana_team: "\${M}" }]
logging: { level: "\${L}", format: "\${F}" }
metrics: { enabled: "\${E}", port: "\${P}", host: "\${H}" }
`,
    environment: {
      ...{ D: "d.okta.com", A: "api_token", T: "00var", U: "g.example.com", K: "glsa_var", I: "90" },
      ...{ N: "true", G: "Group: #1", M: "Team {1}", L: "error", F: "text", E: "true", P: "8001", H: "::1" },
    },
    mappings: ["Group: #1 -> Team {1}"],
    settings: {
      "okta.domain": "https://d.okta.com",
      "okta.api_token": "00var",
      "grafana.url": "https://g.example.com",
      "grafana.api_key": "glsa_var",
      "sync.interval_seconds": 90,
      "sync.dry_run": true,
      "logging.level": "ERROR",
      "logging.format": "text",
      "metrics.enabled": true,
      "metrics.port": 8_001,
      "metrics.host": "::1",
    },
  },
  "a file of mappings only, everything else in the environment": {
    document: `sync:\n  ${MAPPINGS}\n`,
    environment: {
      OKTA_DOMAIN: "https://env.okta.com",
      OKTA_API_TOKEN: "00env",
      GRAFANA_URL: "http://grafana:3000",
      GRAFANA_API_KEY: "glsa_env",
      SYNC_INTERVAL_SECONDS: " 600 ",
      SYNC_DRY_RUN: "TRUE",
      LOG_LEVEL: "Debug",
      LOG_FORMAT: "TEXT",
      METRICS_ENABLED: "True",
      METRICS_PORT: "08080",
    },
    settings: {
      "okta.domain": "https://env.okta.com",
      "grafana.url": "http://grafana:3000",
      "grafana.api_key": "glsa_env",
      "sync.interval_seconds": 600,
      "sync.dry_run": true,
      "logging.level": "DEBUG",
      "logging.format": "text",
      "metrics.enabled": true,
      "metrics.port": 8_080,
    },
    warns: "Warning: grafana.url: http:// sends Grafana's credential unencrypted",
  },
  "a file of mappings only, everything else in .env": {
    document: `sync:\n  ${MAPPINGS}\n`,
    dotenv: `# GOTS
OKTA_DOMAIN=dotenv.okta.com
export OKTA_API_TOKEN='00dot#env'
BASE="https://example.com"
GRAFANA_URL=\${BASE}/grafana
GRAFANA_API_KEY = glsa_dotenv # a token

SYNC_INTERVAL_SECONDS="120"
`,
    settings: {
      "okta.domain": "https://dotenv.okta.com",
      "okta.api_token": "00dot#env",
      "grafana.url": "https://example.com/grafana",
      "grafana.api_key": "glsa_dotenv",
      "sync.interval_seconds": 120,
    },
  },
  ".env beside the environment, each with a part": {
    document: okta("domain: ${OKTA_DOMAIN}", "api_token: ${TOKEN}"),
    environment: { OKTA_DOMAIN: "env.okta.com", LOG_LEVEL: "ERROR" },
    dotenv: "OKTA_DOMAIN=dotenv.okta.com\nTOKEN=00dotenv\nLOG_LEVEL=DEBUG\nLOG_FORMAT=text\n",
    settings: {
      "okta.domain": "https://env.okta.com",
      "okta.api_token": "00dotenv",
      "logging.level": "ERROR",
      "logging.format": "text",
    },
  },
  "a client secret with scopes as a list": {
    document: okta(
      "domain: company.okta.com",
      "auth_method: oauth",
      "oauth:",
      "  client_id: 0oaclient",
      "  client_secret: it's",
      "  scopes:",
      "    - okta.groups.read",
      "    - okta.users.read",
    ),
    settings: {
      "okta.auth_method": "oauth",
      "okta.api_token": undefined,
      "okta.oauth.client_id": "0oaclient",
      "okta.oauth.client_secret": "it's",
      "okta.oauth.scopes": ["okta.groups.read", "okta.users.read"],
    },
  },
  "a client secret and scopes in the environment, and a file that speaks of a token": {
    document: okta("domain: company.okta.com", "api_token: ${OKTA_API_TOKEN}"),
    environment: {
      OKTA_AUTH_METHOD: "oauth",
      OKTA_CLIENT_ID: "0oaenv",
      OKTA_CLIENT_SECRET: "env-secret",
      OKTA_SCOPES: "okta.groups.read , okta.users.read",
    },
    settings: {
      "okta.auth_method": "oauth",
      "okta.oauth.client_secret": "env-secret",
      "okta.oauth.scopes": ["okta.groups.read", "okta.users.read"],
    },
  },
  "a client secret, with empty texts for what it does not need": {
    document: okta(
      "domain: company.okta.com",
      "auth_method: oauth",
      'api_token: ""',
      'oauth: { client_id: a, client_secret: b, private_key_path: "", scopes: [okta.groups.read] }',
    ),
    settings: { "okta.api_token": undefined, "okta.oauth.client_secret": "b" },
  },
  "an API token, and a section oauth that is not in use": {
    document: okta(
      "domain: company.okta.com",
      "api_token: 00token",
      "oauth:",
      '  client_id: ""',
      '  client_secret: ""',
      "  private_key_path: /nowhere/private.pem",
      "  scopes: [okta.groups.read]",
    ),
    settings: { "okta.auth_method": "api_token", "okta.oauth.client_id": undefined },
  },
  "an API token, and the variables of a service app": {
    document: documentWith(),
    environment: { OKTA_CLIENT_ID: "0oaenv", OKTA_PRIVATE_KEY_PATH: "/nowhere/private.pem" },
    settings: { "okta.auth_method": "api_token", "okta.api_token": "00token" },
  },
  "a token in a block": {
    document: okta("domain: company.okta.com", "api_token: |", "  00block"),
    settings: { "okta.api_token": "00block" },
  },
  "an interval with a sign, in quotes": {
    document: interval('"+300"'),
    settings: { "sync.interval_seconds": 300 },
  },
  "an interval with an underscore": {
    document: interval("1_000"),
    settings: { "sync.interval_seconds": 1_000 },
  },
  "an interval with an underscore, from the environment": {
    document: documentWith(),
    environment: { SYNC_INTERVAL_SECONDS: "86_400" },
    settings: { "sync.interval_seconds": 86_400 },
  },
  "an interval in minutes and seconds, as YAML 1.1 has it": {
    document: interval("5:30"),
    settings: { "sync.interval_seconds": 330 },
  },
  "an interval in hours, minutes and seconds": {
    document: interval("24:00:00"),
    settings: { "sync.interval_seconds": 86_400 },
  },
  "an interval in hexadecimal digits": {
    document: interval("0x12c"),
    settings: { "sync.interval_seconds": 300 },
  },
  "an interval in octal digits": { document: interval("0454"), settings: { "sync.interval_seconds": 300 } },
  "an interval in binary digits": {
    document: interval("0b100101100"),
    settings: { "sync.interval_seconds": 300 },
  },
  "an interval in octal digits, in quotes, where they are decimal": {
    document: interval('"0454"'),
    settings: { "sync.interval_seconds": 454 },
  },
  "an interval with a point": { document: interval("300.0"), settings: { "sync.interval_seconds": 300 } },
  "the shortest interval": { document: interval("60"), settings: { "sync.interval_seconds": 60 } },
  "an interval of a month": {
    document: interval("2592000"),
    settings: { "sync.interval_seconds": 2_592_000 },
  },
  "several groups into one team, and one group into several teams": {
    document: mappings(`
  - okta_group: Engineering
    grafana_team: Everyone
  - okta_group: Sales
    grafana_team: Everyone
  - okta_group: Engineering
    grafana_team: Engineers`),
    mappings: ["Engineering -> Everyone", "Sales -> Everyone", "Engineering -> Engineers"],
  },
  "a mapping that is there twice": {
    document: mappings(" [&m { okta_group: A, grafana_team: T }, *m]"),
    mappings: ["A -> T"],
    warns: "Warning: sync.mappings[1]: 'A' -> 'T' appears twice",
  },
  "anchors, aliases and merged keys": {
    document: mappings(`
    - &first { okta_group: Engineering, grafana_team: &team Engineers }
    - { <<: *first, okta_group: Platform }
    - { okta_group: "SRE", grafana_team: *team }`),
    mappings: ["Engineering -> Engineers", "Platform -> Engineers", "SRE -> Engineers"],
  },
  "names in every script": {
    document: mappings(`
    - { okta_group: Entwicklung – Süd, grafana_team: "Équipe «A»" }
    - { okta_group: 開発, grafana_team: "\\u30c1\\u30fc\\u30e0 \\U0001F680" }
    - { okta_group: "קבוצה", grafana_team: 'It''s' }`),
    mappings: ["Entwicklung – Süd -> Équipe «A»", "開発 -> チーム 🚀", "קבוצה -> It's"],
  },
  "names with signs, without quotes": {
    document: mappings(`
    - okta_group: R&D / Core (EU)
      grafana_team: 100% Team
    - okta_group: app:eng:all
      grafana_team: a#b $HOME {x}
    - okta_group: team@example.com
      grafana_team: -eng-`),
    mappings: [
      "R&D / Core (EU) -> 100% Team",
      "app:eng:all -> a#b $HOME {x}",
      "team@example.com -> -eng-",
    ],
  },
  "names over several lines": {
    document: mappings(`
    - okta_group: >-
        Engineering
        Europe
      grafana_team: |-
        Engineers`),
    mappings: ["Engineering Europe -> Engineers"],
  },
  "names with blanks at their ends": {
    document: mappings(' [{ okta_group: " A ", grafana_team: "B " }]'),
    mappings: [" A  -> B "],
  },
  "variables inside of names, whose content is not expanded again": {
    document: mappings(' [{ okta_group: "${STAGE}-${UNIT}", grafana_team: "T ${STAGE}" }]'),
    environment: { STAGE: "prod", UNIT: "${STAGE}$1" },
    mappings: ["prod-${STAGE}$1 -> T prod"],
  },
  "empty sections": {
    document: documentWith({ logging: "{}", metrics: "{}" }),
    settings: { "logging.level": "INFO", "metrics.enabled": false, "metrics.port": 8_000 },
  },
  "a level and a format in other case": {
    document: documentWith({ logging: "\n  level: warning\n  format: JSON" }),
    settings: { "logging.level": "WARNING", "logging.format": "json" },
  },
  "a domain as it stands in the browser": {
    document: okta("domain: https://company.okta.com/", "api_token: 00token"),
    settings: { "okta.domain": "https://company.okta.com" },
  },
  "a domain with a port": {
    document: okta("domain: okta.example.com:8443", "api_token: 00token"),
    settings: { "okta.domain": "https://okta.example.com:8443" },
  },
  "Grafana without a scheme": {
    document: grafana("grafana.example.com:3000"),
    settings: { "grafana.url": "https://grafana.example.com:3000" },
  },
  "Grafana under a path, with a slash at its end": {
    document: grafana("https://example.com/tools/grafana/"),
    settings: { "grafana.url": "https://example.com/tools/grafana" },
  },
  "Grafana inside of the cluster": {
    document: grafana("http://grafana.monitoring.svc:3000"),
    settings: { "grafana.url": "http://grafana.monitoring.svc:3000" },
    warns: "Warning: grafana.url: http:// sends Grafana's credential unencrypted",
  },
  "metrics on every address, by an empty host": {
    document: documentWith({ metrics: '\n  enabled: on\n  port: "9090"\n  host: ""' }),
    settings: { "metrics.enabled": true, "metrics.port": 9_090, "metrics.host": "0.0.0.0" },
  },
  "metrics that are off, with a port": {
    document: documentWith({ metrics: "{ enabled: Off, port: 65535, host: localhost }" }),
    settings: { "metrics.enabled": false, "metrics.port": 65_535, "metrics.host": "localhost" },
  },
  "a file of Windows": { document: `\ufeff${documentWith()}`.replaceAll("\n", "\r\n") },
  "a file with a directive and the marks of a document": {
    document: `%YAML 1.1\n---\n${documentWith()}...\n`,
  },
  "keys in quotes": {
    document: documentWith().replace(/^\w+/gm, '"$&"').replace("domain", "'domain'"),
  },
  "a list that is not indented": {
    document: "okta: { domain: company.okta.com, api_token: 00token }\n" +
      "grafana: { url: https://grafana.example.com, api_key: glsa_key }\n" +
      "sync:\n  mappings:\n  - okta_group: Engineering\n    grafana_team: Engineers\n",
  },
};

/** Runs `gots validate`: in this process, or in one of its own where there is a `.env`. */
async function validate(document: string, { environment = {}, dotenv }: Partial<Configuration> = {}) {
  const files = { "config.yaml": document, ...(dotenv === undefined ? {} : { ".env": dotenv }) };
  const cwd = await directoryWith(files);
  try {
    return dotenv === undefined
      ? await runMain(["validate", `${cwd}/config.yaml`], environment)
      : await run(["validate"], { cwd, env: environment });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

for (const [what, configuration] of Object.entries(ACCEPTED)) {
  const { document, environment = {}, dotenv, settings = {}, warns = "" } = configuration;
  Deno.test(`GOTS's configuration is valid here: ${what}`, async () => {
    const { code, stdout, stderr } = await validate(document, configuration);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "config.yaml is valid: ");
    if (warns === "") assertEquals(stderr, "");
    else assertStringIncludes(stderr, warns);

    const files = dotenv === undefined ? {} : { ".env": dotenv };
    const { config } = await load(document, { environment, files });
    assertEquals(
      config.sync.mappings.map(({ okta_group, grafana_team }) => `${okta_group} -> ${grafana_team}`),
      configuration.mappings ?? ["Engineering -> Engineers"],
    );
    for (const [path, value] of Object.entries(settings)) assertEquals(settingOf(config, path), value, path);
  });
}

const sync = (setting: string) => documentWith({ sync: `{ ${MAPPINGS}, ${setting} }` });
const mapped = (setting: string) =>
  mappings(` [{ okta_group: Engineering, grafana_team: Engineers, ${setting} }]`);
const oauth = (setting: string) =>
  okta("domain: company.okta.com", "api_token: 00token", `oauth: { ${setting} }`);

/** Keys that GOTS skips, or takes twice, or knows and `gots` does not; each with all that is said of it. */
const REFUSED: Readonly<Record<string, readonly [document: string, ...said: string[]]>> = {
  "dryrun, which would have written": [
    sync("dryrun: true"),
    "sync.dryrun: unknown setting (did you mean dry_run?)",
  ],
  "dry-run": [sync("dry-run: true"), "sync.dry-run: unknown setting (did you mean dry_run?)"],
  "dry_run outside of its section": [documentWith({ dry_run: "true" }), "dry_run: unknown setting"],
  "interval": [sync("interval: 300"), "sync.interval: unknown setting"],
  "mapping": [sync("mapping: []"), "sync.mapping: unknown setting (did you mean mappings?)"],
  "Okta": [documentWith({ Okta: "{}" }), "Okta: unknown setting (did you mean okta?)"],
  "token": [
    okta("domain: company.okta.com", "api_token: 00token", "token: 00other"),
    "okta.token: unknown setting",
  ],
  "clientId": [oauth("clientId: a"), "okta.oauth.clientId: unknown setting (did you mean client_id?)"],
  "scope": [oauth("scope: a"), "okta.oauth.scope: unknown setting (did you mean scopes?)"],
  "URL": [
    documentWith({ grafana: "{ url: g.example.com, api_key: k, URL: g.example.com }" }),
    "grafana.URL: unknown setting (did you mean url?)",
  ],
  "grafana_teams": [
    mapped("grafana_teams: [A]"),
    "sync.mappings[0].grafana_teams: unknown setting (did you mean grafana_team?)",
  ],
  "lvl": [documentWith({ logging: "{ lvl: DEBUG }" }), "logging.lvl: unknown setting (did you mean level?)"],
  "prot": [documentWith({ metrics: "{ prot: 9000 }" }), "metrics.prot: unknown setting (did you mean port?)"],
  "a key that is there twice, of which GOTS takes the last": [
    documentWith({ logging: "\n  level: DEBUG\n  level: ERROR" }),
    "not valid YAML: the key level appears twice, on line 5 and on line 6; keep one of them",
  ],
  "what GOTS 0.3 has besides": [
    documentWith({
      okta:
        "{ domain: company.okta.com, api_token: 00token, oauth: { token_endpoint_auth_method: x, jwt_key_id: y } }",
      sync: '{ mappings: [{ okta_group: A, grafana_team: T, grafana_role: "Editor" }], admin_groups: ["B"] }',
    }),
    "okta.oauth.token_endpoint_auth_method: unknown setting (gots uses the private key if there is one, otherwise the client secret)",
    "okta.oauth.jwt_key_id: unknown setting (use key_id)",
    "sync.mappings[0].grafana_role: unknown setting (gots does not manage organisation roles)",
    "sync.admin_groups: unknown setting (gots does not manage server administrators)",
  ],
};

for (const [what, [document, ...said]] of Object.entries(REFUSED)) {
  Deno.test(`gots validate refuses what GOTS lets pass, with status 78: ${what}`, async () => {
    const { code, stdout, stderr } = await validate(document);
    assertEquals([code, stdout], [78, ""]);
    const [, ...problems] = stderr.trimEnd().split("\n").map((line) => line.trim());
    assertEquals(problems, said);
  });
}
