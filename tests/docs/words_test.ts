/** One word for one thing, in the code, what it prints, and what is written about it. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const PLACES = [
  "src",
  "docs",
  "deploy",
  "README.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "config.example.yaml",
];

/** What is not said, and what is said in its place. */
const WORDS: readonly (readonly [not: RegExp, but: string])[] = [
  [/withh[eo]ld/i, "on hold"],
  [/\bnot(_| )right(?![a-z])/i, "out of sync"],
  [
    /(?<![a-z])(last|known|has|have|been|was|were)(_| to be | been | )right(?![a-z]| (before|to|after)\b)/i,
    "in sync",
  ],
  [/\bunclear\b/i, "ambiguous"],
  [/\bpass(ed|es|ing)? over\b/i, "skipped, or ignored"],
  [/\bother hands\b/i, "someone else"],
  [/\b(broke|breaks?|broken) off\b/i, "was aborted"],
  [/\bmend(s|ed|ing)?\b/i, "fixed"],
  [/\b(that|it|what) is (not )?meant\b/i, "intended"],
  [/\blooked at\b/i, "checked, or read"],
  [/\b(last|first|second|new) look\b/i, "reading, or check"],
  [/\bequal (their|the|to( Okta)?) groups\b/i, "in sync"],
  [/\bwho counts?\b/i, "active"],
  [/\bsa(id|ys?) no to\b/i, "rejected"],
  [/\bopens? the doors\b/i, "the credentials"],
  [/\bwhoever wants\b/i, "required for"],
  [/\benvironment over it\b/i, "environment variables override it"],
];

/** The text of a file without the line breaks and comment marks that a phrase may run across. */
const inOneLine = (text: string) => text.replace(/\s*\n[\s#*/>-]*/g, " ");

/** The phrases in a text that are not said, with what to say. */
function findWords(text: string): string[] {
  const line = inOneLine(text);
  return WORDS.flatMap(([not, but]) => {
    const found = not.exec(line);
    return found ? [`'${found[0]}': say '${but}'`] : [];
  });
}

async function* filesOf(path: string): AsyncGenerator<string> {
  if ((await Deno.stat(new URL(path, ROOT))).isFile) return yield path;
  for await (const { name } of Deno.readDir(new URL(`${path}/`, ROOT))) yield* filesOf(`${path}/${name}`);
}

Deno.test("the code, what it prints and the documents have one word for one thing", async () => {
  const wrong: string[] = [];
  let files = 0;
  for (const place of PLACES) {
    for await (const path of filesOf(place)) {
      if (path.endsWith(".png")) continue;
      files++;
      const words = findWords(`${path}\n${await Deno.readTextFile(new URL(path, ROOT))}`);
      wrong.push(...words.map((one) => `${path}: ${one}`));
    }
  }
  assert(files > 150, "the test reads the files");
  assertEquals(wrong, []);
});

for (
  const text of [
    "gots_removals_withheld",
    "docs/GotsRemovalsWithheld.md",
    "6 removals withheld",
    "not right for 5 min",
    "gots_last_right_timestamp_seconds",
    "the cycle broke off",
    "done by other\n * hands",
    "members who\n# count",
    "this one is passed over",
    "looked at 50 s ago",
    "the last look",
    "teams equal their groups",
  ]
) {
  Deno.test(`${JSON.stringify(text)} is not said`, () => {
    assertEquals(findWords(text).length, 1);
  });
}

for (
  const text of ["read right before it is written", "the right to read users", "recommended", "a copyright"]
) {
  Deno.test(`${JSON.stringify(text)} may be said`, () => {
    assertEquals(findWords(text), []);
  });
}
