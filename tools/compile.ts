/**
 * Compiles `gots` into `dist/`: bundled first, so that only what runs is in it. `deno task compile` makes `dist/gots`
 * for this machine, or for that of `--target`; `deno task compile --all` the programs of a release, one for each
 * target, and `SHA256SUMS`.
 */
import { parseArgs } from "node:util";

const ROOT = new URL("../", import.meta.url).pathname;

const COMPILER = [Deno.execPath(), "compile"];

/** What the program may do, and nothing else. */
const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read"];

/** The targets of a release, with the names that they are downloaded by. */
const TARGETS: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": "gots-linux-x64",
  "aarch64-unknown-linux-gnu": "gots-linux-arm64",
  "x86_64-apple-darwin": "gots-macos-x64",
  "aarch64-apple-darwin": "gots-macos-arm64",
  "x86_64-pc-windows-msvc": "gots-windows-x64.exe",
};

/** How `deno compile` says that it could not have the program that it puts ours into. */
const NO_BASE = "Setting up base binary";

const say = (line: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));

/** A program that was run to its end did not succeed. */
class CommandError extends Error {
  override readonly name = "CommandError";
}

/** @throws {CommandError} with what it printed. */
async function run([program = "", ...args]: readonly string[], cwd = ROOT): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new CommandError(`${program} ${args.join(" ")}:\n${error}`);
  return out ?? "";
}

/** The commit, with `+` if files were changed since. Where there is no repository, `GOTS_COMMIT` may say it. */
async function readCommit(): Promise<string> {
  const given = Deno.env.get("GOTS_COMMIT");
  if (given) return given;
  try {
    return (await run(["git", "describe", "--always", "--exclude", "*", "--dirty=+"])).trim();
  } catch {
    return "unknown";
  }
}

/** Sizes in MB, as in `93.3 MB`. */
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Bundles the program into `directory`, with the commit in it, and gives the size of it all in bytes. The files get the same time always: they are embedded
 * with it, and the same commit is to give the same bytes.
 */
async function bundle(directory: string): Promise<number> {
  const commit = await readCommit();
  const options = ["--quiet", "--platform", "deno", "--code-splitting", "--outdir", directory];
  await run([Deno.execPath(), "bundle", ...options, "src/main.ts"]);
  let bytes = 0;
  for await (const { name } of Deno.readDir(directory)) {
    const file = `${directory}/${name}`;
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replace("@COMMIT@", commit));
    await Deno.utime(file, 0, 0);
    bytes += (await Deno.stat(file)).size;
  }
  return bytes;
}

/**
 * Compiles a bundle. Without V8's code cache: a compiled program would look for it at a place in `/tmp` that everybody
 * on the machine can foresee and write to.
 */
async function compile(compiler: readonly string[], bundled: string, output: string, target?: string) {
  const options = [
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-code-cache",
    "--unstable-cron",
    ...PERMISSIONS,
  ];
  const where = [...(target ? ["--target", target] : []), "--output", output];
  await run([...compiler, ...options, ...where, "main.js"], bundled);
}

/** Compiles for this machine, with another base where Deno's own cannot be had. */
async function compileHere(bundled: string, output: string): Promise<void> {
  try {
    await compile(COMPILER, bundled, output);
  } catch (error) {
    if (!(error instanceof CommandError) || !error.message.includes(NO_BASE)) throw error;
    say(
      "Deno's site cannot be reached: the base comes from PyPI, and is an older Deno. Good for trying it out.",
    );
    await compile([`${ROOT}tools/compile.sh`], bundled, output);
  }
}

/** Compiles for every target of a release. */
async function compileAll(bundled: string, directory: string): Promise<void> {
  let checksums = "";
  for (const [target, name] of Object.entries(TARGETS)) {
    const output = `${directory}/${name}`;
    await compile(COMPILER, bundled, output, target);
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(output));
    checksums += `${new Uint8Array(digest).toHex()}  ${name}\n`;
    say(`${output} for ${target}`);
  }
  await Deno.writeTextFile(`${directory}/SHA256SUMS`, checksums);
}

const { values: { all, directory, target } } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    target: { type: "string" },
    directory: { type: "string", default: `${ROOT}dist` },
  },
});
const temporary = await Deno.makeTempDir();
// The name of the innermost directory is embedded.
const bundled = `${temporary}/gots`;
try {
  await Deno.mkdir(directory, { recursive: true });
  const place = await Deno.realPath(directory);
  const size = await bundle(bundled);
  if (all) await compileAll(bundled, place);
  else {
    const output = `${place}/gots${(target ?? Deno.build.os).includes("windows") ? ".exe" : ""}`;
    if (target) await compile(COMPILER, bundled, output, target);
    else await compileHere(bundled, output);
    say(`${output}: ${megabytes((await Deno.stat(output)).size)}, of which ${megabytes(size)} are gots`);
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  say(error.message);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(temporary, { recursive: true });
}
