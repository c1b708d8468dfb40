/** `OKTA_API_TOKEN_FILE` and the like for every secret: a trailing newline is removed, and others should not be able to read it. */
import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../src/config/load.ts";
import { startWorld } from "../../src/simulation/world.ts";
import { directoryWith, run } from "../support.ts";
import { assertSilent, SECRETS } from "./secrets.ts";

const CONFIG = `
okta: { domain: "\${OKTA_DOMAIN:-company.okta.com}", auth_method: "\${AUTH:-api_token}", oauth: { client_id: c } }
grafana: { url: "\${GRAFANA_URL:-grafana.example.com}" }
logging: { format: text }
sync: { mappings: [{ okta_group: A, grafana_team: T }] }
`;

/** Each secret's variable, and what else a configuration needs then. */
const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  OKTA_API_TOKEN: { GRAFANA_API_KEY: "key" },
  OKTA_CLIENT_SECRET: { GRAFANA_API_KEY: "key", AUTH: "oauth" },
  GRAFANA_API_KEY: { OKTA_API_TOKEN: "token" },
  GRAFANA_PASSWORD: { OKTA_API_TOKEN: "token", GRAFANA_USERNAME: "admin" },
};

/** Modes of a file, and whether others can read it then. */
const MODES: readonly (readonly [mode: number, warns: boolean])[] = [
  [0o600, false],
  [0o400, false],
  [0o640, false],
  [0o644, true],
  [0o604, true],
  [0o666, true],
];

/** Runs `test` in a directory with the configuration and `secret`, which has this mode. */
async function withFile(text: string, mode: number, test: (cwd: string, path: string) => Promise<void>) {
  const cwd = await directoryWith({ "config.yaml": CONFIG, "secret": text });
  await Deno.chmod(`${cwd}/secret`, mode);
  try {
    await test(cwd, `${cwd}/secret`);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

for (const [variable, others] of Object.entries(VARIABLES)) {
  for (const [what, ending] of [["a newline", "\n"], ["CR and LF", "\r\n"], ["nothing", ""]] as const) {
    Deno.test(`${variable}_FILE gives the secret, ${what} at its end removed`, () =>
      withFile(SECRETS.apiToken + ending, 0o600, async (cwd, path) => {
        const { config, warnings } = await loadConfig(`${cwd}/config.yaml`, {
          environment: { ...others, [`${variable}_FILE`]: path },
        });
        const { okta, grafana } = config;
        const secret =
          { OKTA_API_TOKEN: okta.api_token, OKTA_CLIENT_SECRET: okta.oauth.client_secret }[variable] ??
            grafana.api_key ?? grafana.password;
        assertEquals([secret?.reveal(), `${secret}`, warnings], [SECRETS.apiToken, "[redacted]", []]);
      }));
  }

  for (const [mode, warns] of MODES) {
    Deno.test(`the file of ${variable}_FILE with mode ${mode.toString(8)} is ${warns ? "" : "not "}warned of`, () =>
      withFile(SECRETS.apiToken, mode, async (cwd, path) => {
        const environment = { ...others, [`${variable}_FILE`]: path };
        const { warnings } = await loadConfig(`${cwd}/config.yaml`, { environment });
        assertEquals(warnings.length, warns ? 1 : 0);
        for (const warning of warnings) {
          assertMatch(warning, new RegExp(`^${variable}_FILE: .*can read ${path}; chmod o= ${path}$`));
        }
        assertSilent(warnings.join(), [SECRETS.apiToken]);
      }));
  }

  Deno.test(`gots validate shows the warning of ${variable}_FILE, and none once others cannot read it`, () =>
    withFile(SECRETS.apiToken, 0o644, async (cwd, path) => {
      const env = { ...others, [`${variable}_FILE`]: path };
      const open = await run(["validate"], { cwd, env });
      assertEquals([open.code, open.stdout], [
        0,
        "config.yaml is valid: 1 mapping into 1 team, every 300 s\n",
      ]);
      assertMatch(
        open.stderr,
        new RegExp(`^Warning: ${variable}_FILE: .*can read ${path}; chmod o= ${path}\n$`),
      );
      await Deno.chmod(path, 0o600);
      const { code, stderr } = await run(["validate"], { cwd, env });
      assertEquals([code, stderr], [0, ""]);
    }));
}

Deno.test("the warning of a file that others can read is in the log of gots sync and gots plan, which work nevertheless", async () => {
  await using world = startWorld();
  world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
  const { OKTA_API_TOKEN = "", GRAFANA_API_KEY = "", ...addresses } = world.environment;
  await withFile(`${OKTA_API_TOKEN}\n`, 0o644, async (cwd, path) => {
    await Deno.writeTextFile(`${cwd}/key`, `${GRAFANA_API_KEY}\n`, { mode: 0o600 });
    const env = { ...addresses, OKTA_API_TOKEN_FILE: path, GRAFANA_API_KEY_FILE: "key", LOG_LEVEL: "DEBUG" };
    for (const command of ["plan", "sync"]) {
      const { code, stdout, stderr } = await run([command], { cwd, env });
      assertEquals(code, 0, stderr);
      assertMatch(stderr, new RegExp(` - WARNING - OKTA_API_TOKEN_FILE: .*can read ${path}`));
      assertFalse(stderr.includes("GRAFANA_API_KEY_FILE"));
      assertSilent(stdout + stderr, [OKTA_API_TOKEN, GRAFANA_API_KEY]);
    }
    assertEquals(world.grafana.state.membersOf("T"), ["ann@example.com"]);
  });
});

Deno.test("a secret's file that is named in .env counts, and is warned of as well", () =>
  withFile(SECRETS.apiToken, 0o644, async (cwd) => {
    await Deno.writeTextFile(`${cwd}/.env`, "OKTA_API_TOKEN_FILE=secret\nGRAFANA_API_KEY=key\n");
    const { code, stderr } = await run(["validate"], { cwd });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "Warning: OKTA_API_TOKEN_FILE: ");
  }));

Deno.test("a secret's file that cannot be used is a wrong configuration that says nothing of what is in it", async (t) => {
  const cases: readonly (readonly [what: string, text: string, mode: number])[] = [
    ["two lines", `${SECRETS.apiToken}\n${SECRETS.grafanaToken}\n`, 0o600],
    ["nothing", "", 0o600],
    ["bytes that no header can carry", `${SECRETS.apiToken}\0é`, 0o644],
  ];
  for (const [what, text, mode] of cases) {
    await t.step(what, () =>
      withFile(text, mode, async (cwd, path) => {
        const env = { GRAFANA_API_KEY: "key", OKTA_API_TOKEN_FILE: path };
        const { code, stdout, stderr } = await run(["validate"], { cwd, env });
        assertEquals([code, stdout], [78, ""]);
        assert(stderr.includes("api_token") || stderr.includes("OKTA_API_TOKEN_FILE"), stderr);
        assertSilent(stderr, [SECRETS.apiToken, SECRETS.grafanaToken]);
      }));
  }
});
