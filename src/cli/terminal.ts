/** Standard output and standard error: plain lines, and on a terminal a line of progress that leaves nothing behind. */
import { plainLine } from "../observability/log.ts";

/** Where a command writes. */
export interface Terminal {
  /** Writes the result of a command to standard output; throws if it cannot be written. */
  print(text: string): void;
  /** Writes to standard error, above the progress. */
  note(text: string): void;
  /** Shows what is going on, on a terminal only; an empty text takes it away. */
  progress(text: string): void;
  /** Whether standard output is a terminal that shows colours. */
  readonly hasColour: boolean;
  /** Whether somebody watches standard error. */
  readonly isWatched: boolean;
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

const CLEAR_LINE = "\r\x1b[2K";

/** Waits a moment, for a pipe that takes no more just now. */
function pauseSync(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}

/** Writes everything. A reader that has gone (a closed pipe) is no reason to end. */
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

/** Writes what may be lost: there is nobody left to tell. */
function tryWrite(stream: Stream, text: string): void {
  try {
    writeAll(stream, text);
  } catch {
    // Standard error is closed, or its disk is full.
  }
}

/** Makes a terminal. */
export function createTerminal({ stdout, stderr, noColor }: TerminalOptions): Terminal {
  const isWatched = stderr.isTerminal();
  let shown = "";
  const clear = () => shown && tryWrite(stderr, CLEAR_LINE);
  return {
    hasColour: stdout.isTerminal() && !noColor,
    isWatched,
    print(text) {
      clear();
      writeAll(stdout, text);
      if (shown) tryWrite(stderr, shown);
    },
    note(text) {
      clear();
      tryWrite(stderr, text);
      if (shown) tryWrite(stderr, shown);
    },
    progress(text) {
      if (!isWatched || noColor) return;
      clear();
      shown = plainLine(text).slice(0, 78);
      if (shown) tryWrite(stderr, shown);
    },
  };
}
