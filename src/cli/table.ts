/** Tables of plain text. */
import { plainLine } from "../observability/log.ts";

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u;

/** How many columns a terminal takes for `text`. */
function widthOf(text: string, graphemes: Intl.Segmenter): number {
  return Array.from(graphemes.segment(text), ({ segment }) => WIDE.test(segment) ? 2 : 1)
    .reduce<number>((sum, width) => sum + width, 0);
}

/** Lines up `rows` under `head`; every cell is made safe for a terminal. The last column is not padded. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // Made here, for it takes long, and few commands need it.
  const graphemes = new Intl.Segmenter();
  const all = [head, ...rows].map((row) => row.map(plainLine));
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => widthOf(row[column] ?? "", graphemes)))
  );
  return all.map((row) =>
    row.map((cell, column) => {
      const isLast = column === row.length - 1;
      return isLast ? cell : cell + " ".repeat((widths[column] ?? 0) - widthOf(cell, graphemes));
    }).join("  ").trimEnd()
  ).join("\n");
}
