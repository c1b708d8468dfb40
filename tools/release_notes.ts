/**
 * Prints what `CHANGELOG.md` says of the version that a tag names, as the notes of its release. Fails where the
 * tag and `deno.json` name two versions, or the changelog has nothing to say.
 *
 *     deno run --allow-read tools/release_notes.ts v1.2.3
 */
import { version } from "../src/version.ts";

/**
 * The section of a version in a changelog of the form Keep a Changelog 1.1.0, without its heading and without the
 * definitions of links at the end of the file.
 *
 * @throws {Error} if the changelog has no such section, or an empty one.
 */
export function sectionOf(version: string, changelog: string): string {
  const [, ...sections] = `\n${changelog}`.split(/\n## /);
  const section = sections.find((text) => text.startsWith(`[${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section '## [${version}]'`);
  const [, ...lines] = section.split("\n");
  const notes = lines.filter((line) => !/^\[[^\]]+\]: /.test(line)).join("\n").trim();
  if (notes === "") throw new Error(`CHANGELOG.md says nothing under '## [${version}]'`);
  return notes;
}

/**
 * The notes of the release that a tag such as `v1.2.3` makes of a version such as `1.2.3`.
 *
 * @throws {Error} if the tag is another version's, or the changelog does not speak of it.
 */
export function releaseNotes(tag: string, version: string, changelog: string): string {
  if (tag !== `v${version}`) {
    throw new Error(`The tag is '${tag}', but deno.json has the version '${version}'`);
  }
  return sectionOf(version, changelog);
}

if (import.meta.main) {
  const changelog = await Deno.readTextFile(new URL("../CHANGELOG.md", import.meta.url));
  const print = (stream: typeof Deno.stdout, text: string) =>
    stream.writeSync(new TextEncoder().encode(`${text}\n`));
  try {
    print(Deno.stdout, releaseNotes(Deno.args[0] ?? "", version, changelog));
  } catch (error) {
    print(Deno.stderr, `error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
