import { assertEquals, assertThrows } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { createSbom, type Sources } from "../../tools/sbom.ts";

function found(name: string, dependencies: readonly string[] = []) {
  return { name, version: "1.0.0", dependencies, localPath: `/cache/${name}` };
}

/** A program that imports `web`, which needs `@scope/deep`, which needs `web` again; `tests-only` is not reached. */
function sources(): Sources {
  const lock = { integrity: "sha512-/wA=" };
  return {
    graph: {
      modules: [{}, { npmPackage: "web@1.0.0" }, { npmPackage: "web@1.0.0" }],
      npmPackages: {
        "web@1.0.0": found("web", ["@scope/deep@1.0.0"]),
        "@scope/deep@1.0.0": found("@scope/deep", ["web@1.0.0"]),
        "tests-only@1.0.0": found("tests-only"),
      },
    },
    lockfile: { npm: { "web@1.0.0": lock, "@scope/deep@1.0.0": lock, "tests-only@1.0.0": lock } },
    licenseOf: ({ name }) => name === "web" ? "MIT" : undefined,
    deno: "2.0.0",
    now: new Date(Date.UTC(2026, 10, 24)),
  };
}

Deno.test("the bill of materials has Deno and what the program reaches, with checksums and licences", () => {
  const { components, metadata } = createSbom(sources());
  assertEquals([metadata.component.name, metadata.component.version], ["gots", manifest.version]);
  assertEquals(metadata.timestamp, "2026-11-24T00:00:00.000Z");
  assertEquals(components, [
    {
      type: "platform",
      "bom-ref": "deno",
      name: "deno",
      version: "2.0.0",
      purl: "pkg:github/denoland/deno@v2.0.0",
      licenses: [{ expression: "MIT" }],
    },
    {
      type: "library",
      "bom-ref": "pkg:npm/%40scope/deep@1.0.0",
      group: "@scope",
      name: "deep",
      version: "1.0.0",
      purl: "pkg:npm/%40scope/deep@1.0.0",
      hashes: [{ alg: "SHA-512", content: "ff00" }],
    },
    {
      type: "library",
      "bom-ref": "pkg:npm/web@1.0.0",
      name: "web",
      version: "1.0.0",
      purl: "pkg:npm/web@1.0.0",
      licenses: [{ expression: "MIT" }],
      hashes: [{ alg: "SHA-512", content: "ff00" }],
    },
  ]);
});

Deno.test("the bill of materials says what needs what", () => {
  assertEquals(createSbom(sources()).dependencies, [
    { ref: "gots", dependsOn: ["deno", "pkg:npm/web@1.0.0"] },
    { ref: "deno", dependsOn: [] },
    { ref: "pkg:npm/%40scope/deep@1.0.0", dependsOn: ["pkg:npm/web@1.0.0"] },
    { ref: "pkg:npm/web@1.0.0", dependsOn: ["pkg:npm/%40scope/deep@1.0.0"] },
  ]);
});

Deno.test("a package whose checksum is not in the lockfile ends it", () => {
  assertThrows(
    () => createSbom({ ...sources(), lockfile: { npm: {} } }),
    Error,
    "deno.lock lacks the package",
  );
});
