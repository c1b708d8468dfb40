/** The private key of a service app, in every form in which operators have one. */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { loadConfig } from "../../src/config/load.ts";
import { readPrivateKey } from "../../src/config/private_key.ts";
import { documentWith, load, problemsOf } from "./world.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1" | "spki") =>
  String(key.export({ type: type as "pkcs8", format: "pem" }));
const PEM = pem(rsa.privateKey, "pkcs8");
const JWK = { ...rsa.privateKey.export({ format: "jwk" }), kid: "in-the-key" };

const GOOD: Readonly<Record<string, readonly [text: string, algorithm: string, keyId?: string]>> = {
  "an RSA key in PKCS #8": [PEM, "RS256"],
  "an RSA key in PKCS #1": [pem(rsa.privateKey, "pkcs1"), "RS256"],
  "a P-256 key in PKCS #8": [pem(ec.privateKey, "pkcs8"), "ES256"],
  "a P-256 key in SEC 1": [pem(ec.privateKey, "sec1"), "ES256"],
  "a JSON Web Key with its id": [JSON.stringify(JWK), "RS256", "in-the-key"],
  "a PEM key in one line, with \\n for its lines": [PEM.replaceAll("\n", "\\n"), "RS256"],
  "a PEM key with blanks around it": [`\n  ${PEM}\n\n`, "RS256"],
};

for (const [what, [text, algorithm, keyId]] of Object.entries(GOOD)) {
  Deno.test(`${what} is read, for ${algorithm}`, () => {
    const key = readPrivateKey(text);
    assertEquals([key.algorithm, key.keyId], [algorithm, keyId]);
    assertEquals(String(key.jwk), "[redacted]");
    assert(JSON.parse(key.jwk.reveal()).d);
  });
}

const small = generateKeyPairSync("rsa", { modulusLength: 1_024 });
const curve = generateKeyPairSync("ec", { namedCurve: "P-384" });
const BAD: Readonly<Record<string, readonly [text: string, says: string]>> = {
  "a public key": [pem(rsa.publicKey, "spki"), "this is a public key"],
  "a public JSON Web Key": [
    JSON.stringify(rsa.publicKey.export({ format: "jwk" })),
    "neither a PEM key nor a",
  ],
  "an RSA key of 1024 bits": [
    pem(small.privateKey, "pkcs8"),
    "has 1024 bits, but Okta requires at least 2048",
  ],
  "a key on another curve": [
    pem(curve.privateKey, "pkcs8"),
    "use an RSA key (RS256) or a P-256 key",
  ],
  "an encrypted key": [
    String(rsa.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })),
    "this key is encrypted",
  ],
  "half a key": [PEM.slice(0, 400), "neither a PEM key nor a"],
  "rubbish": ["not a key at all, but long enough", "neither a PEM key nor a"],
};

const oauth = (settings: string) =>
  documentWith({ okta: `{ domain: o.okta.com, auth_method: oauth, oauth: { client_id: c, ${settings} } }` });

for (const [what, [text, says]] of Object.entries(BAD)) {
  Deno.test(`${what} is refused with the reason, and not repeated`, async () => {
    const problems = await problemsOf(oauth(`key_id: k, private_key: ${JSON.stringify(text)}`));
    assertStringIncludes(
      problems.join("\n"),
      `okta.oauth.private_key: expected a private key in PEM or JWK form`,
    );
    assertStringIncludes(problems.join("\n"), says);
    for (const line of text.split("\n").filter((one) => one.length > 20)) {
      assertFalse(problems.join("\n").includes(line.slice(0, 20)));
    }
  });
}

Deno.test("a private key comes from the file that private_key_path or OKTA_PRIVATE_KEY_PATH names", async () => {
  const files = { "/etc/gots/key.pem": PEM };
  const { config } = await load(oauth("key_id: k, private_key_path: /etc/gots/key.pem"), { files });
  assertEquals(config.okta.oauth.private_key?.algorithm, "RS256");
  const environment = { OKTA_PRIVATE_KEY_PATH: "/etc/gots/key.pem", OKTA_KEY_ID: "k" };
  const { config: other } = await load(oauth(""), { files, environment });
  assertEquals([other.okta.oauth.private_key?.algorithm, other.okta.oauth.key_id], ["RS256", "k"]);
});

const PROBLEMS: readonly (readonly [what: string, settings: string, says: string])[] = [
  [
    "a key without its id",
    `private_key: ${JSON.stringify(PEM)}`,
    "okta.oauth.key_id: missing; expected the id (kid)",
  ],
  [
    "a key and a secret",
    `key_id: k, private_key: ${JSON.stringify(PEM)}, client_secret: abcdefgh`,
    "not both",
  ],
  ["neither key nor secret", "key_id: k", "okta.oauth.private_key: missing; expected the private key"],
  [
    "a key in two places",
    `key_id: k, private_key: ${JSON.stringify(PEM)}, private_key_path: /x/key.pem`,
    "keep one of them",
  ],
  [
    "a file that is not there",
    "key_id: k, private_key_path: /nowhere/key.pem",
    "okta.oauth.private_key_path points to /nowhere/key.pem",
  ],
];

for (const [what, settings, says] of PROBLEMS) {
  Deno.test(`${what} is told`, async () => {
    assertStringIncludes((await problemsOf(oauth(settings))).join("\n"), says);
  });
}

Deno.test("a JSON Web Key with an id needs no key_id", async () => {
  const { config } = await load(oauth(`private_key: ${JSON.stringify(JSON.stringify(JWK))}`));
  assertEquals(config.okta.oauth.private_key?.keyId, "in-the-key");
});

for (const [mode, warns] of [[0o600, false], [0o644, true]] as const) {
  Deno.test(`OKTA_PRIVATE_KEY_FILE gives the key, and its mode ${mode.toString(8)} is ${warns ? "" : "not "}warned of`, async () => {
    const environment = { OKTA_PRIVATE_KEY_FILE: "/run/secrets/key", OKTA_KEY_ID: "k" };
    const { config, warnings } = await loadConfig("config.yaml", {
      environment,
      readFile: (path) =>
        path === ".env"
          ? Promise.reject(new Deno.errors.NotFound())
          : Promise.resolve(new TextEncoder().encode(path === "config.yaml" ? oauth("") : `${PEM}\n`)),
      modeOf: () => Promise.resolve(mode),
    });
    assertEquals(config.okta.oauth.private_key?.algorithm, "RS256");
    assertEquals(
      warnings,
      warns
        ? [
          "config.yaml: every user on this machine can read grafana.api_key in it; chmod o= config.yaml, or keep the " +
          "credential in the environment",
          "OKTA_PRIVATE_KEY_FILE: every user on this machine can read /run/secrets/key; chmod o= /run/secrets/key",
        ]
        : [],
    );
  });
}
