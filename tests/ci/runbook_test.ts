/** The runbook of GotsManyRemoved puts back whom gots removed: its own commands, run by bash. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";
import { runMain } from "../cli/world.ts";
import { fencesOf, readDocument } from "../docs/fences.ts";
import { directoryWith } from "../support.ts";
import { lacks } from "./tool.ts";

const [settings = "", token = "", list = "", carryOut = "", end = ""] = fencesOf(
  await readDocument("docs/runbooks/GotsManyRemoved.md"),
  "bash",
);

/** Groups of Okta, and the teams that they feed. */
const TEAMS: readonly (readonly [group: string, team: string])[] = [
  ["Engineering", "Engineers"],
  ["engineering", "engineers"],
  ["Data Science", "Data Scientists"],
  ["Ops", `R&D / Ops = "50%" + it's $HOME \\n #1`],
  ["Größe", "größer 🚀"],
];

const PEOPLE = [
  "alice@example.com",
  "jane+ops@example.com",
  "jane@example.com",
  "o'brien@example.com",
  `"quoted name"@example.com`,
  "a/b&c=d%20@example.com",
  "jörg@example.com",
];

interface Scene {
  readonly world: World;
  /** Where the runbook is worked through; the log lies in it. */
  readonly directory: string;
  /** Runs a cycle, which adds to the log. */
  readonly cycle: (environment?: Record<string, string>) => Promise<void>;
  readonly members: () => Record<string, string[]>;
  /** Runs these commands, with the token typed in. */
  readonly bash: (...blocks: string[]) => Promise<string>;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The runbook's first block, with other values. */
function settingsFor({ grafana }: World, values: { since?: string; until?: string; team?: string } = {}) {
  const all = { grafana: grafana.url, since: "2000-01-01", until: "3000-01-01", team: "", ...values };
  const names = Array.from(settings.matchAll(/(\w+)=/g), ([, name]) => name);
  assertEquals(names, Object.keys(all));
  return Object.entries(all).map(([name, value]) => `${name}=${quote(value)}\n`).join("");
}

/** Every team has all people; then all leave its group but the first. */
async function afterExodus(test: (scene: Scene) => Promise<void>, format = "json"): Promise<void> {
  await using world = startWorld();
  const people = PEOPLE.map((email) => world.addPerson(email));
  const mappings = TEAMS.map(([okta_group, grafana_team]) => ({ okta_group, grafana_team }));
  for (const { okta_group } of mappings) world.okta.addGroup(okta_group, people);
  const sync = { mappings, removal_limit: "off" };
  const directory = await directoryWith({
    "config.yaml": JSON.stringify({ sync, logging: { format } }),
    "gots.log": "a line of something else\n42\n",
  });
  const scene: Scene = {
    world,
    directory,
    async cycle(environment = {}) {
      const around = { ...world.environment, ...environment };
      const { stderr } = await runMain(["sync", `${directory}/config.yaml`], around);
      await Deno.writeTextFile(`${directory}/gots.log`, stderr, { append: true });
    },
    members: () => Object.fromEntries(TEAMS.map(([, team]) => [team, world.grafana.state.membersOf(team)])),
    async bash(...blocks) {
      const process = new Deno.Command("bash", {
        args: ["-eu", "-o", "pipefail", "-c", blocks.join("\n")],
        cwd: directory,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = process.stdin.getWriter();
      await writer.write(new TextEncoder().encode(`${CREDENTIALS.grafanaToken}\n`));
      await writer.close();
      const { code, stdout, stderr } = await process.output();
      const [output = "", errors = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assertEquals([code, errors], [0, ""], output);
      return output;
    },
  };
  try {
    await scene.cycle();
    for (const { okta_group } of mappings) {
      for (const user of people.slice(1)) world.okta.group(okta_group).members.delete(user);
    }
    await test(scene);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const ignore = ["bash", "jq", "curl"].some(lacks);

for (const format of ["json", "text"]) {
  Deno.test({
    name: `all teams are as before, from a log in ${format}, and a second run changes nothing`,
    ignore,
    fn: () =>
      afterExodus(async ({ world, cycle, members, bash, directory }) => {
        const before = members();
        await cycle();
        assertEquals(members(), Object.fromEntries(TEAMS.map(([, team]) => [team, ["alice@example.com"]])));
        const work = [settingsFor(world), token, list, carryOut, end];
        const first = await bash(...work);
        assertEquals(members(), before);
        assertEquals(first.match(/^put back: /gm)?.length, 30);
        assertStringIncludes(first, "put back: jane+ops@example.com, Data Scientists\n");
        const second = await bash(...work);
        assertEquals([members(), second.match(/^was there: /gm)?.length], [before, 30]);
        const left = Array.from(Deno.readDirSync(directory), ({ name }) => name);
        assertEquals(left.includes("authorization"), false);
      }, format),
  });
}

Deno.test({
  name: "one team alone is put back, and whoever is taken out of the list stays out",
  ignore,
  fn: () =>
    afterExodus(async ({ world, cycle, members, bash, directory }) => {
      await cycle();
      const before = members();
      const [, team] = TEAMS[3] ?? ["", ""];
      const first = [settingsFor(world, { team }), token, list, "sed -i /jane+ops@/d restore.tsv", carryOut];
      await bash(...first, list);
      const back = PEOPLE.filter((email) => email !== "jane+ops@example.com").sort();
      assertEquals(members(), { ...before, [team]: back });
      const listedAgain = await Deno.readTextFile(`${directory}/restore.tsv`);
      assertEquals(listedAgain.split("\n").length - 1, PEOPLE.length - 1, "still for this team alone");
    }),
});

Deno.test({
  name: "only what was removed within the time window, and not added again since, is put back",
  ignore,
  fn: () =>
    afterExodus(async ({ world, cycle, members, bash, directory }) => {
      const [alice, jane] = world.okta.users;
      if (!alice || !jane) throw new TypeError("the world has people");
      const listed = async (window: { since?: string; until?: string }) => {
        await bash(settingsFor(world, { team: "Engineers", ...window }), token, list);
        const lines = (await Deno.readTextFile(`${directory}/restore.tsv`)).trimEnd().split("\n");
        return lines.map((line) => line.split("\t")[3]).sort();
      };
      const { members: group } = world.okta.group("Engineering");
      await cycle();
      group.add(jane);
      await cycle();
      const between = new Date(Date.now() + 1).toISOString();
      group.delete(alice);
      await cycle();
      const gone = PEOPLE.filter((email) => email !== jane.email && email !== alice.email).sort();
      assertEquals(await listed({ until: between }), gone);
      assertEquals(await listed({ since: between }), [alice.email]);

      const before = members();
      await bash(settingsFor(world, { since: between }), token, list, carryOut);
      assertEquals(members(), { ...before, Engineers: [alice.email, jane.email] });
    }),
});

Deno.test({
  name: "what a dry run would have removed is not in the list",
  ignore,
  fn: () =>
    afterExodus(async ({ world, cycle, bash, directory }) => {
      await cycle({ SYNC_DRY_RUN: "true" });
      await bash(settingsFor(world), token, list);
      assertEquals(await Deno.readTextFile(`${directory}/restore.tsv`), "");
      assertStringIncludes(await Deno.readTextFile(`${directory}/gots.log`), "Would remove user");
    }),
});

Deno.test({
  name: "whoever got another email in Grafana meanwhile is put back all the same, by the id in the log",
  ignore,
  fn: () =>
    afterExodus(async ({ world, cycle, members, bash }) => {
      await cycle();
      for (const user of world.grafana.state.users.values()) {
        if (user.email === "jane@example.com") {
          Object.assign(user, { email: "jane.doe@example.com", login: "jd" });
        }
      }
      await bash(settingsFor(world), token, list, carryOut);
      assertEquals(members()["Engineers"]?.includes("jane.doe@example.com"), true);
    }),
});

Deno.test({
  name: "who or what Grafana no longer has is named, a refusal is shown, and the rest is put back",
  ignore,
  fn: () =>
    afterExodus(async ({ world, cycle, members, bash }) => {
      const before = members();
      await cycle();
      const { state } = world.grafana;
      for (const user of state.users.values()) if (user.email === "jane@example.com") user.orgs.clear();
      state.team("größer 🚀")!.name = "gone";
      world.grafana.intercept = (request, proceed) =>
        request.method === "POST" && request.url.endsWith("/api/teams/1/members")
          ? Response.json({ message: "Team memberships cannot be updated for provisioned teams" }, {
            status: 400,
          })
          : proceed();
      const output = await bash(settingsFor(world), token, list, carryOut);
      assertStringIncludes(output, "not found: jane@example.com, Data Scientists\n");
      assertStringIncludes(output, "not found: jörg@example.com, größer 🚀\n");
      assertMatch(output, /^FAILED: jörg@example.com, Engineers: 400 .*provisioned teams/m);
      const jane = (email: string) => email !== "jane@example.com";
      assertEquals(members()["Data Scientists"], before["Data Scientists"]?.filter(jane));
      assertEquals(members()["engineers"], before["engineers"]?.filter(jane));
    }),
});

Deno.test({
  name: "the token stands in a file that its owner alone may read, and on no command line",
  ignore,
  fn: () =>
    afterExodus(async ({ world, cycle, bash }) => {
      await cycle();
      const trace = await bash(
        settingsFor(world),
        token,
        "stat -c %a authorization; exec 2>&1; set -x",
        list,
        carryOut,
      );
      assertMatch(trace, /^(Grafana token: )?600$/m);
      assertMatch(trace, /\+ curl .*-H @authorization/);
      assertEquals(trace.includes(CREDENTIALS.grafanaToken), false);
    }),
});
