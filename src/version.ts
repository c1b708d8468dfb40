/** The program's name, version and address, from the one place that states them. */
import manifest from "../deno.json" with { type: "json" };

/** The version of this program (semantic versioning 2.0.0). */
export const version: string = manifest.version;

/** Where the project lives; sent in `User-Agent`, so that administrators know whose traffic it is. */
export const homepage: string = manifest.homepage;

/** `tools/compile.ts` puts the commit in its place. */
const MARK: string = "@COMMIT@";

/** The commit that this program was compiled from; `source` if it was not compiled. */
export const commit: string = MARK.startsWith("@") ? "source" : MARK;
