/** Builds `deploy/kubernetes` with kustomize, and gives what came of it. */
import { assertEquals } from "@std/assert";
import { parseAll } from "@std/yaml";
import { CREDENTIALS } from "../../src/simulation/world.ts";
import { call } from "./tool.ts";

/** Where the tests of Kubernetes keep their programs and files; it goes with the process. */
export const directory = await Deno.makeTempDir({ prefix: "gots-kubernetes-" });
addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

const DEPLOY = new URL("../../deploy/kubernetes", import.meta.url).pathname;

/** A manifest, as far as all kinds are alike. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

/** A Deployment's `spec`, as far as tests read it. */
export interface Deployment {
  readonly replicas: number;
  readonly strategy: unknown;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: { readonly metadata: Manifest["metadata"]; readonly spec: Pod };
}

/** A pod's `spec`. */
export interface Pod {
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: unknown;
  readonly containers: readonly [Container];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly secret?: { readonly secretName: string; readonly defaultMode: number };
  }[];
}

/** The one container of the pod. */
export interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: unknown;
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
}

/** How Kubernetes asks whether the container is well. */
export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** What a kustomization makes. */
export interface Built {
  readonly yaml: string;
  readonly manifests: readonly Manifest[];
  /** The only manifest of this kind. */
  one(kind: string): Manifest;
  /** The `spec` of the only manifest of this kind. */
  spec<T>(kind: string): T;
}

/** Calls a program that must succeed, and gives what it printed. */
export async function succeed(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { code, output } = await call(command, args, { env });
  assertEquals(code, 0, output);
  return output;
}

/** A copy of `deploy/kubernetes`, whose example has the credentials of the simulated services; gives its path. */
export async function copyDeploy(): Promise<string> {
  const root = await Deno.makeTempDir({ dir: directory });
  for (const folder of ["base", "example", "service-monitor"]) {
    await Deno.mkdir(`${root}/${folder}`);
    for (const { name, isFile } of Deno.readDirSync(`${DEPLOY}/${folder}`)) {
      if (isFile) await Deno.copyFile(`${DEPLOY}/${folder}/${name}`, `${root}/${folder}/${name}`);
    }
  }
  await Deno.mkdir(`${root}/example/secrets`);
  await Deno.writeTextFile(`${root}/example/secrets/okta-api-token`, `${CREDENTIALS.apiToken}\n`);
  await Deno.writeTextFile(`${root}/example/secrets/grafana-api-key`, `${CREDENTIALS.grafanaToken}\n`);
  return root;
}

/** Builds the example of such a copy. */
export async function build(root: string): Promise<Built> {
  const yaml = await succeed(`${directory}/kustomize`, ["build", `${root}/example`]);
  const manifests = parseAll(yaml) as Manifest[];
  const one = (kind: string) => {
    const [found, ...others] = manifests.filter((manifest) => manifest.kind === kind);
    if (!found || others.length > 0) throw new Error(`there is not one ${kind}`);
    return found;
  };
  return { yaml, manifests, one, spec: <T>(kind: string) => (one(kind) as Manifest & { spec: T }).spec };
}

/** Builds the example with `addition` at the end of its kustomization. */
export async function buildExample(addition = ""): Promise<Built> {
  const root = await copyDeploy();
  await Deno.writeTextFile(`${root}/example/kustomization.yaml`, addition, { append: true });
  return await build(root);
}
