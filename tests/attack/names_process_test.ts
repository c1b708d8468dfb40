/** Names from Okta and Grafana cannot forge anything in what the commands print: real processes, every hostile name at once. */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, run } from "../support.ts";
import { HOSTILE_NAMES, UNSAFE } from "./names.ts";

const NAMES = Object.values(HOSTILE_NAMES);

/** A YAML text in ASCII. */
function quote(name: string): string {
  return JSON.stringify(name).replace(
    /[\x7f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const MAPPINGS = NAMES.map((name) => `    - { okta_group: ${quote(name)}, grafana_team: ${quote(name)} }\n`)
  .join("");
const CONFIG = `
okta: { domain: "\${OKTA_DOMAIN}", api_token: "\${OKTA_API_TOKEN}" }
grafana: { url: "\${GRAFANA_URL}", api_key: "\${GRAFANA_API_KEY}" }
logging: { format: "\${FORMAT:-text}", level: DEBUG }
sync:
  mappings:
${MAPPINGS}`;

/** Runs `test` in a world in which each name is a group, a team, and part of who joins, leaves and waits. */
async function withNames(test: (world: World, cwd: string) => Promise<void>): Promise<void> {
  const world = startWorld();
  const cwd = await directoryWith({ "config.yaml": CONFIG });
  for (const [i, name] of NAMES.entries()) {
    const [joins, waits] = [
      world.addPerson(`joins${i}${name}@a.test`),
      world.okta.addUser(`waits${i}${name}@a.test`),
    ];
    world.okta.addGroup(name, [joins, waits]);
    const leaves = world.grafana.state.addUser({
      login: `leaves${i}${name}`,
      email: `leaves${i}${name}@a.test`,
    });
    world.grafana.state.addTeam(name).members.set(leaves.id, 0);
  }
  try {
    await test(world, cwd);
  } finally {
    await world.close();
    await Deno.remove(cwd, { recursive: true });
  }
}

/** Fails if any line holds what moves a terminal or hides text. */
function assertPlain(text: string): void {
  for (const line of text.split("\n")) assertFalse(UNSAFE.test(line), JSON.stringify(line));
}

Deno.test("gots plan prints a table of one row for each change, whatever the names", () =>
  withNames(async (world, cwd) => {
    const { code, stdout, stderr } = await run(["plan"], { cwd, env: world.environment });
    assertEquals(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n");
    // What goes on in another line begins with blanks there.
    const rows = lines.filter((line) => !line.startsWith("  "));
    assertEquals(rows.length, 1 + 3 * NAMES.length + 1, "head, three rows a team, summary");
    for (const sign of ["+ add", "- remove", "~ pending"]) {
      assert(lines.filter((line) => line.includes(`  ${sign}  `)).length >= NAMES.length, sign);
    }
    assertPlain(stdout);
    assertPlain(stderr);
  }));

Deno.test("gots plan --format json gives every name back as it was", () =>
  withNames(async (world, cwd) => {
    const { code, stdout } = await run(["plan", "--format", "json"], { cwd, env: world.environment });
    assertEquals(code, 0);
    const { teams } = JSON.parse(stdout);
    assertEquals(teams.map(({ name }: { name: string }) => name), NAMES);
    for (const [i, name] of NAMES.entries()) assertEquals(teams[i].add[0].email, `joins${i}${name}@a.test`);
  }));

// JSON.stringify leaves eight-bit escapes, bidirectional controls and separators as they are: src/cli/sync.ts, plan.
Deno.test(
  "gots plan --format json holds nothing that moves a terminal",
  () =>
    withNames(async (world, cwd) => {
      assertPlain((await run(["plan", "--format", "json"], { cwd, env: world.environment })).stdout);
    }),
);

for (const format of ["text", "json"]) {
  Deno.test(`gots sync writes one line for each thing that it did, whatever the names, as ${format}`, () =>
    withNames(async (world, cwd) => {
      const { code, stdout, stderr } = await run(["sync"], {
        cwd,
        env: { ...world.environment, FORMAT: format },
      });
      assertEquals(code, 0, stderr);
      assertPlain(stdout + stderr);
      const lines = stderr.trimEnd().split("\n");
      for (const word of ["Added user", "Removed user", "Starting sync", "Sync completed"]) {
        const begins = format === "text"
          ? new RegExp(`^[\\d: -]{19} - INFO - ${word}`)
          : new RegExp(`"message":"${word}`);
        assertEquals(lines.filter((line) => begins.test(line)).length, NAMES.length, word);
      }
      if (format === "json") { for (const line of lines) JSON.parse(line); }
      for (const [i, name] of NAMES.entries()) {
        assertEquals(world.grafana.state.membersOf(name), [`joins${i}${name}@a.test`]);
      }
    }));
}

Deno.test("gots validate accepts every name and repeats none", () =>
  withNames(async (world, cwd) => {
    const { code, stdout, stderr } = await run(["validate"], { cwd, env: world.environment });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(
      stdout,
      `config.yaml is valid: ${NAMES.length} mappings into ${NAMES.length} teams, every 300 s\n`,
    );
  }));

Deno.test("the command that gots plan prints for a team on hold is one word to a shell, whatever the team's name", async (t) => {
  for (const [what, name] of Object.entries(HOSTILE_NAMES)) {
    if (UNSAFE.test(name)) continue;
    await t.step(what, async () => {
      await using world = startWorld();
      const config = CONFIG.replace(
        MAPPINGS,
        `    - { okta_group: ${quote(name)}, grafana_team: ${quote(name)} }\n`,
      );
      const cwd = await directoryWith({ "config.yaml": config });
      world.okta.addGroup(name, [world.addPerson("stays@a.test")]);
      const team = world.grafana.state.addTeam(name);
      for (let i = 0; i < 9; i++) {
        team.members.set(world.grafana.state.addUser({ login: `l${i}`, email: `l${i}@a.test` }).id, 0);
      }
      const { stdout } = await run(["plan"], { cwd, env: world.environment });
      const [, command = ""] = stdout.match(/run once:\n {2}(.*)\n/) ?? [];
      assertStringIncludes(command, "gots sync --allow-removals");
      const shell = new Deno.Command("sh", { args: ["-c", `gots() { printf '%s\\n' "$@"; }; ${command}`] });
      const printed = new TextDecoder().decode((await shell.output()).stdout);
      assertEquals(printed, `sync\n--allow-removals\n${name}\n`);
      await Deno.remove(cwd, { recursive: true });
    });
  }
});
