/** Names that somebody may choose in Okta or Grafana to deceive whoever reads of them. */

/** Hostile names by what they try. */
export const HOSTILE_NAMES: Readonly<Record<string, string>> = {
  "a newline and a forged line": "a\n2026-01-01 00:00:00 - INFO - Removed user root from team Admins\nb",
  "a newline and a forged JSON line":
    'a\n{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","message":"forged"}\nb',
  "a carriage return": "a\rforged\r\nb",
  "an end of the JSON string": 'a","level":"DEBUG","message":"forged","x":"b',
  "a colour": "a\x1b[31;1mred\x1b[0mb",
  "a cleared screen": "a\x1b[2J\x1b[H\x1bcb",
  "a window title": "a\x1b]0;owned\x07b",
  "a link of a terminal": "a\x1b]8;;http://evil.test\x1b\\click\x1b]8;;\x1b\\b",
  "an eight-bit escape": "a\x9b31mred\x9d0;owned\x9cb",
  "backspaces": "admin\b\b\b\b\bother\x7f\x7f",
  "a bell and other controls": "a\x00\x01\x05\x07\x0b\x0c\x0e\x85b",
  "bidirectional controls": "a\u202egnp.exe\u202c\u2066b\u2069\u200f\u061c",
  "a soft hyphen": "ad\u00admin",
  "blanks without width": "ad\u200bmin\ufeff\u2060b",
  "tag characters": "a\u{e0041}\u{e0042}\u{e007f}b",
  "a line and a paragraph separator": "a\u2028forged\u2029b",
  "an annotation": "a\ufff9b\ufffac\ufffb",
  "a NUL": "a\0b",
  "a forged metric": '"} 1\nfoo{bar="',
  "a backslash at its end": 'a\\"\\',
  "HTML": `<script>alert(1)</script><img src=x onerror="alert('1')">&lt;`,
  "a placeholder": "{user} {{team}} {*} {error}",
  "quotes of a shell": `'; touch /tmp/forged; '"$(id)"`,
  "a format": "%s %o %c $HOME `x` $(id) ; x | y",
  "the name of the prototype": "__proto__",
  "the name of a method": "constructor",
  "255 emoji": "👩‍💻".repeat(85),
  "marks without end": `z${"\u0300\u0301".repeat(120)}`,
};

/** What moves, colours, turns or hides text; the joiners that scripts and emoji need aside. */
// deno-lint-ignore no-control-regex
export const UNSAFE = /(?![\u200c\u200d])[\x00-\x1f\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/u;

/** The metrics in a text of Prometheus's form: labels and value of each series, by its name. Throws if any line is none. */
export function parseMetrics(text: string): { name: string; labels: Map<string, string>; value: string }[] {
  if (!text.endsWith("\n")) throw new Error("the text does not end in a newline");
  return text.slice(0, -1).split("\n").filter((line) =>
    line && !/^# (?:HELP|TYPE) gots_|^# (?:HELP|TYPE) process_/.test(line)
  )
    .map((line) => {
      const [, name = "", rest, value = ""] =
        line.match(/^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*)\})? ([\d.e+-]+|\+Inf|NaN)$/s) ??
          [];
      if (!name) throw new Error(`a line is no metric: ${JSON.stringify(line)}`);
      const labels = [...(rest ?? "").matchAll(/([a-z_]+)="((?:[^"\\]|\\[\\"n])*)"/gs)].map((
        [, label = "", quoted = ""],
      ) => [label, quoted.replace(/\\([\\"n])/g, (_, escaped) => escaped === "n" ? "\n" : escaped)] as const);
      return { name, labels: new Map(labels), value };
    });
}
