/** Reads the files that a configuration is made of. */
import { ConfigError } from "./error.ts";

/** Reads a file, whole; rejects with the errors of `Deno.readFile`. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** The permissions of a file, as in `chmod`; `null` where the system has none. */
export type ModeOf = (path: string) => Promise<number | null>;

/** The permissions of a real file. */
export async function modeOfFile(path: string): Promise<number | null> {
  return await Deno.stat(path).then(({ mode }) => mode, () => null);
}

/** The bit of a file's mode that lets everybody read it. */
const OTHERS_READ = 0o004;

/** Whether every user of the machine can read a file. */
export async function isReadableByAll(path: string, modeOf: ModeOf): Promise<boolean> {
  const mode = await modeOf(path);
  return mode !== null && (mode & OTHERS_READ) !== 0;
}

/** A path of short names, not a credential that was put in its place. */
const ROOTED = /^(?:\.{0,2}|~|[A-Za-z]:)[/\\](?:[\w.@ +-]{1,40}[/\\])*[\w.@ +-]{0,40}$/;
const RELATIVE = /^(?:[\w.@ +-]{1,20}[/\\])+[\w.@ +-]{0,20}$|^[\w@ +-]{1,20}\.[a-z]{1,5}$/;

/** A path, safe to show: for a possible credential, only its length. */
export function describePath(path: string): string {
  return ROOTED.test(path) || RELATIVE.test(path) ? path : `a string of ${path.length} characters`;
}

/** Why a file could not be read, and what to do. */
export function describeReadFailure(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "no such file; copy config.example.yaml, or use --config FILE to name another one";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied; check the file's owner and mode";
  }
  if (error instanceof Deno.errors.IsADirectory || /is a directory/i.test(String(error))) {
    return "this is a directory; name a file in it";
  }
  if (error instanceof TypeError) return "this file is not UTF-8; save it as UTF-8";
  // The runtime adds the path to the system's message, and it may be a credential.
  return (error instanceof Error ? error.message : String(error)).replace(/(\(os error \d+\)).*/s, "$1");
}

/**
 * Reads a file of UTF-8 text.
 *
 * @throws {ConfigError} that says why it could not be read.
 */
export async function readText(path: string, readFile: ReadFile): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw new ConfigError(path, [describeReadFailure(error)]);
  }
}
