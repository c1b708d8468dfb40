/**
 * Prints the software bill of materials of the compiled program, as CycloneDX 1.6 in JSON: Deno, and the npm packages
 * that `src/main.ts` reaches. Deno tells which these are; packages that only tests use are not in it.
 *
 *     deno run --allow-read --allow-run tools/sbom.ts
 */
import manifest from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** What `deno info --json` says of a package. */
interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Keys of `npmPackages`. */
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

/** The part of `deno info --json` that is of use here. */
export interface ModuleGraph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  /** All that `deno.lock` has, whether it is reached or not. */
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

/** The part of `deno.lock` that is of use here; it has the keys of `npmPackages`. */
export interface Lockfile {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

/** What a bill of materials is made from. */
export interface Sources {
  readonly graph: ModuleGraph;
  readonly lockfile: Lockfile;
  /** The SPDX expression of a package's licence, if it states one. */
  readonly licenseOf: (found: NpmPackage) => string | undefined;
  /** The version of Deno that the program is compiled with. */
  readonly deno: string;
  readonly now: Date;
}

/** The keys of the packages that the program's own modules import. */
function importedPackages({ modules }: ModuleGraph): string[] {
  return [...new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []))].sort();
}

/** The keys of these packages, and of those that they depend on. */
function reachedPackages(imported: readonly string[], { npmPackages }: ModuleGraph): string[] {
  const reached = new Set(imported);
  // A set that grows is walked to its new end.
  for (const key of reached) npmPackages[key]?.dependencies.forEach((dependency) => reached.add(dependency));
  return [...reached].sort();
}

const purlOf = ({ name, version }: { name: string; version: string }) =>
  `pkg:npm/${name.replace("@", "%40")}@${version}`;

/** @throws {Error} if Deno or its lockfile does not know the package. */
function describePackage(key: string, { graph, lockfile, licenseOf }: Sources) {
  const found = graph.npmPackages[key];
  const integrity = lockfile.npm[key]?.integrity.match(/^sha512-(.+)$/)?.[1];
  if (found === undefined || integrity === undefined) throw new Error(`deno.lock lacks the package '${key}'`);
  const [name = "", group] = found.name.split("/").reverse();
  const license = licenseOf(found);
  return {
    type: "library",
    "bom-ref": purlOf(found),
    ...(group ? { group } : {}),
    name,
    version: found.version,
    purl: purlOf(found),
    ...(license ? { licenses: [{ expression: license }] } : {}),
    hashes: [{ alg: "SHA-512", content: Uint8Array.fromBase64(integrity).toHex() }],
  };
}

/** The bill of materials, as an object. */
export function createSbom(sources: Sources) {
  const { graph, deno, now } = sources;
  const refOf = (key: string) => describePackage(key, sources)["bom-ref"];
  const imported = importedPackages(graph);
  const reached = reachedPackages(imported, graph);
  const program = {
    type: "application",
    "bom-ref": "gots",
    name: "gots",
    version: manifest.version,
    licenses: [{ expression: manifest.license }],
    externalReferences: [{ type: "website", url: manifest.homepage }],
  };
  const runtime = {
    type: "platform",
    "bom-ref": "deno",
    name: "deno",
    version: deno,
    purl: `pkg:github/denoland/deno@v${deno}`,
    licenses: [{ expression: "MIT" }],
  };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${crypto.randomUUID()}`,
    version: 1,
    metadata: { timestamp: now.toISOString(), component: program },
    components: [runtime, ...reached.map((key) => describePackage(key, sources))],
    dependencies: [
      { ref: "gots", dependsOn: ["deno", ...imported.map(refOf)] },
      { ref: "deno", dependsOn: [] },
      ...reached.map((key) => ({
        ref: refOf(key),
        dependsOn: graph.npmPackages[key]?.dependencies.map(refOf) ?? [],
      })),
    ],
  };
}

if (import.meta.main) {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "src/main.ts"],
    cwd: ROOT,
    stdin: "null",
    stderr: "inherit",
  }).output();
  const sbom = createSbom({
    graph: JSON.parse(new TextDecoder().decode(stdout)),
    lockfile: JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT))),
    licenseOf: ({ localPath }) => JSON.parse(Deno.readTextFileSync(`${localPath}/package.json`)).license,
    deno: Deno.version.deno,
    now: new Date(),
  });
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(sbom, null, 2)}\n`));
}
