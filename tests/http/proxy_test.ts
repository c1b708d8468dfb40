/** Proxies: which requests go through them, and what is told when they fail. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readProxies } from "../../src/config/proxies.ts";
import { proxyFor, runtimeVariables } from "../../src/http/proxy.ts";
import { acceptConnections, type Place } from "./sockets.ts";
import { TEAM, world } from "./world.ts";

const PROXY = "http://user:hidden@proxy.example.com:3128";

/** The proxy for an address, as the environment says. */
function variableFor(address: string, environment: Record<string, string>): string | undefined {
  return proxyFor(address, readProxies(environment, []))?.variable;
}

const EXCEPT: readonly (readonly [entries: string, address: string, isDirect: boolean])[] = [
  ["*", "https://grafana.example.com", true],
  ["*", "https://192.0.2.7", true],
  ["*", "https://[2001:db8::7]", true],
  ["other.example.com, *", "https://192.0.2.7", true],
  ["example.com", "https://grafana.example.com", true],
  [".example.com", "https://grafana.example.com", true],
  [".example.com", "https://example.com", true],
  ["*.example.com", "https://grafana.example.com", true],
  ["Grafana.Example.COM", "https://grafana.example.com", true],
  ["example.com", "https://badexample.com", false],
  ["grafana.example.com:443", "https://grafana.example.com", true],
  ["grafana.example.com:8443", "https://grafana.example.com", false],
  ["grafana.example.com:8443", "https://grafana.example.com:8443", true],
  ["localhost other", "https://other", true],
  ["192.0.2.7", "https://192.0.2.7", true],
  ["192.0.2.7:3000", "https://192.0.2.7:3000", true],
  ["192.0.2.0/24", "https://192.0.2.7", true],
  ["192.0.3.0/24", "https://192.0.2.7", false],
  ["192.0.2.0/99", "https://192.0.2.7", false],
  ["2001:db8::/32", "https://[2001:db8::7]", true],
  ["[2001:db8::7]:443", "https://[2001:db8::7]", true],
  ["::1", "https://192.0.2.7", false],
  [",", "https://grafana.example.com", false],
  ["", "https://grafana.example.com", false],
];

for (const [NO_PROXY, address, isDirect] of EXCEPT) {
  Deno.test(`${address} is asked ${isDirect ? "directly" : "through the proxy"} with NO_PROXY=${NO_PROXY}`, () => {
    const environment = { HTTPS_PROXY: PROXY, NO_PROXY };
    assertEquals(variableFor(address, environment), isDirect ? undefined : "HTTPS_PROXY");
    const { hostname } = new URL(address);
    assertEquals(
      runtimeVariables([address], readProxies(environment, [])),
      { HTTPS_PROXY: PROXY, NO_PROXY: isDirect ? hostname.replace(/^\[|\]$/g, "") : "" },
    );
  });
}

const CHOICES:
  readonly (readonly [environment: Record<string, string>, http?: string | undefined, https?: string])[] = [
    [{}],
    [{ HTTP_PROXY: PROXY }, "HTTP_PROXY"],
    [{ http_proxy: PROXY, HTTP_PROXY: "" }, "http_proxy"],
    [{ HTTPS_PROXY: PROXY }, undefined, "HTTPS_PROXY"],
    [{ ALL_PROXY: PROXY }, "ALL_PROXY", "ALL_PROXY"],
    [{ https_proxy: PROXY, NO_PROXY: "", no_proxy: "*" }],
    [{ HTTPS_PROXY: "proxy:3128" }, undefined, "HTTPS_PROXY"],
    [{ HTTPS_PROXY: "ftp://proxy" }],
  ];

for (const [environment, http, https] of CHOICES) {
  Deno.test(`the proxy is chosen by ${JSON.stringify(environment)}`, () => {
    assertEquals(variableFor("http://grafana:3000", environment), http);
    assertEquals(variableFor("https://grafana", environment), https);
  });
}

for (const written of ["ftp://proxy", "http://user@proxy:3128", "http://"]) {
  Deno.test(`the runtime cannot use the proxy ${written}: that is told with its variable`, () => {
    const warnings: string[] = [];
    assertEquals(readProxies({ https_proxy: written }, warnings).https, undefined);
    assertMatch(warnings.join(), /^https_proxy is ignored: use http:\/\/proxy:port or/);
  });
}

Deno.test("without a proxy the runtime's variables stay as they are", () => {
  assertEquals(runtimeVariables(["https://grafana"], readProxies({ NO_PROXY: "*" }, [])), {});
});

/** A proxy that answers every request with this, or closes the connection. */
function proxyThatSays(answer: string): Place {
  return acceptConnections(async (connection) => {
    await connection.read(new Uint8Array(4_096));
    if (answer) {
      await connection.write(new TextEncoder().encode(`HTTP/1.1 ${answer}\r\ncontent-length: 0\r\n\r\n`));
    }
    connection.close();
  });
}

/** Asks a Grafana through the proxy at `address`, and gives the error. */
async function failThrough(address: string) {
  const client = Deno.createHttpClient({ proxy: { url: address } });
  const { fails } = world([], {
    service: { baseUrl: "https://grafana.invalid", backoff: { attempts: 1 } },
    around: {
      fetch: (url, init) => fetch(url, { ...init, client }),
      proxyFor: () => `${address} (HTTPS_PROXY)`,
    },
  });
  try {
    return await fails(TEAM);
  } finally {
    client.close();
  }
}

Deno.test("a proxy that is not there is told as the proxy's failure, not Grafana's", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const { kind, message } = await failThrough(address);
  assertEquals(kind, "unreachable");
  assertStringIncludes(message, `cannot connect to the proxy ${address} (HTTPS_PROXY): `);
  assertStringIncludes(message, ": check its address, or add Grafana's host to NO_PROXY");
});

for (
  const [what, answer, said] of [
    [
      "has no way to Grafana",
      "502 Bad Gateway",
      /^the proxy \S+ \(HTTPS_PROXY\) could not connect to Grafana: /,
    ],
    [
      "does not let gots through",
      "403 Forbidden",
      /^the proxy \S+ \(HTTPS_PROXY\) could not connect to Grafana: /,
    ],
    ["hangs up", "", /^the proxy \S+ \(HTTPS_PROXY\) could not connect to Grafana: /],
    [
      "wants a password",
      "407 Proxy Authentication Required",
      /^the proxy \S+ \(HTTPS_PROXY\) requires a username and password .*: set the variable to http:\/\/user:password@/,
    ],
  ] as const
) {
  Deno.test(`a proxy that ${what} is told as such`, async () => {
    await using proxy = proxyThatSays(answer);
    assertMatch((await failThrough(proxy.address)).message, said);
  });
}
