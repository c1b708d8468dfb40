/** The code of a document. */

/** The texts of a document's fenced blocks of one language, in their order. */
export function fencesOf(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(fence)].map(([, text = ""]) => text);
}

/** A document of this project, by its path from the root. */
export async function readDocument(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
}
