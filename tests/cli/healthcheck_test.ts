import { assertEquals, assertMatch } from "@std/assert";
import { directoryWith, hasIPv6 } from "../support.ts";
import { runMain } from "./world.ts";

/** Runs the command with a configuration whose metrics are these. */
async function check(metrics: string, file = "config.yaml") {
  const directory = await directoryWith({
    "config.yaml": `
okta: { domain: company.okta.com, api_token: t }
grafana: { url: grafana.example.com, api_key: k }
sync: { mappings: [{ okta_group: "A", grafana_team: "B" }] }
metrics: ${metrics}
`,
  });
  const { code, stdout, stderr } = await runMain(["healthcheck", `${directory}/${file}`]);
  await Deno.remove(directory, { recursive: true });
  return { code, stdout, stderr };
}

/** Runs the command against something that answers so. */
async function checkAgainst(answer: () => Response, host = "127.0.0.1", hostname = "127.0.0.1") {
  const paths: string[] = [];
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, ({ url }) => {
    paths.push(new URL(url).pathname);
    return answer();
  });
  const { code, stdout } = await check(`{ enabled: true, host: "${host}", port: ${server.addr.port} }`);
  await server.shutdown();
  return { code, stdout, paths };
}

const health = (status: string, code: number) => () =>
  Response.json({ status, message: "in words" }, { status: code });

Deno.test("a service that is healthy or degraded is well, one that is unhealthy is not", async (t) => {
  for (
    const [word, status, code] of [["healthy", 200, 0], ["degraded", 200, 0], ["failing", 200, 0], [
      "unhealthy",
      503,
      1,
    ]] as const
  ) {
    await t.step(word, async () => {
      const result = await checkAgainst(health(word, status));
      assertEquals(result, { code, stdout: `${word}: in words\n`, paths: ["/health"] });
    });
  }
});

Deno.test("a service that listens everywhere is asked on this machine", async () => {
  assertEquals((await checkAgainst(health("healthy", 200), "0.0.0.0")).code, 0);
});

for (const host of ["[::]", "::", "::0", "[::1]", "::1"]) {
  Deno.test({
    name: `a service that listens on ${host} is asked over IPv6`,
    ignore: !hasIPv6(),
    async fn() {
      assertEquals((await checkAgainst(health("healthy", 200), host, "::1")).code, 0);
    },
  });
}

Deno.test("another program on the port is not taken for a healthy service", async () => {
  const result = await checkAgainst(() => new Response("hello", { status: 404 }));
  assertEquals([result.code, result.stdout], [1, "something other than gots responded\n"]);
});

Deno.test("the service on this machine is asked without the proxy of the environment", async () => {
  Deno.env.set("HTTP_PROXY", "http://127.0.0.1:9");
  try {
    assertEquals((await checkAgainst(health("healthy", 200))).code, 0);
  } finally {
    Deno.env.delete("HTTP_PROXY");
  }
});

Deno.test("without metrics there is nothing to ask, and that is said and well", async () => {
  const result = await check("{ enabled: false }");
  assertEquals(result, {
    code: 0,
    stdout: "metrics.enabled is false: nothing to check\n",
    stderr: "",
  });
});

Deno.test("a service that does not answer is not well, nor is one without a configuration", async () => {
  const silent = await check("{ enabled: true, host: 127.0.0.1, port: 1 }");
  assertEquals(silent.code, 1);
  assertMatch(silent.stderr, /^No response from http:\/\/127\.0\.0\.1:1\/health: .*ECONNREFUSED/);
  const missing = await check("{ enabled: true }", "missing.yaml");
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /no such file/);
});
