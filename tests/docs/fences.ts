/** The code of a document. */

/** The texts of a document's fenced blocks of one language, in their order; in a list, without its indentation. */
export function fencesOf(markdown: string, language: string): string[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^\\1\`\`\`$`, "gm");
  return Array.from(
    markdown.matchAll(fence),
    ([, indent = "", text = ""]) => text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

/** A document of this project, by its path from the root. */
export async function readDocument(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
}
