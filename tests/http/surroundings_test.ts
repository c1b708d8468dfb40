/** The real clock, the real network: what the runtime says must be understood as it says it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createFetch, sleep } from "../../src/http/surroundings.ts";
import type { Fetch } from "../../src/http/types.ts";
import { json, SUCCESS, TEAM, world } from "./world.ts";
import { AUTHORITY_FILE, serveTls } from "./sockets.ts";

const running = new AbortController().signal;

Deno.test("a sleep ends by itself and leaves nothing on its signal", async () => {
  await sleep(1, running);
});

Deno.test("a sleep ends at once when its signal is aborted, with the signal's reason", async () => {
  const shutdown = new AbortController();
  const sleeping = sleep(3_600_000, shutdown.signal).then(() => "slept", (reason) => reason);
  shutdown.abort("SIGTERM");
  assertEquals(await sleeping, "SIGTERM");
});

Deno.test("a sleep does not begin on a signal that is aborted", async () => {
  assertEquals(await sleep(3_600_000, AbortSignal.abort("SIGINT")).catch((reason) => reason), "SIGINT");
});

/** A client of `baseUrl` over the real network, with one attempt. */
function realWorld(baseUrl: string, fetch: Fetch = (url, init) => globalThis.fetch(url, init)) {
  return world([], { service: { baseUrl, backoff: { attempts: 1 } }, around: { fetch } });
}

Deno.test("a port where nobody listens is unreachable, in the system's words", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await realWorld(`http://127.0.0.1:${port}/tls`).fails({ ...TEAM, query: { q: "hidden" } });
  assertEquals(error.kind, "unreachable");
  assertMatch(error.message, /^cannot connect: .*refused.* \(Grafana GET /);
  assert(!error.message.includes("hidden"), error.message);
});

Deno.test("a connection that breaks off is unreachable, though the address speaks of ssl", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4_096));
    connection.close();
  })();
  const { fails } = realWorld(`http://127.0.0.1:${listener.addr.port}/ssl/certificate`);
  const error = await fails({ ...TEAM, query: { q: "hidden" } });
  await serving;
  listener.close();
  assertEquals(error.kind, "unreachable");
  assertStringIncludes(error.message, "connection closed before message completed");
  assert(!error.message.includes("hidden"), error.message);
});

/** Serves {@linkcode SUCCESS} over TLS on localhost while `use` runs. */
async function overTls(use: (baseUrl: string) => Promise<void>): Promise<void> {
  await using server = await serveTls(json(SUCCESS));
  await use(server.address);
}

Deno.test("a certificate of an authority that nobody named is told as such, with where to name it", () =>
  overTls(async (baseUrl) => {
    const error = await realWorld(baseUrl).fails();
    assertEquals(error.kind, "certificate");
    assertMatch(
      error.message,
      /^SSL Certificate verification failed: .*UnknownIssuer.* grafana\.ca_file, REQUESTS_CA_BUNDLE or SSL_CERT_FILE$/,
    );
  }));

Deno.test("a certificate of an authority that was named is trusted", () =>
  overTls(async (baseUrl) => {
    const { fetch, close } = createFetch([await Deno.readTextFile(AUTHORITY_FILE)]);
    assertEquals((await realWorld(baseUrl, fetch).send(TEAM)).body, SUCCESS);
    close();
  }));
