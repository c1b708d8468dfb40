/** The settings that decide who is removed: what they take, what they inherit, what is said of a mistake. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Config } from "../../src/config/schema.ts";
import { documentWith, load, problemsOf } from "./world.ts";

/** A document whose `sync` has these settings beside one mapping, which has these. */
function settings(sync: string, mapping = ""): string {
  const own = mapping && `, ${mapping}`;
  return documentWith({
    sync: `{ ${sync && `${sync}, `}mappings: [{ okta_group: A, grafana_team: T${own} }] }`,
  });
}

async function syncOf(document: string): Promise<Config["sync"]> {
  return (await load(document)).config.sync;
}

const DEFAULTS = { percent: 50, min_team_size: 5 };

const LIMITS: readonly (readonly [sync: string, mapping: string, ofSync: unknown, ofMapping: unknown])[] = [
  ["", "", DEFAULTS, DEFAULTS],
  ["removal_limit: off", "", "off", "off"],
  ["removal_limit: no", "", "off", "off"],
  ["removal_limit: false", "", "off", "off"],
  ['removal_limit: "OFF"', "", "off", "off"],
  ["removal_limit: {}", "", DEFAULTS, DEFAULTS],
  ["removal_limit: { percent: 10 }", "", { ...DEFAULTS, percent: 10 }, { ...DEFAULTS, percent: 10 }],
  ["removal_limit: { percent: '10' }", "", { ...DEFAULTS, percent: 10 }, { ...DEFAULTS, percent: 10 }],
  ["removal_limit: { percent: 0, min_team_size: 0 }", "", { percent: 0, min_team_size: 0 }, {
    percent: 0,
    min_team_size: 0,
  }],
  ["removal_limit: { percent: 100 }", "", { ...DEFAULTS, percent: 100 }, { ...DEFAULTS, percent: 100 }],
  ["", "removal_limit: off", DEFAULTS, "off"],
  ["", "removal_limit: { percent: 20 }", DEFAULTS, { percent: 20, min_team_size: 5 }],
  [
    "removal_limit: { min_team_size: 9 }",
    "removal_limit: { percent: 20 }",
    { percent: 50, min_team_size: 9 },
    {
      percent: 20,
      min_team_size: 9,
    },
  ],
  [
    "removal_limit: { percent: 20 }",
    "removal_limit: { min_team_size: 9 }",
    { percent: 20, min_team_size: 5 },
    {
      percent: 20,
      min_team_size: 9,
    },
  ],
  ["removal_limit: off", "removal_limit: { percent: 20 }", "off", { percent: 20, min_team_size: 5 }],
  ["removal_limit: off", "removal_limit: {}", "off", DEFAULTS],
];

for (const [sync, mapping, ofSync, ofMapping] of LIMITS) {
  Deno.test(`a limit of [${sync}] and the mapping's [${mapping}] is ${JSON.stringify(ofMapping)}`, async () => {
    const { removal_limit, mappings } = await syncOf(settings(sync, mapping));
    assertEquals([removal_limit, mappings[0]?.removal_limit], [ofSync, ofMapping]);
  });
}

const VALUES:
  readonly (readonly [sync: string, mapping: string, read: (sync: Config["sync"]) => unknown, unknown])[] = [
    ["", "", ({ policy }) => policy, "sync"],
    ["policy: add-only", "", ({ mappings }) => mappings[0]?.policy, "add-only"],
    ["policy: Add-Only", "", ({ policy }) => policy, "add-only"],
    ["policy: add-only", "policy: sync", ({ mappings }) => mappings[0]?.policy, "sync"],
    ["", "policy: add-only", ({ policy, mappings }) => [policy, mappings[0]?.policy], ["sync", "add-only"]],
    ["", "", ({ protected_users }) => protected_users, []],
    ["protected_users: [root, Ann@x.org]", "", ({ protected_users }) => protected_users, [
      "root",
      "Ann@x.org",
    ]],
    ["", "", ({ keep_team_admins }) => keep_team_admins, false],
    ["keep_team_admins: yes", "", ({ keep_team_admins }) => keep_team_admins, true],
    ["", "okta_group_id: 00gAbc", ({ mappings }) => [mappings[0]?.okta_group, mappings[0]?.okta_group_id], [
      "A",
      "00gAbc",
    ]],
  ];

for (const [sync, mapping, read, expected] of VALUES) {
  Deno.test(`[${sync}] with the mapping's [${mapping}] gives ${JSON.stringify(expected)}`, async () => {
    assertEquals(read(await syncOf(settings(sync, mapping))), expected);
  });
}

Deno.test("a mapping may have an okta_group_id alone, and is called by it", async () => {
  const { mappings } = await syncOf(
    documentWith({ sync: "{ mappings: [{ okta_group_id: 00gAbc, grafana_team: T }] }" }),
  );
  assertEquals([mappings[0]?.okta_group, mappings[0]?.okta_group_id], ["00gAbc", "00gAbc"]);
});

