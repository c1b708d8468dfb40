/** What the documents link to is there. */
import { assert, assertEquals } from "@std/assert";
import { anchorsOf, findBroken, linksOf, readMarkdown } from "./markdown.ts";

Deno.test("every link within the project leads to a file, and to a heading in it", async () => {
  const files = await readMarkdown();
  const links = files.flatMap((file) => linksOf(file.text).map((target) => ({ file, target })));
  assert(files.length > 20 && links.length > 100, "the test reads the documents");
  const broken = await Promise.all(links.map(({ file, target }) => findBroken(file, target)));
  assertEquals(broken.filter((one) => one !== undefined), []);
});

const LINKS: readonly (readonly [text: string, targets: readonly string[]])[] = [
  ["see [a](b.md) and [`c`](d.md#e)", ["b.md", "d.md#e"]],
  ['[a](b.md "title") ![c](d.svg)', ["b.md", "d.svg"]],
  ["`[a](b.md)` ``[`c`](d.md)`` [e](f.md)", ["f.md"]],
  ["```md\n[a](b.md)\n```\n[c](d.md)", ["d.md"]],
  ["1. one\n\n   ```sh\n   [a](b.md)\n   ```\n", []],
  ["[a]: b.md\n[a]", ["b.md"]],
  ['<img src="a.svg"> <a href="b.md">c</a>', ["b.md", "a.svg"]],
];

for (const [text, targets] of LINKS) {
  Deno.test(`the links of ${JSON.stringify(text)} are found`, () => {
    assertEquals(linksOf(text).sort(), [...targets].sort());
  });
}

const ANCHORS: readonly (readonly [heading: string, anchor: string])[] = [
  ["## What refusals mean", "what-refusals-mean"],
  ["### The JSON of `gots plan`", "the-json-of-gots-plan"],
  ["# R&D / Ops: 50%, it's", "rd--ops-50-its"],
  ["## [A link](b.md) größer_x", "a-link-größer_x"],
];

for (const [heading, anchor] of ANCHORS) {
  Deno.test(`the heading ${JSON.stringify(heading)} has the anchor that GitHub gives it`, () => {
    assertEquals([...anchorsOf(heading)], [anchor]);
  });
}

Deno.test("headings of one name are counted, and code has none", () => {
  assertEquals([...anchorsOf("# A\n## A\n```sh\n# B\n```\n# A\n")], ["a", "a-1", "a-2"]);
});
