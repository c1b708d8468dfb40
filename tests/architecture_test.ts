import { assert, assertEquals } from "@std/assert";

/** The rooms of `src`, from the door inwards: a file imports from its own room and those further in. */
const ROOMS = [
  "main.ts",
  "cli",
  "service",
  "sync",
  "okta",
  "grafana",
  "http",
  "observability",
  "config",
  "simulation",
];
const SRC = new URL("../src/", import.meta.url);
const MOST_LINES = 300;

interface SourceFile {
  /** Relative to `src`, such as `sync/plan.ts`. */
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly specifiers: readonly string[];
}

/** What a text imports or exports from, statically or not, for values or for types. */
function specifiersOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
  const patterns = [
    /\b(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([_, specifier = ""]) => specifier));
}

async function readSources(folder = ""): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, SRC))) {
    const path = folder + name;
    if (isDirectory) files.push(...await readSources(`${path}/`));
    else if (/\.[jt]sx?$/.test(name)) {
      const text = await Deno.readTextFile(new URL(path, SRC));
      files.push({ path, room: path.split("/")[0] ?? "", text, specifiers: specifiersOf(text) });
    }
  }
  return files;
}

/** Each relative import as a pair of paths under `src`. */
function importsWithin(files: readonly SourceFile[]): { from: SourceFile; to: string; room: string }[] {
  return files.flatMap((from) =>
    from.specifiers.filter((specifier) => specifier.startsWith(".")).map((specifier) => {
      const { pathname } = new URL(specifier, new URL(from.path, SRC));
      const to = pathname.startsWith(SRC.pathname)
        ? pathname.slice(SRC.pathname.length)
        : `outside ${specifier}`;
      return { from, to, room: to.split("/")[0] ?? "" };
    })
  );
}

const sources = await readSources();
const imports = importsWithin(sources);

/** Imports that break a rule, as `from imports to`. */
function breaking(rule: (one: (typeof imports)[number]) => boolean): string[] {
  return imports.filter((one) => !rule(one)).map(({ from, to }) => `${from.path} imports ${to}`);
}

Deno.test("every file of src is in a room that is known, or is version.ts", () => {
  const strangers = sources.filter(({ path, room }) => !ROOMS.includes(room) && path !== "version.ts");
  assertEquals(strangers.map(({ path }) => path), []);
  assert(sources.length > 30 && imports.length > 100, "the test reads the sources");
});

Deno.test("imports in src point one way, down the list of rooms", () => {
  assertEquals(
    breaking(({ from, to, room }) => {
      if (from.path === "version.ts") return to === "outside ../deno.json";
      if (to === "version.ts" || from.room === "simulation") return true;
      return ROOMS.includes(room) && ROOMS.indexOf(room) >= ROOMS.indexOf(from.room);
    }),
    [],
  );
});

/** The circles that a file stands in by what it imports, directly or not: one way round for each. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const circles: string[] = [];
  function visit(file: string, trail: readonly string[]): void {
    if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    else if (!done.has(file)) {
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
      done.add(file);
    }
  }
  for (const file of graph.keys()) visit(file, []);
  return circles;
}

Deno.test("no file of src imports itself by way of others, for values or for types", () => {
  const graph = Map.groupBy(imports, ({ from }) => from.path);
  assertEquals(circlesOf(new Map([...graph].map(([path, all]) => [path, all.map(({ to }) => to)]))), []);
});

Deno.test("this test sees a circle of imports", () => {
  const graph = { a: ["b", "d"], b: ["c"], c: ["b"], d: ["e"], e: ["a"], f: ["a"], g: [] };
  assertEquals(circlesOf(new Map(Object.entries(graph))), ["b -> c -> b", "a -> d -> e -> a"]);
});

Deno.test("only the demo imports the simulation", () => {
  assertEquals(
    breaking(({ from, room }) =>
      room !== "simulation" || from.room === "simulation" || from.path === "cli/demo.ts"
    ),
    [],
  );
});

Deno.test("the simulation imports nothing of src but the configuration", () => {
  assertEquals(
    breaking(({ from, room }) => from.room !== "simulation" || ["simulation", "config"].includes(room)),
    [],
  );
});

/** The rooms of `src/sync`, from the door inwards. Beside them stand the files that know the order. */
const SYNC_ROOMS = ["tell", "act", "plan", "observe"];

