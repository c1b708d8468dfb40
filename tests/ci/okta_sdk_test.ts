/** The simulated authorization server, asked by a client that is not ours: Okta's own SDK, under Node. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";

const SDK = "@okta/okta-sdk-nodejs@8.1.0";
const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
const pem = await exportPKCS8(privateKey);
const registered = { ...await exportJWK(publicKey), kid: "sdk" };

async function runCommand(command: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, stdin: "null" }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const directory = await Deno.makeTempDir({ prefix: "gots-sdk-" });
addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
const installed = await runCommand("npm", [
  "install",
  "--silent",
  "--no-audit",
  "--no-fund",
  "--prefix",
  directory,
  SDK,
]);
assertEquals(installed.code, 0, installed.stderr);

function askWithSdk({ okta }: World) {
  return runCommand("node", [new URL("okta_sdk.cjs", import.meta.url).pathname], {
    NODE_PATH: `${directory}/node_modules`,
    ORG_URL: okta.url,
    CLIENT_ID: CREDENTIALS.clientId,
    PRIVATE_KEY: pem,
    KEY_ID: "sdk",
  });
}

for (const requireDpop of [true, false]) {
  Deno.test(`Okta's own SDK signs in and reads groups, where DPoP is ${requireDpop ? "required" : "not required"}`, async () => {
    await using world = startWorld();
    world.okta.requireDpop = requireDpop;
    world.okta.registerKey(registered);
    world.okta.addGroup("Engineering");
    const { code, stdout, stderr } = await askWithSdk(world);
    assertEquals([code, stdout], [0, '["Engineering"]'], stderr);
  });
}

Deno.test("Okta's own SDK is refused with a key that is not registered", async () => {
  await using world = startWorld();
  assertNotEquals((await askWithSdk(world)).code, 0);
});
