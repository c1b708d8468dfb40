import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatTable } from "../../src/cli/table.ts";
import { createTerminal, OutputError, wantsNoColor } from "../../src/cli/terminal.ts";

Deno.test("a table lines up under its head, wide characters and all", () => {
  assertEquals(
    formatTable(["TEAM", "WHO"], [["数据", "a"], ["Ünï", "b"], ["🚀", ""], ["ＡＢ", "c"], ["e\u0301", "d"]]),
    ["TEAM  WHO", "数据  a", "Ünï   b", "🚀", "ＡＢ  c", "e\u0301     d"],
  );
});

Deno.test("a long name has a line of its own, and leaves the columns of the others where they are", () => {
  const long = "x".repeat(33);
  assertEquals(formatTable(["TEAM", "CHANGE", "WHO"], [["Ops", "+ add", "ann"], [long, "+ add", "bob"]]), [
    "TEAM  CHANGE  WHO",
    "Ops   + add   ann",
    `${long}\n      + add   bob`,
  ]);
});

Deno.test("a line of progress is never wider than a terminal of 80 columns, in which it could not be taken away", () => {
  let written = "";
  const stream = {
    isTerminal: () => true,
    writeSync(bytes: Uint8Array) {
      written += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  };
  const { progress } = createTerminal({ stdout: stream, stderr: stream, noColor: false });
  progress(`Reading ${"数".repeat(60)}`);
  assertEquals(written, `Reading ${"数".repeat(35)}`);
});

for (
  const [environment, plain] of [
    [{}, false],
    [{ TERM: "xterm-256color" }, false],
    [{ TERM: "dumb" }, true],
    [{ NO_COLOR: "1", TERM: "xterm" }, true],
    [{ NO_COLOR: "" }, false],
  ] as const
) {
  Deno.test(`${JSON.stringify(environment)}: ${plain ? "no colour and no progress" : "colour and progress"}`, () =>
    assertEquals(wantsNoColor(environment), plain));
}

Deno.test("a name cannot move the cursor, colour or break a table", () => {
  const [, row = ""] = formatTable(["WHO"], [["a\x1b[2Jb\nc\u202ed"]]);
  assertEquals([row.includes("\x1b"), row.includes("\n")], [false, false]);
});

Deno.test("a reader that has gone does not end the program", () => {
  const broken = {
    isTerminal: () => false,
    writeSync: () => {
      throw new Deno.errors.BrokenPipe();
    },
  };
  const terminal = createTerminal({ stdout: broken, stderr: broken, noColor: false });
  terminal.print("x");
  terminal.note("y");
});

Deno.test("a result that cannot be written is an error, and a pipe that is full is waited for", () => {
  const full = {
    isTerminal: () => false,
    writeSync: (): number => {
      throw new Deno.errors.WriteZero("no space left");
    },
  };
  const { print, note, lost } = createTerminal({ stdout: full, stderr: full, noColor: false });
  assertThrows(
    () => print("x"),
    OutputError,
    "Cannot write to standard output: no space left: free some space, or write elsewhere",
  );
  assertEquals([lost(), note("a"), note("b")], [undefined, false, false]);
  assertMatch(
    lost() ?? "",
    /^2 log lines could not be written to standard error: no space left: free/,
  );

  let tries = 0;
  const busy = {
    isTerminal: () => false,
    writeSync: (bytes: Uint8Array) => {
      if (tries++ === 0) throw new Deno.errors.WouldBlock();
      return bytes.length;
    },
  };
  createTerminal({ stdout: busy, stderr: busy, noColor: false }).print("x");
  assertEquals(tries, 2);
});
