/** The log's two forms, and that nobody's name can forge a line in either. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as fc from "fast-check";
import { LOG_LEVELS, type LogLevelName } from "../../src/config/schema.ts";
import { audit } from "../../src/observability/audit.ts";
import { createLog, jsonFormatter, plainLine, textFormatter } from "../../src/observability/log.ts";

/** What a log of this form and level writes while `use` logs. */
function written(
  format: "json" | "text",
  use: (log: ReturnType<typeof createLog>) => void,
  level: LogLevelName = "DEBUG",
): string[] {
  const lines: string[] = [];
  use(createLog({ level, format, write: (line) => lines.push(line) }));
  return lines;
}

const RECORD = {
  category: ["gots"],
  level: "warning",
  message: ["Found ", 3, " members in Okta group '", "Engineering", "'"],
  rawMessage: "",
  timestamp: Date.UTC(2025, 0, 20, 23, 59, 58, 7),
  properties: { count: 3, okta_group: "Engineering" },
} as const;

Deno.test("a text line is time in UTC, level and message", () => {
  assertEquals(
    textFormatter(RECORD),
    "2025-01-20 23:59:58 - WARNING - Found 3 members in Okta group 'Engineering'\n",
  );
});

Deno.test("a JSON line is time in UTC, level, message and the fields of its own", () => {
  assertEquals(
    jsonFormatter(RECORD),
    '{"timestamp":"2025-01-20T23:59:58.007Z","level":"WARNING",' +
      `"message":"Found 3 members in Okta group 'Engineering'","count":3,"okta_group":"Engineering"}\n`,
  );
});

Deno.test("a field cannot take the place of time, level or message", () => {
  const properties = { timestamp: "never", level: "DEBUG", message: "nothing happened" };
  assertEquals(jsonFormatter({ ...RECORD, properties }), jsonFormatter({ ...RECORD, properties: {} }));
});

const calls = ["debug", "info", "warning", "error", "fatal"] as const;

for (const [i, level] of LOG_LEVELS.entries()) {
  Deno.test(`a log of level ${level} writes ${level} and what is graver, no more`, () => {
    const lines = written("text", (log) => calls.forEach((call) => log[call]("x")), level);
    assertEquals(lines.map((line) => line.split(" - ")[1]), LOG_LEVELS.slice(i));
  });
}

const hostile: readonly (readonly [what: string, name: string, plain: string])[] = [
  ["a line feed", "a\n2025-01-20 10:00:00 - ERROR - b", "a\\n2025-01-20 10:00:00 - ERROR - b"],
  ["a carriage return", "a\r\nb", "a\\r\\nb"],
  ["a colour", "\x1b[31mred", "\\x1b[31mred"],
  ["a window title", "\x1b]0;title\x07", "\\x1b]0;title\\x07"],
  ["an eight-bit escape", "\x9b31mred", "\\x9b31mred"],
  ["a backspace", "admin\b\b\b\b\bother", "admin\\x08\\x08\\x08\\x08\\x08other"],
  ["a delete", "a\x7fb", "a\\x7fb"],
  ["a null", "a\0b", "a\\x00b"],
  ["a change of direction", "a\u202egnp.exe", "a\\u202egnp.exe"],
  ["an isolate", "a\u2066b\u2069", "a\\u2066b\\u2069"],
  ["a line separator", "a\u2028b\u2029c", "a\\u2028b\\u2029c"],
  ["a blank without width", "a\u200bb\ufeffc", "a\\u200bb\\ufeffc"],
];

for (const [what, name, plain] of hostile) {
  Deno.test(`a name with ${what} stays on its line, in sight`, () => {
    assertEquals(plainLine(name), plain);
    const [line, ...others] = written(
      "text",
      (log) => log.info("Added user {user} to team T", { user: name }),
    );
    assertEquals([line?.split(" - INFO - ")[1], others], [`Added user ${plain} to team T\n`, []]);
  });
}

/** What moves, colours, turns or hides text in a terminal; the newline at a line's end aside. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

for (const format of ["text", "json"] as const) {
  for (const [what, name] of hostile) {
    Deno.test(`${format}: a name with ${what} is shown escaped`, () => {
      const [line = ""] = written(format, (log) => log.info("{user}", { user: name }));
      assert(!UNSAFE.test(line.replace(/\n$/, "")), JSON.stringify(line));
    });
  }

  Deno.test(`${format}: whatever somebody is called, it is one line without anything that moves`, () => {
    const character = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(...hostile.map(([, name]) => name)),
    );
    fc.assert(fc.property(fc.array(character), (parts) => {
      const lines = written(format, (log) => log.info("user {user}", { user: parts.join("") }));
      assertEquals(lines.length, 1);
      assert(!UNSAFE.test((lines[0] ?? "").replace(/\n$/, "")), JSON.stringify(lines));
    }));
  });
}

Deno.test("JSON gives a hostile name back as it was", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (user) => {
    const [line = ""] = written("json", (log) => log.info("Added user {user}", { user }));
    assertEquals(JSON.parse(line).user, user);
  }));
});

Deno.test("names with letters of the world are shown as they are", () => {
  for (const name of ["Zoë Müller", "山田 太郎", "נועה", "علی‌رضا", "👩‍💻", "a\\nb"]) {
    assertEquals(plainLine(name), name);
  }
});

Deno.test("braces in a value are no placeholders", () => {
  for (const format of ["text", "json"] as const) {
    const [line = ""] = written(
      format,
      (log) => log.info("{user} to {team}", { user: "{team} {{team}} {*}", team: "T" }),
    );
    assertMatch(line, /\{team\} \{\{team\}\} \{\*\} to T/);
  }
});

Deno.test("of each line that is to be written it is told whether it was, and whether it is one of the audit", () => {
  const told: unknown[] = [];
  const log = createLog({
    level: "INFO",
    format: "text",
    write: (line) => !line.includes("lost"),
    onWritten: (...line) => told.push(line),
  });
  log.info("lost {user}", { ...audit("add", "done"), user: "alice" });
  log.info("lost");
  log.info("written", { ...audit("add", "done") });
  log.debug("lost, but not to be written");
  assertEquals(told, [[false, true], [false, false], [true, true]]);
});

Deno.test("a field that only completes the sentence is in the message, and not beside it", () => {
  const [line = ""] = written("json", (log) => log.info("{_which} of {all}", { _which: "one", all: 3 }));
  assertEquals(JSON.parse(line), { ...JSON.parse(line), message: "one of 3", all: 3 });
  assertEquals("_which" in JSON.parse(line), false);
});

Deno.test("audit lines are handed on whatever the level, and other lines are not", () => {
  const written: string[] = [];
  const handed: unknown[] = [];
  const log = createLog({
    level: "ERROR",
    format: "text",
    write: (line) => written.push(line),
    onAudit: ({ action, user }) => handed.push([action, user]),
  });
  log.info("Added user {user}", { ...audit("add", "done"), user: "alice" });
  log.info("Starting sync");
  log.error("It failed");
  assertEquals(handed, [["add", "alice"]]);
  assertEquals(written.map((line) => line.slice(22).trim()), ["ERROR - It failed"]);
});
