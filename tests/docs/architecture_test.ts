/** `docs/ARCHITECTURE.md` speaks of what is there. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const TEXT = await Deno.readTextFile(new URL("docs/ARCHITECTURE.md", ROOT));

/** Where a file may be that is named without its folder. */
const FOLDERS = ["src/", "src/sync/"];

/** Files of which the document says that a change would add them. */
const PROPOSED = ["plan/patterns.ts"];

async function isThere(path: string): Promise<boolean> {
  for (const folder of FOLDERS) {
    if (await Deno.stat(new URL(folder + path, ROOT)).then(({ isFile }) => isFile, () => false)) return true;
  }
  return false;
}

Deno.test("every file that the architecture names is there", async () => {
  const named = [...TEXT.matchAll(/`([\w/]+\.ts)`/g)].map(([, path = ""]) => path);
  assert(named.length > 20, "the test reads the document");
  const missing = [];
  for (const path of new Set(named)) {
    if (!PROPOSED.includes(path) && !await isThere(path)) missing.push(path);
  }
  assertEquals(missing, []);
});

Deno.test("the five changes on paper touch at most eight files each", () => {
  const [, changes = ""] = TEXT.split("## Where to put a change");
  const [text = ""] = changes.split("\n## ");
  const paragraphs = text.split("\n\n").filter((one) => one.trimStart().startsWith("**"));
  assertEquals(paragraphs.length, 5);
  for (const one of paragraphs) {
    const files = new Set([...one.matchAll(/`([\w/]+\.ts)`/g)].map(([, path]) => path));
    assert(files.size <= 8, `${files.size} files: ${one.slice(0, 60)}`);
  }
});
