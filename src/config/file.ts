/** Reads the files that a configuration is made of. */
import { ConfigError } from "./error.ts";

/** Reads a file, whole; rejects with the errors of `Deno.readFile`. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** Why a file could not be read, and what to do. */
export function describeReadFailure(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "there is no such file; copy config.example.yaml, or name another file with --config FILE";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "no right to read this file; check its owner and mode";
  }
  if (error instanceof Deno.errors.IsADirectory || /is a directory/i.test(String(error))) {
    return "this is a directory; name the file in it";
  }
  return error instanceof TypeError
    ? "this file is not UTF-8; save it in that encoding"
    : error instanceof Error
    ? error.message
    : String(error);
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
