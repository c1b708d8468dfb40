/** Certificate authorities of the company's own. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { directoryWith } from "../support.ts";
import { documentWith, load, problemsOf } from "./world.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

async function inDirectory(
  files: Readonly<Record<string, string>>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await directoryWith(files);
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const trusted = async (environment: Record<string, string>) =>
  (await load(documentWith(), { environment })).authorities.both;

Deno.test("a bundle may be a file", () =>
  inDirectory({ "ca.pem": PEM }, async (directory) => {
    assertEquals(await trusted({ REQUESTS_CA_BUNDLE: `${directory}/ca.pem` }), [PEM]);
  }));

Deno.test("a bundle may be a directory, whose other files and directories are ignored", () =>
  inDirectory({ "a.pem": PEM, "b.crt": PEM, "README": "no certificate" }, async (directory) => {
    await Deno.mkdir(`${directory}/sub`);
    assertEquals(await trusted({ REQUESTS_CA_BUNDLE: directory }), [PEM, PEM]);
  }));

Deno.test("a bundle may be a directory as Kubernetes mounts it, with links to a directory of its own", () =>
  inDirectory({}, async (directory) => {
    await Deno.mkdir(`${directory}/..2026_01_01`);
    await Deno.writeTextFile(`${directory}/..2026_01_01/ca.crt`, PEM);
    await Deno.symlink("..2026_01_01", `${directory}/..data`);
    await Deno.symlink("..data/ca.crt", `${directory}/ca.crt`);
    assertEquals(await trusted({ REQUESTS_CA_BUNDLE: directory }), [PEM]);
  }));

Deno.test("both variables count, and each may come from .env", () =>
  inDirectory({ "a.pem": PEM, "b.pem": `${PEM}${PEM}` }, async (directory) => {
    const { authorities } = await load(documentWith(), {
      environment: { REQUESTS_CA_BUNDLE: `${directory}/a.pem` },
      files: { ".env": `SSL_CERT_FILE=${directory}/b.pem` },
    });
    assertEquals(authorities.both, [PEM, `${PEM}${PEM}`]);
  }));

Deno.test("without a variable nothing further is trusted", async () => {
  assertEquals(await trusted({ REQUESTS_CA_BUNDLE: "" }), []);
});

for (
  const [what, file, said] of [
    ["is missing", "none.pem", "no such file"],
    ["holds no PEM", "ca.der", "contains no PEM certificate"],
    ["is a directory without a certificate", "", "contains no PEM certificate"],
  ] as const
) {
  Deno.test(`a bundle that ${what} is a problem that names variable and path`, () =>
    inDirectory({ "ca.der": "0\x82" }, async (directory) => {
      const [problem, ...others] = await problemsOf(documentWith(), {
        environment: { SSL_CERT_FILE: `${directory}/${file}` },
      });
      assertStringIncludes(problem ?? "", `SSL_CERT_FILE: ${directory}/${file}`);
      assertStringIncludes(problem ?? "", said);
      assertEquals(others, []);
    }));
}

Deno.test("okta.ca_file and grafana.ca_file are trusted for that service alone", () =>
  inDirectory({ "okta.pem": PEM, "grafana.pem": `${PEM}${PEM}` }, async (directory) => {
    const { authorities } = await load(documentWith({
      okta: `{ domain: o.okta.com, api_token: 00token, ca_file: ${directory}/okta.pem }`,
      grafana: `{ url: https://g.example.com, api_key: glsa_key, ca_file: ${directory}/grafana.pem }`,
    }));
    assertEquals(authorities, { both: [], okta: [PEM], grafana: [`${PEM}${PEM}`] });
  }));

Deno.test("a ca_file that is not there is a problem that names setting and path", async () => {
  const document = documentWith({
    grafana: "{ url: https://g.example.com, api_key: glsa_key, ca_file: /nowhere.pem }",
  });
  assertEquals(await problemsOf(document), ["grafana.ca_file: /nowhere.pem: no such file"]);
});