const WRONG: readonly (readonly [document: string, problem: string])[] = [
  [
    settings("removal_limit: 50"),
    "sync.removal_limit: expected off, or percent and min_team_size, found 50",
  ],
  [
    settings("removal_limit: on"),
    'sync.removal_limit: expected off, or percent and min_team_size, found "on"',
  ],
  [settings("removal_limit: 0"), "sync.removal_limit: expected off, or percent and min_team_size, found 0"],
  [settings("removal_limit: 50%"), "sync.removal_limit: expected off, or percent and min_team_size"],
  [
    settings("removal_limit: [50]"),
    "sync.removal_limit: expected off, or percent and min_team_size, found a list",
  ],
  [settings("policy: remove-only"), 'sync.policy: expected one of sync, add-only, found "remove-only"'],
  [settings("policy: yes"), 'sync.policy: expected one of sync, add-only, found "yes"'],
  [settings("", "policy: none"), 'sync.mappings[0].policy: expected one of sync, add-only, found "none"'],
  [settings("protected_users: ann@x.org"), "sync.protected_users: expected a list of emails and logins"],
  [settings("protected_users: [42]"), "sync.protected_users[0]: expected a string, found 42"],
  [settings("protected_users: ['']"), "sync.protected_users[0]: expected a non-empty string"],
  [settings("keep_team_admins: perhaps"), 'sync.keep_team_admins: expected true or false, found "perhaps"'],
  [settings("keep_team_admin: true"), "keep_team_admin: unknown setting (did you mean keep_team_admins?)"],
  [settings("protected_user: [a]"), "protected_user: unknown setting (did you mean protected_users?)"],
  [settings("", "protected_users: [a]"), "sync.mappings[0].protected_users: unknown setting"],
  [
    settings("", "okta_group_id: 42"),
    "sync.mappings[0].okta_group_id: expected an id in quotes, found a number (put it in quotes",
  ],
  [
    settings("", "okta_group_id: ../users"),
    "sync.mappings[0].okta_group_id: expected the id of an Okta group, such as 00g1emaKYZTWRYYRRTSK",
  ],
  [settings("", "okta_group_id: ''"), "sync.mappings[0].okta_group_id: expected the id of an Okta group"],
  [
    documentWith({ sync: "{ mappings: [{ grafana_team: T }] }" }),
    "sync.mappings[0].okta_group: missing; expected a name in quotes, or an okta_group_id",
  ],
  [settings("", "allow_empty: maybe"), 'sync.mappings[0].allow_empty: expected true or false, found "maybe"'],
];

for (const [document, problem] of WRONG) {
  Deno.test(`a wrong setting is told as: ${problem}`, async () => {
    assertStringIncludes((await problemsOf(document)).join("\n"), problem);
  });
}

const INSIDE: readonly (readonly [limit: string, problem: string])[] = [
  ["percent: 101", "removal_limit.percent: expected a whole percentage from 0 to 100, found 101"],
  ["percent: -1", "removal_limit.percent: expected a whole percentage from 0 to 100, found -1"],
  ["min_team_size: -1", "removal_limit.min_team_size: expected a whole number of members, found -1"],
  ["percent: 12.5", "removal_limit.percent: expected a whole percentage from 0 to 100, found 12.5"],
  ["percent: 50%", "removal_limit.percent: expected a whole percentage from 0 to 100"],
  ["min_team_size: few", "removal_limit.min_team_size: expected a whole number of members"],
  ["percentage: 50", "removal_limit.percentage: unknown setting (did you mean percent?)"],
];

for (const [limit, problem] of INSIDE) {
  for (const where of ["sync", "sync.mappings[0]"]) {
    Deno.test(`a limit of [${limit}] is told as: ${where}.${problem}`, async () => {
      const written = `removal_limit: { ${limit} }`;
      const problems = await problemsOf(where === "sync" ? settings(written) : settings("", written));
      assert(problems.some((one) => one.startsWith(`${where}.${problem}`)), problems.join("\n"));
    });
  }
}

function twoMappings(first: string, second: string): string {
  return documentWith({ sync: `{ mappings: [{ ${first} }, { ${second} }] }` });
}

const A_TO_T = "okta_group: A, grafana_team: T";
const OTHERWISE: readonly (readonly [first: string, second: string])[] = [
  [`${A_TO_T}, okta_group_id: 00g1`, `${A_TO_T}, okta_group_id: 00g2`],
  [A_TO_T, `${A_TO_T}, okta_group_id: 00g2`],
  [A_TO_T, `${A_TO_T}, policy: add-only`],
  [A_TO_T, `${A_TO_T}, removal_limit: off`],
  [A_TO_T, `${A_TO_T}, allow_empty: true`],
];

for (const [first, second] of OTHERWISE) {
  Deno.test(`two mappings of one name and team that differ are an error: ${second}`, async () => {
    assertEquals(await problemsOf(twoMappings(first, second)), [
      "sync.mappings[1]: 'A' -> 'T' appears earlier with different settings; keep one of them, or use a " +
      "different name for each if their okta_group_id differs",
    ]);
  });
}

Deno.test("two names with two ids may feed one team, and one id may feed two", async () => {
  const { mappings } = await syncOf(twoMappings(
    "okta_group: A1, grafana_team: T, okta_group_id: 00g1",
    "okta_group: A2, grafana_team: T, okta_group_id: 00g2",
  ));
  assertEquals(mappings.map(({ okta_group_id }) => okta_group_id), ["00g1", "00g2"]);
});

Deno.test(
  "a policy that is written out equals the one that is inherited: the mapping counts once",
  async () => {
    const { config, warnings } = await load(
      twoMappings(A_TO_T, `${A_TO_T}, policy: sync, removal_limit: {}`),
    );
    assertEquals([config.sync.mappings.length, warnings.length], [1, 1]);
  },
);