Deno.test("imports in the sync point one way: tell, act, plan, observe", () => {
  const roomOf = (path: string) => path.split("/").length > 2 ? path.split("/")[1] ?? "" : "";
  assertEquals(
    breaking(({ from, to }) => {
      const [own, other] = [roomOf(from.path), roomOf(to)];
      if (from.room !== "sync" || own === "" || !to.startsWith("sync/")) return true;
      // The files beside the rooms call them, and are not called by them.
      return other !== "" && SYNC_ROOMS.indexOf(other) >= SYNC_ROOMS.indexOf(own);
    }),
    [],
  );
});

Deno.test("the plan imports no client, no log and no clock", () => {
  const isPure = (path: string) => path.startsWith("sync/plan/");
  const allowed = [
    "config/schema.ts",
    "config/grafana.ts",
    "okta/schema.ts",
    "grafana/schema.ts",
    "grafana/server.ts",
    "grafana/directory.ts",
    "http/error.ts",
    "sync/observe/known.ts",
    "sync/observe/world.ts",
    "sync/observe/groups.ts",
  ];
  assertEquals(breaking(({ from, to }) => !isPure(from.path) || isPure(to) || allowed.includes(to)), []);
  const impure = sources.filter(({ path, text }) =>
    isPure(path) && /\bDeno\.|\bDate\b|\bfetch\(|\bsetTimeout\b|\bMath\.random\b|\bconsole\b/.test(text)
  );
  assertEquals(impure.map(({ path }) => path), []);
});

Deno.test("one file writes to Grafana", () => {
  const writers = sources.filter(({ path, text }) =>
    path.startsWith("sync/") && /\bGrafanaWrites\b/.test(text)
  );
  assertEquals(writers.map(({ path }) => path), ["sync/act/performer.ts"]);
});

Deno.test("no file of the sync is longer than 200 lines", () => {
  const lengths = sources.filter(({ path }) => path.startsWith("sync/"))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
  assertEquals(lengths.filter(({ lines }) => lines > 200), []);
});

Deno.test("no function of the sync is longer than 40 lines", () => {
  const long: string[] = [];
  for (const { path, text } of sources.filter((one) => one.path.startsWith("sync/"))) {
    const judge = ({ range: [start, end] }: { readonly range: readonly [number, number] }) => {
      const lines = text.slice(start, end).split("\n").length;
      if (lines > 40) long.push(`${path}:${text.slice(0, start).split("\n").length} has ${lines} lines`);
    };
    const create = () => ({
      FunctionDeclaration: judge,
      FunctionExpression: judge,
      ArrowFunctionExpression: judge,
    });
    Deno.lint.runPlugin({ name: "functions", rules: { length: { create } } }, path, text);
  }
  assertEquals(long, []);
});

Deno.test(`no file in src is longer than ${MOST_LINES} lines`, () => {
  const lengths = sources.map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
  assertEquals(lengths.filter(({ lines }) => lines > MOST_LINES), []);
});

Deno.test("packages are imported by the names of the import map, never by address", async () => {
  const { imports: names } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", SRC)));
  const isMapped = (specifier: string) =>
    Object.keys(names).some((name) => name.endsWith("/") ? specifier.startsWith(name) : specifier === name);
  const unmapped = sources.flatMap(({ path, specifiers }) =>
    specifiers.filter((one) => !one.startsWith(".") && !one.startsWith("node:") && !isMapped(one))
      .map((specifier) => `${path} imports ${specifier}`)
  );
  assertEquals(unmapped, []);
});

for (
  const [code, found] of [
    ['import { a } from "./a.ts";', ["./a.ts"]],
    ['import type {\n  A,\n  B,\n} from "../b.ts";', ["../b.ts"]],
    ['export * from "./c.ts";\nexport { d } from "./d.ts";', ["./c.ts", "./d.ts"]],
    ['import "npm:side-effect";', ["npm:side-effect"]],
    ['const e = await import("./e.ts");', ["./e.ts"]],
    ['// import { f } from "./f.ts";\n/** import { g } from "./g.ts"; */', []],
    ['import a from "a";\nexport const text = "from";\nimport b from "b";', ["a", "b"]],
  ] as const
) {
  Deno.test(`this test reads ${JSON.stringify(code)} as an import of ${found.join(", ") || "nothing"}`, () => {
    assertEquals(specifiersOf(code), [...found]);
  });
}
