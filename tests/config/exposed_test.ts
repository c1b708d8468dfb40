/** Files with credentials that everybody can read are told, and so is a credential in the place of a path. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../src/config/load.ts";
import { runMain } from "../cli/world.ts";
import { directoryWith, run } from "../support.ts";
import { documentWith, problemsOf } from "./world.ts";

/** The warnings of a configuration with its files of these modes. */
async function warningsWith(document: string, modes: Readonly<Record<string, number>>, dotenv = "") {
  const directory = await directoryWith({ "config.yaml": document });
  const { warnings } = await loadConfig(`${directory}/config.yaml`, {
    environment: { T: "00token", K: "glsa_key" },
    readFile: (path) =>
      path === ".env" ? Promise.resolve(new TextEncoder().encode(dotenv)) : Deno.readFile(path),
    modeOf: (path) => Promise.resolve(modes[path.split("/").at(-1) ?? ""] ?? 0o600),
  });
  await Deno.remove(directory, { recursive: true });
  return warnings.map((warning) => warning.replaceAll(`${directory}/`, ""));
}

const SAFE = documentWith({
  okta: '{ domain: o.okta.com, api_token: "${T}" }',
  grafana: '{ url: g.example.com, api_key: "${K}" }',
});

for (const mode of [0o644, 0o604, 0o666]) {
  Deno.test(`a .env of mode ${mode.toString(8)} is warned of`, async () => {
    assertEquals(await warningsWith(SAFE, { ".env": mode }), [
      ".env: every user on this machine can read it; chmod 600 .env",
    ]);
  });

  Deno.test(`a configuration of mode ${mode.toString(8)} with a credential in it is warned of`, async () => {
    assertEquals(await warningsWith(documentWith(), { "config.yaml": mode }), [
      "config.yaml: every user on this machine can read okta.api_token in it; chmod o= config.yaml, or keep the " +
      "credential in the environment",
    ]);
  });
}

Deno.test("a file that others cannot read, or that holds only variables, is not warned of", async () => {
  assertEquals(await warningsWith(documentWith(), { "config.yaml": 0o640, ".env": 0o640 }), []);
  assertEquals(await warningsWith(SAFE, { "config.yaml": 0o644 }), []);
});

Deno.test("gots validate warns of real files of mode 644", async () => {
  const cwd = await directoryWith({ "config.yaml": documentWith(), ".env": "A=1\n" }, 0o644);
  const { code, stderr } = await run(["validate"], { cwd });
  await Deno.remove(cwd, { recursive: true });
  assertEquals([code, stderr.trimEnd().split("\n")], [0, [
    "Warning: config.yaml: every user on this machine can read okta.api_token in it; chmod o= config.yaml, or keep " +
    "the credential in the environment",
    "Warning: .env: every user on this machine can read it; chmod 600 .env",
  ]]);
});

/** Credentials as they may be pasted where a path belongs. */
const CREDENTIALS = [
  "00hQ7sEcReTkLmN8pRtUvWxYz-aBcDeFgHiJkLmNoP",
  "glsa_HOruNAb7SOiCdshU9algkrq7FDsNSLAa_55e2f8be",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
  "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC/BKcwggSj.AgEAAoIB\n-----END PRIVATE KEY-----",
  "hunter2-hunter2",
  "dGhpcyBpcyBhIHNlY3JldCB/dGhhdCBoYXMgYSBzbGFzaA==",
  "x".repeat(300),
  `/${"x".repeat(5_000)}`,
];

const oauth = (path: string) =>
  documentWith({
    okta: `{ domain: o.okta.com, auth_method: oauth, oauth: { client_id: c, key_id: k, private_key_path: ${
      JSON.stringify(path)
    } } }`,
  });

const PATHS: Readonly<
  Record<string, (path: string) => readonly [document: string, environment: Record<string, string>]>
> = {
  SSL_CERT_FILE: (path) => [documentWith(), { SSL_CERT_FILE: path }],
  REQUESTS_CA_BUNDLE: (path) => [documentWith(), { REQUESTS_CA_BUNDLE: path }],
  OKTA_API_TOKEN_FILE: (path) => [documentWith(), { OKTA_API_TOKEN_FILE: path }],
  METRICS_TOKEN_FILE: (path) => [documentWith(), { METRICS_TOKEN_FILE: path }],
  OKTA_PRIVATE_KEY_PATH: (path) => [oauth("/nowhere"), { OKTA_PRIVATE_KEY_PATH: path }],
  "okta.oauth.private_key_path": (path) => [oauth(path), {}],
  "okta.ca_file": (path) => [
    documentWith({ okta: `{ domain: o.okta.com, api_token: t, ca_file: ${JSON.stringify(path)} }` }),
    {},
  ],
  "grafana.ca_file": (path) => [
    documentWith({ grafana: `{ url: g.example.com, api_key: k, ca_file: ${JSON.stringify(path)} }` }),
    {},
  ],
};

for (const [setting, worldOf] of Object.entries(PATHS)) {
  Deno.test(`a credential in the place of the path of ${setting} is not shown`, async () => {
    for (const credential of CREDENTIALS) {
      const [document, environment] = worldOf(credential);
      const directory = await directoryWith({ "config.yaml": document });
      const { code, stdout, stderr } = await runMain(["validate", `${directory}/config.yaml`], environment);
      await Deno.remove(directory, { recursive: true });
      assertEquals([code, stdout], [78, ""]);
      assertStringIncludes(stderr, `a string of ${credential.length} characters`);
      for (const part of credential.split("\n")) assert(!stderr.includes(part), stderr);
    }
  });
}

for (
  const path of [
    "/run/secrets/okta-api-token",
    "./ca.pem",
    "../certs/company ca.pem",
    "certs/ca.pem",
    "ca.pem",
  ]
) {
  Deno.test(`a path that is wrong is shown: ${path}`, async () => {
    const problems = await problemsOf(documentWith(), { environment: { SSL_CERT_FILE: path } });
    assertEquals(problems, [`SSL_CERT_FILE: ${path}: no such file`]);
  });
}

for (const name of CREDENTIALS.slice(0, 2)) {
  Deno.test(`a credential in the place of a variable's name is not shown: ${name.length} characters`, async () => {
    const settings = `{ domain: o.okta.com, api_token: "\${${name}}", ca_file: "\${${name}}" }`;
    const metrics = `{ token: "\${${name}}" }`;
    const said = (await problemsOf(documentWith({ okta: settings, metrics }))).join("\n");
    assert(!said.includes(name), said);
    assertStringIncludes(said, `a variable whose name has ${name.length} characters`);
  });
}
