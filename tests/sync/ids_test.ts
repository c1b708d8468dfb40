/** Ids that cannot be: an answer with one of them is refused, and nobody is written by it. */
import { assertEquals, assertMatch } from "@std/assert";
import { type CycleWorld, errorsOf, fits, summary, withCycles } from "./cycle_world.ts";

const SETTINGS = {
  mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "U" }],
  sync: { removal_limit: "off" as const },
};

/** What a list answers in place of the truth; `list` is the list itself. */
type Damage = (list: Record<string, unknown>[]) => unknown[];

const CASES: readonly (readonly [
  what: string,
  service: "okta" | "grafana",
  path: RegExp,
  damage: Damage,
  says: RegExp,
  ends: readonly string[],
])[] = [
  [
    "team members with the user id 0",
    "grafana",
    /^\/api\/teams\/1\/members$/,
    (list) => list.map((one) => ({ ...one, userId: 0 })),
    /^A: the response does not have the expected shape at \[0\]\.userId/,
    ["A->T: +0 -0, 1 errors", "B->U: +1 -0"],
  ],
  [
    "team members with a negative user id",
    "grafana",
    /^\/api\/teams\/1\/members$/,
    (list) => list.map((one) => ({ ...one, userId: -1 })),
    /^A: the response does not have the expected shape at \[0\]\.userId/,
    ["A->T: +0 -0, 1 errors", "B->U: +1 -0"],
  ],
  [
    "a team member twice",
    "grafana",
    /^\/api\/teams\/1\/members$/,
    (list) => [...list, ...list],
    /^A: the response contains the id 3 twice \(Grafana GET \/api\/teams\/1\/members\)/,
    ["A->T: +0 -0, 1 errors", "B->U: +1 -0"],
  ],
  [
    "a user of the organisation twice",
    "grafana",
    /^\/api\/org\/users\/search$/,
    (list) => [...list, ...list.slice(-1)],
    /^A: the users of Grafana could not be read: the response contains the id \d+ twice/,
    ["A->T: +0 -0, 1 errors", "B->U: +0 -0, 1 errors"],
  ],
  [
    "a user of the organisation with the id 0",
    "grafana",
    /^\/api\/org\/users\/search$/,
    (list) => list.map((one) => ({ ...one, userId: 0 })),
    /^A: the users of Grafana could not be read: .*userId/,
    ["A->T: +0 -0, 1 errors", "B->U: +0 -0, 1 errors"],
  ],
  [
    "a team twice",
    "grafana",
    /^\/api\/teams\/search$/,
    (list) => [...list, ...list],
    /^A: the teams of Grafana could not be read: the response contains the id 1 twice/,
    ["A->T: +0 -0, 1 errors", "B->U: +0 -0, 1 errors"],
  ],
  [
    "a member of an Okta group without an id",
    "okta",
    /^\/api\/v1\/groups\/00g000001\/users$/,
    (list) => list.map((one) => ({ ...one, id: "" })),
    /^A: the response does not have the expected shape at \[0\]\.id/,
    ["A->T: +0 -0, 1 errors", "B->U: +1 -0"],
  ],
  [
    "a member of an Okta group twice",
    "okta",
    /^\/api\/v1\/groups\/00g000001\/users$/,
    (list) => [...list, ...list],
    /^A: the response contains the id "00u\d+" twice/,
    ["A->T: +0 -0, 1 errors", "B->U: +1 -0"],
  ],
];

/** Lets a list be answered otherwise than it is. */
function damageList({ world }: CycleWorld, service: "okta" | "grafana", path: RegExp, damage: Damage): void {
  world[service].intercept = async (request, proceed) => {
    const answer = await proceed();
    if (!fits(request, "GET", path)) return answer;
    const body = await answer.json();
    const { headers } = answer;
    if (Array.isArray(body)) return Response.json(damage(body), { headers });
    const [key] = Object.keys(body).filter((one) => Array.isArray(body[one]));
    return Response.json({ ...body, [key ?? ""]: damage(body[key ?? ""]) }, { headers });
  };
}

for (const [what, service, path, damage, says, ends] of CASES) {
  Deno.test(`${what}: the answer is refused, and nobody is removed or added by it`, () =>
    withCycles(SETTINGS, async (cycles) => {
      const { world, cycle } = cycles;
      const [ann, bob, cy] = ["ann", "bob", "cy"].map((name) => world.addPerson(`${name}@example.com`));
      if (!ann || !bob || !cy) throw new TypeError("three people");
      world.okta.addGroup("A", [bob, ann]);
      world.okta.addGroup("B", [ann]);
      const team = world.grafana.state.addTeam("T");
      team.members.set(world.grafana.state.lookUp("bob@example.com")?.id ?? 0, 4);
      damageList(cycles, service, path, damage);
      const report = await cycle();
      assertEquals(summary(report), ends);
      assertMatch(errorsOf(report)[0] ?? "", says);
      assertEquals([...team.members.values()], [4], "the team's admin is one still");
    }));
}
