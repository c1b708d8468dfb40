/** Standard output and standard error: plain lines, and on a terminal a line of progress that leaves nothing behind. */
import type { Environment } from "../config/environment.ts";
import { count } from "../config/count.ts";
import { plainLine } from "../observability/log.ts";

/** Where a command writes. */
export interface Terminal {
  /**
   * Writes the result of a command to standard output.
   *
   * @throws {OutputError} if it cannot be written.
   */
  print(text: string): void;
  /** Writes to standard error, above the progress; `false` if it could not be written, though somebody may listen. */
  note(text: string): boolean;
  /** Why notes could not be written, in a sentence; `undefined` if all were. */
  lost(): string | undefined;
  /** Shows progress, on a terminal only; an empty string clears it. */
  progress(text: string): void;
  /** Whether standard output is a terminal that shows colours. */
  readonly hasColour: boolean;
  /** Whether somebody watches standard error. */
  readonly isWatched: boolean;
}

/** The result of a command cannot be written. */
export class OutputError extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot write to standard output: ${reason}: free some space, or write elsewhere`, { cause });
    this.name = "OutputError";
  }
}

interface Stream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** What a terminal is made of. */
export interface TerminalOptions {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** No colours and no progress, whatever the terminal can. @see https://no-color.org/ */
  readonly noColor: boolean;
}

/** Whether the environment asks for plain text: `NO_COLOR` is set, or the terminal can show nothing else. */
export function wantsNoColor({ NO_COLOR, TERM }: Environment): boolean {
  return Boolean(NO_COLOR) || TERM === "dumb";
}

/** A progress line must fit into a terminal of 80 columns, or it could not be cleared. */
const MOST_COLUMNS = 78;

/** As much of `text` as surely fits into `columns`: a character outside ASCII may take two. */
function cutTo(text: string, columns: number): string {
  let left = columns;
  const fits = (character: string) => (left -= character <= "~" ? 1 : 2) >= 0;
  const characters = [...text];
  const end = characters.findIndex((character) => !fits(character));
  return end < 0 ? text : characters.slice(0, end).join("");
}

const CLEAR_LINE = "\r\x1b[2K";

/** Waits a moment for a full pipe. */
function pauseSync(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}

/** Writes everything. A reader that has gone (a closed pipe) is not an error. */
function writeAll(stream: Stream, text: string): void {
  for (let bytes = new TextEncoder().encode(text); bytes.length > 0;) {
    try {
      bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      pauseSync();
    }
  }
}

/** Writes without ending the program; returns the error if it failed, such as a full disk. */
function tryWrite(stream: Stream, text: string): unknown {
  try {
    writeAll(stream, text);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Makes a terminal. */
export function createTerminal({ stdout, stderr, noColor }: TerminalOptions): Terminal {
  const isWatched = stderr.isTerminal();
  let shown = "";
  let lostNotes = 0;
  let reason = "";
  const clear = () => shown && tryWrite(stderr, CLEAR_LINE);
  return {
    hasColour: stdout.isTerminal() && !noColor,
    isWatched,
    print(text) {
      clear();
      const error = tryWrite(stdout, text);
      if (error !== undefined) throw new OutputError(error);
      if (shown) tryWrite(stderr, shown);
    },
    note(text) {
      clear();
      const error = tryWrite(stderr, text);
      if (error !== undefined) {
        lostNotes++;
        reason = error instanceof Error ? error.message : String(error);
      }
      if (shown) tryWrite(stderr, shown);
      return error === undefined;
    },
    lost() {
      if (lostNotes === 0) return undefined;
      const lines = count(lostNotes, "log line");
      return `${lines} could not be written to standard error: ${reason}: free some space, or write elsewhere`;
    },
    progress(text) {
      if (!isWatched || noColor) return;
      clear();
      shown = cutTo(plainLine(text), MOST_COLUMNS);
      if (shown) tryWrite(stderr, shown);
    },
  };
}
