/** The image, and the files for Compose, with an engine that builds and runs them. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { startWorld } from "../../src/simulation/world.ts";
import { homepage, version } from "../../src/version.ts";
import { readDocument } from "../docs/fences.ts";
import { AUTHORITY_FILE, serveTls } from "../http/sockets.ts";
import { directoryWith, freePort } from "../support.ts";
import { composeUp, readDemo } from "./compose.ts";
import { startEngine } from "./engine.ts";
import { buildImage, type Given, IMAGE, programsOf, runImage } from "./image.ts";
import { call, lacks } from "./tool.ts";

const CONFIG = `
okta: { domain: "\${OKTA_DOMAIN}" }
grafana: { url: "\${GRAFANA_URL}" }
sync: { mappings: [{ okta_group: Engineering, grafana_team: Engineers }] }
`;
const VALID = "config.yaml is valid: 1 mapping into 1 team, every 300 s\n";
const ADDRESSES = { OKTA_DOMAIN: "company.okta.com", GRAFANA_URL: "https://grafana.example.com" };

const lacksEngine = ["podman", "runc", "python3"].some(lacks) || Deno.uid() !== 0;

Deno.test({
  name: "the image",
  ignore: lacksEngine,
  async fn(t) {
    await using engine = await startEngine();
    await buildImage(engine);
    const run = (args: readonly string[], { files, ...given }: Given = {}) =>
      runImage(engine, args, { files: { "/app/config.yaml": CONFIG, ...files }, ...given });

    await t.step("hadolint finds nothing in the Dockerfile", async () => {
      const file = new URL("../../Dockerfile", import.meta.url).pathname;
      assertEquals(await engine.hadolint(file), { code: 0, output: "" });
    });

    await t.step("it says what it is, how it is started and how it is asked for its health", async () => {
      const { output } = await engine.podman("image", "inspect", IMAGE);
      const [{ Config: config, Healthcheck: health, Size: bytes }] = JSON.parse(output);
      assertEquals([config.User, config.WorkingDir], ["1000:1000", "/app"]);
      assertEquals(config.Entrypoint, ["/usr/local/bin/gots"]);
      assertEquals(health.Test, ["CMD", ...config.Entrypoint, "healthcheck"]);
      const labels = ["licenses", "source", "version", "revision"]
        .map((name) => config.Labels[`org.opencontainers.image.${name}`]);
      assertEquals(labels, ["MIT", homepage, version, "abcdef0"]);
      assert(bytes < 125e6, `${bytes} bytes`);
    });

    await t.step("there is one program in it: no shell, no package manager", async () => {
      assertEquals(await programsOf(engine), ["usr/local/bin/gots"]);
    });

    await t.step("its commands run without a capability, a home and anything to write to", async () => {
      assertMatch((await runImage(engine, ["--version"])).output, /^gots \d+\.\d+\.\d+ /);
      const demo = await runImage(engine, ["demo", "--once"]);
      assertStringIncludes(demo.output, "Engineers: alice.moore@example.com, dave.kim@example.com\n");
      assertEquals(demo.code, 0);
    });

    await t.step("it takes config.yaml, .env and the environment as GOTS does", async () => {
      const files = { "/app/.env": "OKTA_API_TOKEN=t\nGRAFANA_URL=ignored\n" };
      const env = { ...ADDRESSES, GRAFANA_API_KEY: "k" };
      assertEquals(await run(["validate"], { files, env }), { code: 0, output: VALID });
    });

    await t.step("a credential may be a file that user 1000 alone can read", async () => {
      const file = await Deno.makeTempFile({ dir: engine.directory });
      await Deno.writeTextFile(file, "token\n");
      const path = "/run/secrets/okta-api-token";
      const validate = async (owner: number, mode: number) => {
        await Deno.chown(file, owner, 0);
        await Deno.chmod(file, mode);
        const env = { ...ADDRESSES, GRAFANA_API_KEY: "k", OKTA_API_TOKEN_FILE: path };
        return await run(["validate"], { env, mounts: [`${file}:${path}`] });
      };
      assertEquals(await validate(1000, 0o400), { code: 0, output: VALID });
      assertStringIncludes((await validate(0, 0o444)).output, `every user on this machine can read ${path}`);
      const refused = await validate(0, 0o400);
      assertEquals(refused.code, 78);
      assertStringIncludes(refused.output, `OKTA_API_TOKEN_FILE points to ${path}: permission denied`);
    });

    await t.step("a service that is unhealthy or does not answer fails the health check", async () => {
      let status = 200;
      const answer = () => Response.json({ status: "of the test", message: "in words" }, { status });
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
      const metrics = { METRICS_ENABLED: "true", METRICS_PORT: String(server.addr.port) };
      const env = { ...ADDRESSES, OKTA_API_TOKEN: "t", GRAFANA_API_KEY: "k", ...metrics };
      assertEquals(await run(["healthcheck"], { env }), { code: 0, output: "of the test: in words\n" });
      status = 503;
      assertEquals(await run(["healthcheck"], { env }), { code: 1, output: "of the test: in words\n" });
      await server.shutdown();
      const { code, output } = await run(["healthcheck"], { env });
      assertEquals(code, 1);
      assertStringIncludes(output, "No response from http://127.0.0.1:");
    });

    await t.step("an authority of one's own is trusted", async (t) => {
      await using world = startWorld();
      await using grafana = await serveTls((request) => world.grafana.answer(request));
      world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
      const authority = await Deno.readTextFile(AUTHORITY_FILE);
      const plan = ({ files, env }: Given = {}) =>
        run(["plan"], {
          files: { "/app/ca.pem": authority, ...files },
          env: { ...world.environment, GRAFANA_URL: grafana.address, ...env },
        });
      const named = CONFIG.replace("grafana: {", "grafana: { ca_file: /app/ca.pem,");
      const ways: Record<string, Given> = {
        "by grafana.ca_file": { files: { "/app/config.yaml": named } },
        "by REQUESTS_CA_BUNDLE": { env: { REQUESTS_CA_BUNDLE: "/app/ca.pem" } },
        "by REQUESTS_CA_BUNDLE in .env": { files: { "/app/.env": "REQUESTS_CA_BUNDLE=/app/ca.pem\n" } },
        "by SSL_CERT_FILE": { env: { SSL_CERT_FILE: "/app/ca.pem" } },
        "in place of the image's own": { files: { "/etc/ssl/certs/ca-certificates.crt": authority } },
      };
      for (const [name, way] of Object.entries(ways)) {
        await t.step(name, async () => {
          const { code, output } = await plan(way);
          assertEquals(code, 0, output);
          assertStringIncludes(output, "alice@example.com");
        });
      }
      await t.step("and not unasked", async () => {
        const { code, output } = await plan();
        assertEquals(code, 1);
        assertStringIncludes(output, "SSL Certificate verification failed");
      });
    });

    await t.step("Compose runs it as docker-compose.yml says, until it is told to stop", async () => {
      await using world = startWorld();
      world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
      world.okta.addGroup("DataScience", [world.addPerson("bob@example.com")]);
      const port = freePort();
      const { container, inspect, stop } = await composeUp(engine, world, port);
      await engine.prints(container, /Sync completed[^]*Sync completed/);
      assertEquals(world.grafana.state.membersOf("Data Scientists"), ["bob@example.com"]);
      const health = await fetch(`http://127.0.0.1:${port}/health`);
      assertEquals([health.status, (await health.json()).status], [200, "healthy"]);
      assertEquals((await engine.podman("healthcheck", "run", container)).code, 0);

      const { HostConfig: host, State: { Pid: pid } } = await inspect();
      assertEquals([host.ReadonlyRootfs, host.Memory], [true, 512 * 1024 ** 2]);
      const status = await Deno.readTextFile(`/proc/${pid}/status`);
      assertMatch(status, /^Uid:(?:\t1000){4}\nGid:(?:\t1000){4}$/m);
      assertMatch(status, /^CapBnd:\t0+$/m);
      assertMatch(status, /^NoNewPrivs:\t1$/m);
      assertEquals(await stop(), 0);
    });

    await t.step("the demo's services fit together, and images have a version", async () => {
      const { services, configs } = await readDemo(engine);
      for (const { image } of Object.values(services)) {
        assertMatch(image, /^[\w./-]+:v?\d+\.\d+\.\d+(?:@sha256:[0-9a-f]{64})?$/);
      }
      const [source] = provided(configs.datasource?.content).datasources ?? [];
      assert(services[new URL(source?.url ?? "").hostname], "the data source is a service");
      const [provider] = provided(configs.dashboards?.content).providers ?? [];
      const mounted = services.grafana?.configs.map(({ target }) => target);
      assert(
        mounted?.includes(`${provider?.options.path}/gots.json`),
        "Grafana looks where the dashboard is",
      );
      JSON.parse(await Deno.readTextFile(configs.dashboard?.file ?? ""));

      const { environment = {}, secrets = [] } = services.gots ?? {};
      const env = Object.entries(environment).flatMap(([name, value]) =>
        value === null ? [] : [[name, value]]
      );
      const files = Object.fromEntries(secrets.map(({ target }) => [target, "a secret"]));
      const given = { files, env: { OKTA_DOMAIN: "company.okta.com", ...Object.fromEntries(env) } };
      const validated = await run(["validate"], given);
      assertEquals([validated.code, validated.output.startsWith(VALID)], [0, true], validated.output);
    });

    await t.step({
      name: "Prometheus accepts what the demo has for it",
      ignore: lacks("promtool"),
      async fn() {
        const { configs } = await readDemo(engine);
        const directory = await directoryWith({
          "prometheus.yml": configs.prometheus?.content ?? "",
          "prometheus-alerts.yaml": await Deno.readTextFile(configs.alerts?.file ?? ""),
        });
        const { code, output } = await call("promtool", ["check", "config", `${directory}/prometheus.yml`]);
        assertEquals(code, 0, output);
        await Deno.remove(directory, { recursive: true });
      },
    });
  },
});

Deno.test("the files for Compose and the document name the image of this version", async () => {
  for (const file of ["docker-compose.yml", "docs/CONTAINER.md"]) {
    const names = (await readDocument(file)).match(/ghcr\.io\/cropalato\/gots[^\s`]*/g) ?? [];
    assertEquals([...new Set(names)], [IMAGE], file);
  }
});

/** What Grafana is given for its data sources and its dashboards. */
interface Provided {
  readonly datasources?: readonly { readonly url: string }[];
  readonly providers?: readonly { readonly options: { readonly path: string } }[];
}

const provided = (yaml = "") => parse(yaml) as Provided;
