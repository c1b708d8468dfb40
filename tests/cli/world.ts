/** Commands that run in this process, with streams in memory. */
import { main } from "../../src/cli/program.ts";
import { createTerminal } from "../../src/cli/terminal.ts";

/** A stream in memory that may say that it is a terminal. */
function memoryStream(isTerminal: boolean) {
  const decoder = new TextDecoder();
  const stream = {
    text: "",
    isTerminal: () => isTerminal,
    writeSync(bytes: Uint8Array) {
      stream.text += decoder.decode(bytes, { stream: true });
      return bytes.length;
    },
  };
  return stream;
}

/** What is left of a text on a terminal: cleared lines are gone. */
export function onScreen(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.split("\n").map((line) => line.replace(/^.*\r\x1b\[2K/s, "")).join("\n");
}

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process. */
export async function runMain(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { isTerminal = false, noColor = false } = {},
): Promise<Ran> {
  const [stdout, stderr] = [memoryStream(isTerminal), memoryStream(isTerminal)];
  const code = await main(args, { terminal: createTerminal({ stdout, stderr, noColor }), environment });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
