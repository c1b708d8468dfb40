/** Tables of plain text. */
import stringWidth from "string-width";
import { plainLine } from "../observability/log.ts";

/** A cell that is wider than this ends its line, and its row goes on in the next one: the columns of the others stay. */
const WIDEST = 32;

/** Lines up `cells` at the columns that start at `starts`; a cell that is missing is empty. */
function formatRow(cells: readonly string[], starts: readonly number[]): string {
  const lines = [""];
  for (const [column, start] of starts.entries()) {
    const cell = cells[column] ?? "";
    const line = lines.at(-1) ?? "";
    const room = start - stringWidth(line);
    const isFull = column > 0 && room < 2;
    if (isFull) lines.push(" ".repeat(start) + cell);
    else lines[lines.length - 1] = line + " ".repeat(room) + cell;
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}

/**
 * Lines up `rows` under `head`; every cell is made safe for a terminal. The last column is not padded.
 *
 * @returns a string for the head and one for each row, which may have several lines.
 */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows].map((row) => row.map(plainLine));
  let end = 0;
  const starts = head.map((_, column) => {
    const widths = all.map((row) => stringWidth(row[column] ?? "")).filter((width) => width <= WIDEST);
    const start = end;
    end += Math.max(...widths) + 2;
    return start;
  });
  return all.map((row) => formatRow(row, starts));
}
