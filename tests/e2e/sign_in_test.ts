/** Each way to sign in, and each way there: a whole cycle of the real program. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";
import { acceptConnections, AUTHORITY_FILE, serveTls } from "../http/sockets.ts";
import { directoryWith, run } from "../support.ts";

const keys = await generateKeyPair("ES256", { extractable: true });
const PEM = await exportPKCS8(keys.privateKey);
const registered = { ...await exportJWK(keys.publicKey), kid: "k" };

const OKTA = 'okta: { domain: "${OKTA_DOMAIN}", api_token: "${OKTA_API_TOKEN}" }';
const APP =
  `okta: { domain: "\${OKTA_DOMAIN}", auth_method: oauth, oauth: { client_id: ${CREDENTIALS.clientId}, key_id: k } }`;
const GRAFANA = 'grafana: { url: "${GRAFANA_URL}", api_key: "${GRAFANA_API_KEY}" }';
const SYNC = "sync: { mappings: [{ okta_group: Engineering, grafana_team: Engineers }] }";

/** Runs `gots sync` in a world of one group, whose member must be in the team afterwards. */
async function assertSyncs(
  world: World,
  sections: readonly string[],
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): Promise<void> {
  world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
  world.okta.registerKey(registered);
  const cwd = await directoryWith({
    "config.yaml": [...sections, SYNC].join("\n"),
    "key.pem": PEM,
    ...files,
  });
  try {
    const { code, stderr } = await run(["sync"], { cwd, env: { ...world.environment, ...env } });
    assertEquals(code, 0, stderr);
    assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("gots syncs with an API token and a service account token", async () => {
  await using world = startWorld();
  await assertSyncs(world, [OKTA, GRAFANA]);
});

for (const requireDpop of [true, false]) {
  Deno.test(`gots syncs as a service app with a private key, ${requireDpop ? "with" : "without"} DPoP`, async () => {
    await using world = startWorld();
    world.okta.requireDpop = requireDpop;
    world.okta.requireApiNonce = requireDpop;
    await assertSyncs(world, [APP, GRAFANA], { OKTA_PRIVATE_KEY: PEM });
  });
}

Deno.test("gots syncs with a private key from the file that OKTA_PRIVATE_KEY_PATH names", async () => {
  await using world = startWorld();
  await assertSyncs(world, [APP, GRAFANA], { OKTA_PRIVATE_KEY_PATH: "key.pem" });
});

Deno.test("gots syncs as a Grafana user with a password", async () => {
  await using world = startWorld();
  const grafana = 'grafana: { url: "${GRAFANA_URL}", username: admin, password: admin }';
  await assertSyncs(world, [OKTA, grafana], { GRAFANA_API_KEY: "" });
});

Deno.test("gots syncs with a Grafana whose authority grafana.ca_file names", async () => {
  await using world = startWorld();
  await using tls = await serveTls(world.grafana.answer);
  const grafana =
    `grafana: { url: "${tls.address}", api_key: "\${GRAFANA_API_KEY}", ca_file: ${AUTHORITY_FILE} }`;
  await assertSyncs(world, [OKTA, grafana], { GRAFANA_URL: "" });
});

Deno.test("a Grafana whose authority is named for Okta alone is not trusted", async () => {
  await using world = startWorld();
  await using tls = await serveTls(world.grafana.answer);
  world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
  const okta = OKTA.replace(" }", `, ca_file: ${AUTHORITY_FILE} }`);
  const cwd = await directoryWith({ "config.yaml": [okta, GRAFANA, SYNC].join("\n") });
  const { code, stderr } = await run(["sync"], {
    cwd,
    env: { ...world.environment, GRAFANA_URL: tls.address },
  });
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /SSL Certificate verification failed: .*UnknownIssuer; the certificate was issued to 'localhost' by 'gots test authority' and is valid until .*grafana\.ca_file/,
  );
  await Deno.remove(cwd, { recursive: true });
});

/** What a client sends up to the first empty line, or until it goes. */
async function readHead(client: Deno.Conn): Promise<string> {
  let head = "";
  const buffer = new Uint8Array(4_096);
  while (!head.includes("\r\n\r\n")) {
    const length = await client.read(buffer);
    if (length === null) break;
    head += new TextDecoder().decode(buffer.subarray(0, length));
  }
  return head;
}

/** A proxy that tunnels (RFC 9110 9.3.6), and what it was asked for. */
function startProxy() {
  const tunnels: string[] = [];
  const place = acceptConnections(async (client, open) => {
    const [, target = "", port = ""] = (await readHead(client)).match(/^CONNECT ([^:\s]+):(\d+)/) ?? [];
    // A client may open more connections than it then uses.
    if (!port) return;
    tunnels.push(`${target}:${port}`);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    open.add(server);
    await client.write(new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"));
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  });
  return { ...place, tunnels };
}

/** Runs `gots sync` with Grafana at `host`, a proxy, and this environment; tells whether it went through the proxy. */
async function goesThroughProxy(
  host: string,
  envFor: (proxy: string, port: string) => Record<string, string>,
): Promise<boolean> {
  await using world = startWorld();
  await using tls = await serveTls(world.grafana.answer);
  await using proxy = startProxy();
  const url = tls.address.replace("localhost", host);
  const grafana = `grafana: { url: "${url}", api_key: "\${GRAFANA_API_KEY}", ca_file: ${AUTHORITY_FILE} }`;
  const { files = "", ...env } = envFor(proxy.address, new URL(url).port);
  await assertSyncs(world, [OKTA, grafana], { GRAFANA_URL: "", ...env }, files ? { ".env": files } : {});
  assert(proxy.tunnels.every((tunnel) => url.endsWith(tunnel)), proxy.tunnels.join());
  return proxy.tunnels.length > 0;
}

/** Where a request goes, by the host in `grafana.url` and the entries of `NO_PROXY`. */
const NO_PROXY: readonly (readonly [host: string, noProxy: string, viaProxy: boolean])[] = [
  ["localhost", "", true],
  ["localhost", "localhost", false],
  ["localhost", "LOCALHOST:<port>", false],
  ["127.0.0.1", "*", false],
  ["127.0.0.1", "127.0.0.1:1", true],
];

for (const [host, noProxy, viaProxy] of NO_PROXY) {
  Deno.test({
    name: `gots asks https://${host} ${viaProxy ? "through the proxy" : "directly"} with NO_PROXY=${noProxy}`,
    // The tunnels end with the process that asked for them.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const seen = await goesThroughProxy(host, (proxy, port) => ({
        HTTPS_PROXY: proxy,
        NO_PROXY: noProxy.replace("<port>", port),
      }));
      assertEquals(seen, viaProxy);
    },
  });
}

Deno.test({
  name: "gots goes through the proxy that .env names, as GOTS does",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    assert(await goesThroughProxy("localhost", (proxy) => ({ files: `https_proxy=${proxy}\n` })));
  },
});
