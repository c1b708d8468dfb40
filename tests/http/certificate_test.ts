/** Certificates that are not accepted: real servers, and what the operator is told. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describePeer } from "../../src/http/peer.ts";
import { createFetch } from "../../src/http/surroundings.ts";
import type { Surroundings } from "../../src/http/types.ts";
import { serveTls, tlsFile } from "./sockets.ts";
import { json, SUCCESS, TEAM, world } from "./world.ts";

/** Asks a server that shows this certificate, and trusts it too, by the name or the number of this machine. */
async function ask(certificate: string, host = "localhost", around: Partial<Surroundings> = {}) {
  await using server = await serveTls(json(SUCCESS), certificate);
  const { fetch, close } = createFetch([await Deno.readTextFile(tlsFile(certificate))]);
  const baseUrl = server.address.replace("localhost", host);
  const { send } = world([], { service: { baseUrl }, around: { fetch, describePeer, ...around } });
  try {
    return await send(TEAM).then(({ body }) => body.name, (error: Error) => error.message);
  } finally {
    close();
  }
}

const SAID: readonly (readonly [certificate: string, reason: RegExp, advice: RegExp])[] = [
  [
    "expired",
    /^SSL Certificate verification failed: the certificate expired on 2025-01-01;/,
    /: renew it on the server, or correct this machine's clock/,
  ],
  [
    "not_yet_valid",
    /^SSL Certificate verification failed: the certificate is not valid before 2120-01-01;/,
    /: correct this machine's clock if it is wrong$/,
  ],
  [
    "other_name",
    /failed: the certificate is for grafana\.internal and 192\.0\.2\.1, not for (?:localhost|127\.0\.0\.1);/,
    /: use one of its names in grafana\.url, or issue one with \S+ in its subjectAltName/,
  ],
  [
    "self_signed",
    /failed: the server's certificate is marked as a certificate authority \(CA:TRUE\), which a server certificate must not be;/,
    /set its file in grafana\.ca_file, .*: openssl req -x509 .* -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=(?:DNS:localhost|IP:127\.0\.0\.1)$/,
  ],
];

for (const [certificate, reason, advice] of SAID) {
  for (const host of ["localhost", "127.0.0.1"]) {
    Deno.test(`a certificate that is ${certificate} is told as such, at https://${host}`, async () => {
      const message = await ask(certificate, host);
      assertMatch(message, reason);
      assertMatch(message, /; the certificate was issued to 'localhost' by 'localhost' and is valid until /);
      assertMatch(message, advice);
    });
  }
}

for (const host of ["localhost", "127.0.0.1"]) {
  Deno.test(`a self-signed certificate that is made as gots advises is trusted, at https://${host}`, async () => {
    assertEquals(await ask("standalone", host), SUCCESS.name);
  });
}

Deno.test("a certificate that cannot be described fails the request no worse than one that can", async () => {
  const broken = () =>
    Promise.reject(new TypeError("The property 'options.servername' must not be an IP address"));
  const message = await ask("expired", "localhost", { describePeer: broken });
  assertMatch(
    message,
    /^SSL Certificate verification failed: the certificate expired on 2025-01-01 \(Grafana GET/,
  );
});

Deno.test("a certificate at an IPv6 address is described", async () => {
  const [cert, key] = await Promise.all([
    Deno.readTextFile(tlsFile("expired")),
    Deno.readTextFile(new URL("tls/localhost.key", import.meta.url)),
  ]);
  await using server = Deno.serve({ hostname: "::1", port: 0, cert, key, onListen() {} }, json(SUCCESS));
  assertStringIncludes(await describePeer(`https://[::1]:${server.addr.port}/`) ?? "", "valid until Jan  1");
});

Deno.test("https to a port that speaks http is told as such", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, json(SUCCESS));
  const baseUrl = `https://127.0.0.1:${server.addr.port}`;
  const { fails } = world([], { service: { baseUrl, backoff: { attempts: 1 } }, around: { fetch } });
  const { kind, message } = await fails();
  assertEquals(kind, "unreachable");
  assertStringIncludes(message, `cannot connect: 127.0.0.1:${server.addr.port} does not speak HTTPS`);
  assertMatch(message, /: use http:\/\/ in grafana\.url, or the HTTPS port$/);
});

Deno.test("http to a port that speaks https is told as such, in the words of Go's server and nginx's", async () => {
  const said = [
    ["text/plain; charset=utf-8", "Client sent an HTTP request to an HTTPS server.\n"],
    [
      "text/html",
      "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
    ],
  ] as const;
  for (const [type, text] of said) {
    const answer = () => new Response(text, { status: 400, headers: { "content-type": type } });
    const { message } = await world([answer]).fails();
    assertMatch(message, /: use https:\/\/ in grafana\.url$/);
    assert(!message.includes("<title>"), message);
  }
});
