/** `deploy/kubernetes` against the published schemas, and against the program that is to run in it. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { startWorld } from "../../src/simulation/world.ts";
import { version } from "../../src/version.ts";
import { freePort, run, start } from "../support.ts";
import {
  build,
  buildExample,
  type Built,
  copyDeploy,
  type Deployment,
  directory,
  type Pod,
  succeed,
} from "./kustomize.ts";
import { call, lacks } from "./tool.ts";

const KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2";
const KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0";
const PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const KUBERNETES_SCHEMAS = "kubernetes-validate==1.37.0";
/** The oldest and the newest Kubernetes that it has schemas of. */
const KUBERNETES_VERSIONS = ["1.25", "1.37"];

const DOCUMENTATION = new URL("../../docs/KUBERNETES.md", import.meta.url);
const SERVICE_MONITOR = "components:\n  - ../service-monitor\n";
const IMAGE = `ghcr.io/cropalato/gots:${version}`;
const ignore = lacks("go") || lacks("python3");

if (!ignore) {
  await Promise.all([
    succeed("go", ["install", KUSTOMIZE], { GOBIN: directory }),
    succeed("go", ["install", KUBECONFORM], { GOBIN: directory }),
    succeed("python3", ["-m", "pip", "install", "-q", "--target", `${directory}/python`, KUBERNETES_SCHEMAS]),
  ]);
}

/** Defines a test that needs the programs above. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

async function writeFile(text: string, suffix: string): Promise<string> {
  const file = await Deno.makeTempFile({ dir: directory, suffix });
  await Deno.writeTextFile(file, text);
  return file;
}

function podOf(built: Built): Pod {
  return built.spec<Deployment>("Deployment").template.spec;
}

/** Checks the manifests of Kubernetes' own kinds; a field that a schema does not know is an error. */
async function assertKeepsToSchemas({ yaml, manifests }: Built): Promise<void> {
  const output = await succeed("python3", [
    "-m",
    "kubernetes_validate",
    "--strict",
    ...KUBERNETES_VERSIONS.flatMap((version) => ["-k", version]),
    await writeFile(yaml, ".yaml"),
  ], { PYTHONPATH: `${directory}/python` });
  const own = manifests.filter(({ kind }) => kind !== "ServiceMonitor");
  assertEquals(output.match(/ passed /g)?.length, own.length * KUBERNETES_VERSIONS.length, output);
}

/** The schema, with no other fields than it names: Kubernetes would drop them without a word. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  return "properties" in inner ? { additionalProperties: false, ...inner } : inner;
}

/** Writes the schema of a ServiceMonitor, from the operator's own definition, into a file. */
async function writeServiceMonitorSchema(): Promise<string> {
  const { Dir } = JSON.parse(await succeed("go", ["mod", "download", "-json", PROMETHEUS_OPERATOR]));
  const file = `${Dir}/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml`;
  const { spec } = parse(await Deno.readTextFile(file)) as {
    spec: { versions: [{ schema: { openAPIV3Schema: unknown } }] };
  };
  return await writeFile(JSON.stringify(strict(spec.versions[0].schema.openAPIV3Schema)), ".json");
}

/**
 * Lays the pod's volumes out as Kubernetes does: links to files with the mode that the manifest names. Gives the
 * directory that stands for `/app`, and the container's environment with its paths moved there.
 */
async function mount(built: Built): Promise<{ cwd: string; env: Record<string, string> }> {
  const { containers: [{ env, volumeMounts }], volumes } = podOf(built);
  const config = volumeMounts.find(({ name }) => name === "config");
  const credentials = volumeMounts.find(({ name }) => name === "credentials");
  assertEquals([config?.mountPath, config?.subPath], ["/app/config.yaml", "config.yaml"]);
  const configMap = built.one("ConfigMap");
  const secret = built.one("Secret");
  assertEquals(volumes[0]?.configMap?.name, configMap.metadata.name);
  assertEquals(volumes[1]?.secret?.secretName, secret.metadata.name);

  const cwd = await Deno.makeTempDir({ dir: directory });
  await Deno.writeTextFile(`${cwd}/config.yaml`, configMap.data?.["config.yaml"] ?? "");
  await Deno.mkdir(`${cwd}/..data`);
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    await Deno.writeTextFile(`${cwd}/..data/${key}`, atob(value));
    await Deno.chmod(`${cwd}/..data/${key}`, volumes[1]?.secret?.defaultMode ?? 0o644);
    await Deno.symlink(`..data/${key}`, `${cwd}/${key}`);
  }
  const moved = env.map(({ name, value }) => [name, value.replace(`${credentials?.mountPath}/`, `${cwd}/`)]);
  return { cwd, env: Object.fromEntries(moved) };
}

test("the example keeps to Kubernetes' schemas", async () =>
  await assertKeepsToSchemas(await buildExample()));

test("what the documentation adds to the example keeps to them as well, with the image of this version", async () => {
  const additions = [...(await Deno.readTextFile(DOCUMENTATION)).matchAll(/^```yaml\n(.+?)^```$/gms)];
  assertNotEquals(additions, []);
  for (const [, addition] of additions) {
    const built = await buildExample(addition);
    await assertKeepsToSchemas(built);
    assertEquals(podOf(built).containers[0].image, IMAGE);
  }
});

