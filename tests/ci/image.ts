/** The image: built of the `Dockerfile` by an engine, and run with everything taken away that it does not need. */
import { assertEquals } from "@std/assert";
import { version } from "../../src/version.ts";
import type { Engine } from "./engine.ts";
import { call } from "./tool.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The name that the image has in the registry. */
export const IMAGE = `ghcr.io/cropalato/gots:${version}`;

/** What names the content of an image, behind its tag. */
export const DIGEST = /@sha256:[0-9a-f]{64}\b/g;

/** As `docker-compose.yml` has it. Nothing is there in place of a `/tmp`; and no timer asks for its health. */
const HARDENED = [
  "--read-only",
  "--read-only-tmpfs=false",
  "--cap-drop=all",
  "--security-opt=no-new-privileges",
  "--memory=512m",
  "--health-interval=disable",
];

/** Builds the last stage. What the first one makes is compiled on this machine, as that stage needs Deno's own site. */
export async function buildImage({ podman, makeBases, directory }: Engine): Promise<void> {
  const compile = ["task", "--quiet", "compile", "--directory", `${directory}/stage/build/dist`];
  const [compiled, areMade] = await Promise.all([call(Deno.execPath(), compile, { cwd: ROOT }), makeBases()]);
  assertEquals(compiled.code, 0, compiled.output);
  const stage = `--build-context=build=${directory}/stage`;
  const labels = [`--build-arg=GOTS_VERSION=${version}`, "--build-arg=GOTS_COMMIT=abcdef0"];
  const dockerfile = await Deno.readTextFile(`${ROOT}Dockerfile`);
  const file = `${directory}/Dockerfile`;
  // What was made here has another digest than what the registry has.
  await Deno.writeTextFile(file, areMade ? dockerfile.replaceAll(DIGEST, "") : dockerfile);
  const named = [`--file=${file}`, "--tag", IMAGE];
  const built = await podman("build", "--format=docker", stage, ...labels, ...named, ROOT);
  assertEquals(built.code, 0, built.output);
}

/** What a container gets besides the image. */
export interface Given {
  /** Texts of files by their paths in the container, which user 1000 alone can read. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Files of this machine, as in `FILE:PATH`. */
  readonly mounts?: readonly string[];
}

/** Runs a command of the image to its end. */
export async function runImage(
  { podman, directory }: Engine,
  args: readonly string[],
  { files = {}, env = {}, mounts = [] }: Given = {},
) {
  const written = await Promise.all(
    Object.entries(files).map(async ([path, text]) => {
      const file = await Deno.makeTempFile({ dir: directory });
      await Deno.writeTextFile(file, text);
      await Deno.chown(file, 1000, 1000);
      return `${file}:${path}`;
    }),
  );
  const volumes = [...written, ...mounts].map((mount) => `--volume=${mount}:ro`);
  const variables = Object.entries(env).map(([name, value]) => `--env=${name}=${value}`);
  return await podman("run", "--rm", ...HARDENED, ...volumes, ...variables, IMAGE, ...args);
}

/** What the image has in its directories for programs. */
export async function programsOf({ podman, directory }: Engine): Promise<string[]> {
  const id = (await podman("create", IMAGE)).output.trim();
  const exported = await podman("export", "--output", `${directory}/image.tar`, id);
  assertEquals(exported.code, 0, exported.output);
  const { output } = await call("tar", ["-tf", `${directory}/image.tar`]);
  return output.split("\n").filter((path) => /^(?:usr\/(?:local\/)?)?s?bin\/./.test(path));
}
