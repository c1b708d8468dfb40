import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { directoryWith, run } from "../support.ts";

const CONFIG = `
okta: { domain: company.okta.com, api_token: t }
grafana: { url: grafana.example.com, api_key: k }
sync: { mappings: [{ okta_group: "A", grafana_team: "B" }] }
`;

Deno.test("the command line says no with a status and a word of what to do", async (t) => {
  const cwd = await directoryWith({ "config.yaml": CONFIG, "other.yaml": CONFIG });
  const cases: [args: string[], code: number, says: RegExp][] = [
    [["snyc"], 78, /did you mean the command: gots sync\?/],
    [["version"], 78, /did you mean gots --version\?/],
    [["missing.yaml"], 78, /missing\.yaml.*\n.*no such file/],
    [["sync", "--nope"], 64, /unknown option '--nope'/],
    [["sync", "a", "b"], 64, /too many arguments/],
    [
      ["--config", "config.yaml", "sync", "other.yaml"],
      64,
      /got two configuration files: config.yaml and other.yaml/,
    ],
    [["validate", "config.yaml", "--config", "other.yaml"], 64, /two configuration files/],
    [["plan", "--format", "xml"], 64, /Allowed choices are table, json/],
    [["plan", "--config", "--detailed-exitcode"], 64, /A file name is required/],
    [["validate", "--config"], 64, /argument missing/],
    [["validate", ""], 64, /the name of the configuration file is empty/],
  ];
  for (const [args, code, says] of cases) {
    await t.step(`gots ${args.join(" ")}`, async () => {
      const result = await run(args, { cwd });
      assertMatch(result.stderr, says);
      assertEquals(result.code, code);
      assertEquals(result.stdout, "");
    });
  }
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("the configuration is named by argument or option, before or after the command", async (t) => {
  const cwd = await directoryWith({ "config.yaml": CONFIG, "other.yaml": CONFIG });
  const cases: [args: string[], file: string][] = [
    [["validate"], "config.yaml"],
    [["validate", "other.yaml"], "other.yaml"],
    [["validate", "--config", "other.yaml"], "other.yaml"],
    [["--config", "other.yaml", "validate"], "other.yaml"],
    [["--config=other.yaml", "validate", "other.yaml"], "other.yaml"],
  ];
  for (const [args, file] of cases) {
    await t.step(`gots ${args.join(" ")}`, async () => {
      const { code, stdout } = await run(args, { cwd });
      assertEquals([code, stdout], [0, `${file} is valid: 1 mapping into 1 team, every 300 s\n`]);
    });
  }
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("--version and --help show what they promise, with examples", async () => {
  const { stdout } = await run(["--version"]);
  assertMatch(
    stdout,
    new RegExp(`^gots ${manifest.version.replaceAll(".", "\\.")} \\([0-9a-z+]+, Deno \\S+, \\S+\\)\n$`),
  );
  for (const command of ["run", "sync", "plan", "check", "validate", "healthcheck", "demo"]) {
    const help = await run([command, "--help"]);
    assertEquals(help.code, 0);
    assertStringIncludes(help.stdout, `Usage: gots ${command}`);
    assertMatch(help.stdout, /Example:\n {2}gots /);
  }
  assertStringIncludes((await run(["--help"])).stdout, "Examples:");
});

Deno.test("a wrong configuration shows every error at once, before any network, with status 78", async () => {
  const wrong = CONFIG.replace("api_token: t", "api_tokn: 00secret").replace(
    "sync: {",
    "sync: { interval_seconds: 5,",
  );
  const cwd = await directoryWith({ "config.yaml": wrong });
  const { code, stderr } = await run(["sync"], { cwd });
  assertEquals(code, 78);
  assertStringIncludes(stderr, "okta.api_tokn: unknown setting (did you mean api_token?)");
  assertStringIncludes(
    stderr,
    "sync.interval_seconds: expected a whole number of seconds, from 60 to 31536000 (a year), found 5",
  );
  assertEquals(stderr.includes("00secret"), false);
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("the example configuration is valid with the example environment once its placeholders are replaced", async () => {
  const example = (name: string) => Deno.readTextFile(new URL(`../../${name}`, import.meta.url));
  const cwd = await directoryWith({
    "config.yaml": await example("config.example.yaml"),
    ".env": (await example(".env.example")).replaceAll("your-", "our-"),
  });
  const { code, stdout } = await run(["validate"], { cwd });
  assertEquals([code, stdout], [0, "config.yaml is valid: 2 mappings into 2 teams, every 300 s\n"]);
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("a damaged certificate is a wrong configuration, not a crash", async () => {
  const pem = "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n";
  const cwd = await directoryWith({ "config.yaml": CONFIG, "ca.pem": pem });
  const { code, stderr } = await run(["validate"], { cwd, env: { REQUESTS_CA_BUNDLE: "ca.pem" } });
  assertEquals(code, 78);
  assertMatch(stderr, /REQUESTS_CA_BUNDLE or SSL_CERT_FILE contains a damaged certificate/);
  await Deno.remove(cwd, { recursive: true });
});