test("the ServiceMonitor keeps to the definition that the Prometheus Operator publishes", async () => {
  const { yaml } = await buildExample(SERVICE_MONITOR);
  const monitor = yaml.split(/^---$/m).filter((text) => text.includes("kind: ServiceMonitor"));
  assertEquals(monitor.length, 1);
  const output = await succeed(`${directory}/kubeconform`, [
    "-strict",
    "-summary",
    "-schema-location",
    await writeServiceMonitorSchema(),
    await writeFile(monitor.join(), ".yaml"),
  ]);
  assertStringIncludes(output, "Valid: 1,");
});

test("a cluster without the operator can take the example", async () => {
  const { manifests } = await buildExample();
  assertEquals(manifests.map(({ kind }) => kind).toSorted(), [
    "ConfigMap",
    "Deployment",
    "Namespace",
    "NetworkPolicy",
    "Secret",
    "Service",
  ]);
});

test("there is one gots, and the old one ends before the new one starts", async () => {
  const { replicas, strategy } = (await buildExample()).spec<Deployment>("Deployment");
  assertEquals([replicas, strategy], [1, { type: "Recreate" }]);
});

test("the image is that of this version", async () => {
  assertEquals(podOf(await buildExample()).containers[0].image, IMAGE);
});

test("the pod keeps to the restricted pod security standard, and to a read-only file system", async () => {
  const pod = podOf(await buildExample());
  assertEquals(pod.automountServiceAccountToken, false);
  assertEquals(pod.securityContext, {
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 1000,
    seccompProfile: { type: "RuntimeDefault" },
  });
  assertEquals(pod.containers.map(({ securityContext }) => securityContext), [{
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  }]);
});

test("gots has more time to stop than the 8 s that it may need", async () => {
  assert(podOf(await buildExample()).terminationGracePeriodSeconds > 8);
});

test("the credentials can be read by the pod's group and by nobody else, and are in no environment", async () => {
  const { containers: [{ env }], volumes } = podOf(await buildExample());
  assertEquals(volumes.flatMap(({ secret }) => secret?.defaultMode ?? []), [0o440]);
  const named = env.map(({ name }) => name).filter((name) => /TOKEN|KEY/.test(name));
  assertEquals(named, ["OKTA_API_TOKEN_FILE", "GRAFANA_API_KEY_FILE"]);
});

test("the configuration and the credentials are valid as the pod sees them, without a warning", async () => {
  const { code, stdout, stderr } = await run(["validate"], await mount(await buildExample()));
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^config.yaml is valid: 2 mappings into 2 teams, .*dry run/);
});

test("the probes ask for what the service answers, at the port where it listens", async () => {
  const built = await buildExample();
  const { containers: [{ ports, livenessProbe, readinessProbe }] } = podOf(built);
  const { cwd, env } = await mount(built);
  assertEquals(ports.map(({ name, containerPort }) => [name, String(containerPort)]), [[
    "metrics",
    env.METRICS_PORT,
  ]]);
  assertEquals([livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.port), ["metrics", "metrics"]);

  await using world = startWorld();
  const { OKTA_DOMAIN = "", GRAFANA_URL = "" } = world.environment;
  const port = freePort();
  const gots = start([], { cwd, env: { ...env, OKTA_DOMAIN, GRAFANA_URL, METRICS_PORT: String(port) } });
  const ask = async ({ httpGet }: typeof livenessProbe) =>
    await (await fetch(`http://127.0.0.1:${port}${httpGet.path}`)).json();
  try {
    await gots.waitFor(/Metrics server started/);
    assertEquals((await ask(livenessProbe)).status, "healthy");
    assert("ready" in await ask(readinessProbe));
  } finally {
    gots.kill("SIGTERM");
    await gots.finished;
  }
});

test("Service, NetworkPolicy and ServiceMonitor find what they are for", async () => {
  const built = await buildExample(SERVICE_MONITOR);
  const { selector, template } = built.spec<Deployment>("Deployment");
  const pod = template.metadata.labels;
  assertEquals(selector.matchLabels, pod);
  const service = built.spec<{ selector: unknown; ports: { name: string; targetPort: string }[] }>("Service");
  assertEquals(service.selector, pod);
  assertEquals(service.ports.map(({ name, targetPort }) => [name, targetPort]), [["metrics", "metrics"]]);
  assertEquals(built.spec<{ podSelector: unknown }>("NetworkPolicy").podSelector, { matchLabels: pod });
  const monitor = built.spec<{ selector: unknown; endpoints: unknown }>("ServiceMonitor");
  assertEquals(monitor.selector, { matchLabels: built.one("Service").metadata.labels });
  assertEquals(monitor.endpoints, [{ port: "metrics" }]);
});

for (const file of ["config.yaml", "secrets/okta-api-token"]) {
  test(`a change of ${file} starts a new pod`, async () => {
    const root = await copyDeploy();
    const before = podOf(await build(root));
    await Deno.writeTextFile(`${root}/example/${file}`, "# changed\n", { append: true });
    assertNotEquals(podOf(await build(root)).volumes, before.volumes);
  });
}

test("git does not take the credentials, and nothing is built without them", async () => {
  const root = await copyDeploy();
  await succeed("git", ["init", "-q", root]);
  await succeed("git", ["-C", root, "add", "."]);
  const tracked = (await succeed("git", ["-C", root, "ls-files", "example"])).trim().split("\n");
  assertEquals(tracked, [
    "example/.gitignore",
    "example/config.yaml",
    "example/kustomization.yaml",
    "example/namespace.yaml",
  ]);
  await Deno.remove(`${root}/example/secrets`, { recursive: true });
  const { code, output } = await call(`${directory}/kustomize`, ["build", `${root}/example`]);
  assertNotEquals(code, 0);
  assertStringIncludes(output, "secrets/okta-api-token");
});
