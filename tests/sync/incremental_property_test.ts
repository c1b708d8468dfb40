/** Incremental cycles end in the same teams as full ones, whatever happens on both sides. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { World } from "../../src/simulation/world.ts";
import { withCycles } from "./cycle_world.ts";

const PEOPLE = ["ann", "bob", "cy", "dee", "eve"];
const MAPPINGS = [
  { okta_group: "A", grafana_team: "T" },
  { okta_group: "B", grafana_team: "T", allow_empty: true },
  { okta_group: "B", grafana_team: "U", allow_empty: true },
];

/** Something that happens: what, to whom, and where. */
type Step = readonly [what: keyof typeof HAPPENINGS | "cycle", who: number, where: number];

const groupOf = ({ okta }: World, where: number) => okta.groups[where % 2];
const teamOf = ({ grafana: { state } }: World, where: number) => state.team(["T", "U"][where % 2] ?? "");
const userOf = ({ okta }: World, who: number) => okta.users[who];
const accountOf = ({ grafana: { state } }: World, who: number) => state.lookUp(`${PEOPLE[who]}@example.com`);

const HAPPENINGS = {
  join: (world: World, who: number, where: number) => {
    const user = userOf(world, who);
    if (user) groupOf(world, where)?.members.add(user);
  },
  leave: (world: World, who: number, where: number) => {
    const user = userOf(world, who);
    if (user) groupOf(world, where)?.members.delete(user);
  },
  clear: (world: World, _: number, where: number) => groupOf(world, where)?.members.clear(),
  suspend: (world: World, who: number) => Object.assign(userOf(world, who) ?? {}, { status: "SUSPENDED" }),
  deactivate: (world: World, who: number) =>
    Object.assign(userOf(world, who) ?? {}, { status: "DEPROVISIONED" }),
  activate: (world: World, who: number) => Object.assign(userOf(world, who) ?? {}, { status: "ACTIVE" }),
  retitle: (world: World, who: number) => Object.assign(userOf(world, who) ?? {}, { firstName: "Dr." }),
  put: (world: World, who: number, where: number) => {
    const account = accountOf(world, who);
    if (account) teamOf(world, where)?.members.set(account.id, 0);
  },
  take: (world: World, who: number, where: number) =>
    teamOf(world, where)?.members.delete(accountOf(world, who)?.id ?? 0),
  swap: (world: World, who: number, where: number) => {
    const [one, other] = [accountOf(world, who), accountOf(world, (who + 1) % PEOPLE.length)];
    const members = teamOf(world, where)?.members;
    if (one && other && members?.delete(one.id)) members.set(other.id, 0);
  },
  drop: ({ grafana: { state } }: World, _: number, where: number) => {
    state.teams.delete(state.team(["T", "U"][where % 2] ?? "")?.id ?? 0);
  },
  signIn: ({ grafana: { state } }: World, who: number) => {
    const email = `${PEOPLE[who]}@example.com`;
    if (!state.lookUp(email)) state.addUser({ login: email, email });
  },
  deleteAccount: (world: World, who: number) => {
    const { state } = world.grafana;
    const id = accountOf(world, who)?.id ?? 0;
    state.users.delete(id);
    for (const { members } of state.teams.values()) members.delete(id);
  },
} as const;

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...Object.keys(HAPPENINGS) as (keyof typeof HAPPENINGS)[]) },
    { weight: 1, arbitrary: fc.constant("cycle" as const) },
  ),
  fc.nat(PEOPLE.length - 1),
  fc.nat(1),
);

const SECONDS = { full: 900, between: 300 };

/** The teams after this history, and after every cycle of it. */
async function play(history: readonly Step[], incremental: boolean, version: string) {
  const ends: string[][] = [];
  const settings = {
    mappings: MAPPINGS,
    sync: { incremental, removal_limit: "off", full_refresh_seconds: SECONDS.full },
    network: (world: World) => world.fetch,
  };
  await withCycles(settings, async ({ world, cycle, clock }) => {
    const { state } = world.grafana;
    state.version = version;
    const pass = (seconds: number) => clock.sleep(seconds * 1_000, new AbortController().signal);
    world.okta.clock = () => clock.now() - 3_600_000;
    const users = PEOPLE.map((name) => world.okta.addUser(`${name}@example.com`));
    for (const { email } of users.slice(0, 4)) state.addUser({ login: email ?? "", email: email ?? "" });
    world.okta.addGroup("A", users.slice(0, 3));
    world.okta.addGroup("B", users.slice(2));
    world.okta.clock = clock.now;
    const run = async () => {
      await cycle();
      await pass(SECONDS.between);
      return [state.membersOf("T").join(" "), state.membersOf("U").join(" ")];
    };
    await run();
    for (const [what, who, where] of history) {
      if (what === "cycle") await run();
      else HAPPENINGS[what](world, who, where);
    }
    ends.push(await run());
    await pass(SECONDS.full);
    await run();
    ends.push(await run());
  });
  return ends;
}

/** What happens without a trace that anybody could ask for: only a full cycle sees it. */
const TRACELESS: readonly string[] = ["swap", "put", "take", "deleteAccount", "drop"];

Deno.test("over random histories of changes on both sides, incremental cycles end in the same teams as full ones, at the latest after one full refresh", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom("9.5.0", "11.1.0"),
      async (history, version) => {
        const [incremental, full] = [await play(history, true, version), await play(history, false, version)];
        assertEquals(incremental.at(-1), full.at(-1));
        const isTraced = history.every(([what]) => !TRACELESS.includes(what));
        if (isTraced) assertEquals(incremental[0], full[0], "what Okta tells of is seen at once");
      },
    ),
    { numRuns: 150 },
  ));
