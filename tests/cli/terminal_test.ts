import { assertEquals, assertThrows } from "@std/assert";
import { formatTable } from "../../src/cli/table.ts";
import { createTerminal } from "../../src/cli/terminal.ts";

Deno.test("a table lines up under its head, wide characters and all", () => {
  assertEquals(
    formatTable(["TEAM", "WHO"], [["数据", "a"], ["Ünï", "b"], ["🚀", ""]]),
    "TEAM  WHO\n数据  a\nÜnï   b\n🚀",
  );
});

Deno.test("a name cannot move the cursor, colour or break a table", () => {
  assertEquals(formatTable(["WHO"], [["a\x1b[2Jb\nc\u202ed"]]).includes("\x1b"), false);
  assertEquals(formatTable(["WHO"], [["a\nb"]]).split("\n").length, 2);
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
  const { print, note } = createTerminal({ stdout: full, stderr: full, noColor: false });
  assertThrows(() => print("x"), Deno.errors.WriteZero);
  note("a log line may be lost");

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
