/** What `gots plan` shows of removals on hold, and how `gots sync --allow-removals` lets them through. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, run as runProcess } from "../support.ts";
import { emails } from "../sync/fixtures.ts";
import { type Ran, runMain } from "./world.ts";

interface Setup {
  readonly world: World;
  readonly directory: string;
  readonly config: string;
  readonly run: (...args: string[]) => Promise<Ran>;
}

/** Every team had the six members of group G; then four of them left it. */
async function afterExodus(
  { teams, file = "config.yaml", extra = {} }: { teams: readonly string[]; file?: string; extra?: object },
  test: (setup: Setup) => Promise<void>,
): Promise<void> {
  const world = startWorld();
  const people = emails(1, 6).map((email) => world.addPerson(email));
  world.okta.addGroup("G", people);
  const mappings = teams.map((grafana_team) => ({ okta_group: "G", grafana_team, ...extra }));
  const directory = await directoryWith({ [file]: JSON.stringify({ sync: { mappings } }) });
  const config = `${directory}/${file}`;
  const run = (...args: string[]) => runMain(args, world.environment);
  try {
    assertEquals((await run("sync", config)).code, 0);
    for (const user of people.slice(0, 4)) world.okta.group("G").members.delete(user);
    await test({ world, directory, config, run });
  } finally {
    await world.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** The words that a shell makes of a line. */
async function shellWords(line: string): Promise<string[]> {
  const script = `printf '%s\\0' ${line}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

const commandsIn = ({ stdout }: Pick<Ran, "stdout">) =>
  stdout.match(/^ {2}gots sync .*$/gm)?.map((line) => line.trim()) ?? [];

Deno.test("plan shows who is on hold, why, and the command that lets them through, with its configuration", () =>
  afterExodus({ teams: ["T"] }, async ({ config, run }) => {
    const ran = await run("plan", config);
    assertEquals(ran.code, 1);
    assertMatch(
      ran.stdout,
      /T {5}! on hold {2}p1@example\.com {2}4 of 6 members would go, 66 %, more than the/,
    );
    assertEquals(ran.stdout.match(/! on hold/g)?.length, 4);
    assertStringIncludes(ran.stdout, "To remove them anyway, run once:\n");
    assertEquals(commandsIn(ran), [`gots sync --allow-removals T ${config}`]);
    assertMatch(ran.stdout, /0 to add, 0 to remove, 0 pending, 4 removals on hold, 0 errors/);
  }));

Deno.test("plan shows who waits because of the removals on hold", () =>
  afterExodus({ teams: ["T"] }, async ({ world, config, run }) => {
    for (const email of emails(7, 8)) world.okta.group("G").members.add(world.addPerson(email));
    const { stdout } = await run("plan", config);
    assertMatch(stdout, /T {5}\+ add {6}p7@example\.com/);
    assertMatch(stdout, /T {5}! on hold {2}p8@example\.com {2}removals from this team are on hold/);
  }));

Deno.test("plan prints one command a team, and none for what no command lets through", () =>
  afterExodus({ teams: ["T", "U"] }, async ({ world, config, run }) => {
    const commands = commandsIn(await run("plan", config));
    assertEquals(commands, ["T", "U"].map((team) => `gots sync --allow-removals ${team} ${config}`));
    world.okta.group("G").members.clear();
    const empty = await run("plan", config);
    assertStringIncludes(empty.stdout, "! on hold");
    assertEquals([commandsIn(empty), empty.stdout.includes("nevertheless")], [[], false]);
  }));

Deno.test("the JSON form has the reason, the command, who is on hold and who waits", () =>
  afterExodus({ teams: ["T"] }, async ({ world, config, run }) => {
    for (const email of emails(7, 8)) world.okta.group("G").members.add(world.addPerson(email));
    const { stdout, code } = await run("plan", "--format", "json", config);
    const [{ add, remove, on_hold: onHold, keep }] = JSON.parse(stdout).teams;
    const who = (changes: { email: string }[]) => changes.map(({ email }) => email);
    assertEquals([code, who(add), remove, keep], [1, ["p7@example.com"], [], []]);
    assertEquals([onHold.reason, who(onHold.remove), who(onHold.add)], [
      "removal-limit",
      emails(1, 4),
      ["p8@example.com"],
    ]);
    assertMatch(onHold.command, /^gots sync --allow-removals T\b/);
    assertMatch(onHold.explanation, /^4 of 6 members would go/);
  }));

Deno.test(
  "the command in the JSON form names the configuration, as the table's does",
  () =>
    afterExodus({ teams: ["T"] }, async ({ config, run }) => {
      const { stdout } = await run("plan", "--format", "json", config);
      assertEquals(JSON.parse(stdout).teams[0].on_hold.command, `gots sync --allow-removals T ${config}`);
    }),
);

Deno.test("the JSON form has no command for a group that is empty", () =>
  afterExodus({ teams: ["T"] }, async ({ world, config, run }) => {
    world.okta.group("G").members.clear();
    const { on_hold: onHold } = JSON.parse((await run("plan", "--format", "json", config)).stdout).teams[0];
    assertEquals([onHold.reason, onHold.command, onHold.add], ["empty-group", null, []]);
  }));

Deno.test("plan shows who is kept, in the table and in JSON, and that is no failure and no change", () =>
  afterExodus({ teams: ["T"], extra: { policy: "add-only" } }, async ({ config, run }) => {
    const table = await run("plan", "--detailed-exitcode", config);
    assertEquals(table.code, 0);
    assertMatch(
      table.stdout,
      /T {5}= keep {2}p1@example\.com {2}the policy of this team is add-only; not in Okta/,
    );
    const [{ keep, on_hold: onHold }] =
      JSON.parse((await run("plan", "--format", "json", config)).stdout).teams;
    assertEquals([keep.length, keep[0].email, keep[0].reason, onHold], [
      4,
      "p1@example.com",
      "add-only",
      null,
    ]);
    const synced = await run("sync", "--allow-removals", "T", config);
    assertEquals(synced.code, 0);
    assertMatch(synced.stdout, /6 members: 0 added, 0 removed/);
  }));

Deno.test("--allow-removals is repeatable, lets only these teams through, and the status tells of the others", () =>
  afterExodus({ teams: ["T", "U", "V"] }, async ({ world, config, run }) => {
    assertEquals((await run("sync", config)).code, 1);
    const some = await run("sync", "--allow-removals", "T", "--allow-removals=V", config);
    assertEquals(some.code, 1);
    assertMatch(some.stdout, /0 added, 8 removed, 0 pending, 4 removals on hold, 0 errors/);
    assertEquals(["T", "U", "V"].map((team) => world.grafana.state.membersOf(team).length), [2, 6, 2]);
    assertEquals((await run("sync", config, "--allow-removals", "U")).code, 0);
  }));

const UNKNOWN: readonly (readonly [team: string, said: string])[] = [
  ["Enginers", "error: --allow-removals: no mapping has the team 'Enginers'; did you mean 'Engineers'?\n"],
  ["engineers", "error: --allow-removals: no mapping has the team 'engineers'; did you mean 'Engineers'?\n"],
  ["Something else", "error: --allow-removals: no mapping has the team 'Something else'\n"],
  ["", "error: --allow-removals: no mapping has the team ''\n"],
];

for (const [team, said] of UNKNOWN) {
  Deno.test(`--allow-removals '${team}' is wrong usage, and nothing is asked or written`, () =>
    afterExodus({ teams: ["Engineers"] }, async ({ world, config, run }) => {
      const before = world.okta.received.length + world.grafana.received.length;
      const { code, stderr, stdout } = await run("sync", "--allow-removals", team, config);
      assertEquals([code, stderr, stdout], [64, said, ""]);
      assertEquals(world.okta.received.length + world.grafana.received.length, before);
    }));
}

Deno.test("--allow-removals without a team, or with another command, is wrong usage", () =>
  afterExodus({ teams: ["T"] }, async ({ config, run }) => {
    assertEquals((await run("sync", "--allow-removals")).code, 64);
    for (const command of ["plan", "run", "validate"]) {
      assertEquals((await run(command, "--allow-removals", "T", config)).code, 64);
    }
  }));

Deno.test("--allow-removals does not override an empty group, nor one that cannot be read", () =>
  afterExodus({ teams: ["T"] }, async ({ world, config, run }) => {
    world.okta.group("G").members.clear();
    assertEquals((await run("sync", "--allow-removals", "T", config)).code, 1);
    world.okta.groups.splice(0);
    assertEquals((await run("sync", "--allow-removals", "T", config)).code, 1);
    assertEquals(world.grafana.state.membersOf("T"), emails(1, 6));
  }));

const NAMES: readonly string[] = [
  "Data Scientists",
  "it's",
  '"quoted" $HOME `id` \\ !x',
  "-rf",
  "--config",
  "a;b&c|d>e",
  "~root",
  "*",
  "größer 🚀",
  "#1",
  "tail ",
];

for (const team of NAMES) {
  Deno.test(`a shell takes the command for the team ${JSON.stringify(team)} as it is, and it works`, () =>
    afterExodus({ teams: [team], file: "my 'own' config.yaml" }, async ({ world, config, run }) => {
      const [command = ""] = commandsIn(await run("plan", config));
      const [program, ...args] = await shellWords(command);
      assertEquals([program, args.at(-1)], ["gots", config]);
      assertEquals((await run(...args)).code, 0);
      assertEquals(world.grafana.state.membersOf(team), emails(5, 6));
    }));
}

Deno.test("the command names no configuration if it is the default one; a process of its own takes it", () =>
  afterExodus({ teams: ["T"] }, async ({ world, directory }) => {
    const options = { cwd: directory, env: world.environment };
    assertEquals(commandsIn(await runProcess(["plan"], options)), ["gots sync --allow-removals T"]);
    assertEquals((await runProcess(["sync", "--allow-removals", "T"], options)).code, 0);
    assertEquals(world.grafana.state.membersOf("T"), emails(5, 6));
  }));
