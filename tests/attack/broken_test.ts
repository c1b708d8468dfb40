/** A connection that fails, or a credential that cannot be sent, makes nobody say a secret. */
import { assert } from "@std/assert";
import type { Config } from "../../src/config/schema.ts";
import { Secret } from "../../src/config/secret.ts";
import { assertSilent, SECRETS } from "./secrets.ts";
import { type Auth, withHostile } from "./service.ts";

/** The configuration with other addresses in place of one service's. */
const leadTo: Readonly<Record<"okta" | "grafana", (config: Config, url: string) => Config>> = {
  okta: (config, url) => ({ ...config, okta: { ...config.okta, domain: url } }),
  grafana: (config, url) => ({ ...config, grafana: { ...config.grafana, url } }),
};

const PLACES: readonly (readonly [place: string, auth: Auth, service: "okta" | "grafana"])[] = [
  ["Okta, with an API token", "api_token", "okta"],
  ["Okta, with a client secret", "oauth", "okta"],
  ["Grafana", "api_token", "grafana"],
];

/** What is written back to a request before the connection ends. */
const ANSWERS: Readonly<Record<string, (request: string) => string>> = {
  "says nothing": () => "",
  "speaks no HTTP": () => "SSH-2.0-OpenSSH_9.6\r\n",
  "echoes the request as its answer": (request) => request,
  "echoes the request as its headers": (request) =>
    `HTTP/1.1 200 OK\r\n${request.slice(request.indexOf("\n") + 1)}`,
  "echoes the request in its status line": (request) =>
    `HTTP/1.1 500 ${request.replace(/\s+/g, " ")}\r\n\r\n`,
  "echoes the request and is cut in its body": (request) =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n${request}`,
  "echoes the request in a broken chunk": (request) =>
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${request}`,
};

/** Listens, and answers each request as `answerTo` says. */
function startBroken(answerTo: (request: string) => string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen = { requests: 0 };
  const answer = async (connection: Deno.TcpConn) => {
    using open = connection;
    const bytes = new Uint8Array(16_384);
    const length = await open.read(bytes);
    seen.requests++;
    await open.write(
      new TextEncoder().encode(answerTo(new TextDecoder().decode(bytes.subarray(0, length ?? 0)))),
    );
  };
  const answering: Promise<void>[] = [];
  const listening = (async () => {
    for await (const connection of listener) answering.push(answer(connection).catch(() => {}));
  })();
  return {
    seen,
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await listening;
      await Promise.all(answering);
    },
  };
}

for (const [place, auth, service] of PLACES) {
  for (const [what, answerTo] of Object.entries(ANSWERS)) {
    Deno.test(`a connection to ${place} that ${what} makes nobody say a credential`, async () => {
      await using broken = startBroken(answerTo);
      await withHostile({
        auth,
        prepare: ({ okta }) => void okta.addGroup("A"),
        change: (config) => leadTo[service](config, broken.url),
      }, ({ said, accessTokens }) => {
        assert(broken.seen.requests > 0, "nobody asked");
        assertSilent(said, [SECRETS.apiToken, SECRETS.clientSecret, SECRETS.grafanaToken, ...accessTokens]);
      });
    });
  }

  Deno.test(`a refused connection to ${place} makes nobody say a credential`, () =>
    withHostile({
      auth,
      prepare: ({ okta }) => void okta.addGroup("A"),
      change: (config) => leadTo[service](config, "http://127.0.0.1:1"),
    }, ({ said }) => assertSilent(said, [SECRETS.apiToken, SECRETS.clientSecret, SECRETS.grafanaToken])));
}

for (const broken of ["\n", "\r\nx-more: 1", "\0", "é", "\u20ac", "\x1b[31m"]) {
  Deno.test(`a credential with ${JSON.stringify(broken)}, an invalid header, is not said by the error`, async () => {
    const wrong = `${SECRETS.apiToken}${broken}${SECRETS.grafanaToken}`;
    for (const auth of ["api_token", "oauth"] as const) {
      await withHostile({
        auth,
        prepare: ({ okta }) => void okta.addGroup("A"),
        change: ({ okta, grafana, ...others }) => ({
          ...others,
          okta: {
            ...okta,
            api_token: new Secret(wrong),
            oauth: { ...okta.oauth, client_secret: new Secret(wrong) },
          },
          grafana: { ...grafana, api_key: new Secret(wrong) },
        }),
      }, ({ said }) => assertSilent(said, [wrong, SECRETS.apiToken, SECRETS.grafanaToken]));
    }
  });
}
