/** Settings that a variable was to give, and values that are nearly right. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PROTECTING } from "../../src/config/schema.ts";
import { runMain } from "../cli/world.ts";
import { directoryWith } from "../support.ts";
import { documentWith, load, MAPPINGS, problemsOf } from "./world.ts";

const sync = (settings: string) => documentWith({ sync: `{ ${settings}, ${MAPPINGS} }` });

const mapped = (setting: string) =>
  documentWith({ sync: `{ mappings: [{ okta_group: A, grafana_team: T, ${setting} }] }` });
const metrics = (settings: string) => documentWith({ metrics: `{ enabled: true, ${settings} }` });
const okta = (setting: string) =>
  documentWith({ okta: `{ domain: o.okta.com, api_token: 00token, ${setting} }` });
const grafana = (setting: string) =>
  documentWith({ grafana: `{ url: g.example.com, username: root, password: secret, ${setting} }` });

/** The states of a variable that gives nothing. */
const NOTHING = { "not set": {}, empty: { NONE: "" } } as const;

/** Every setting that protects, and what is told to do where its variable gives nothing. */
const PROTECTED: readonly (readonly [setting: string, document: string, remedy: string])[] = [
  ["sync.dry_run", sync('dry_run: "${NONE}"'), "write ${NONE:-false}"],
  ["sync.policy", sync('policy: "${NONE}"'), "write ${NONE:-sync}"],
  ["sync.keep_team_admins", sync('keep_team_admins: "${NONE}"'), "write ${NONE:-false}"],
  ["sync.protected_users", sync('protected_users: "${NONE}"'), "remove this line"],
  ["sync.protected_users[1]", sync('protected_users: [root, "${NONE}"]'), "remove this line"],
  ["sync.protected_users[0]", sync('protected_users: ["${NONE}@example.com"]'), "remove this line"],
  ["sync.removal_limit", sync('removal_limit: "${NONE}"'), "remove this line"],
  ["sync.removal_limit.percent", sync('removal_limit: { percent: "${NONE}" }'), "remove this line"],
  [
    "sync.removal_limit.min_team_size",
    sync('removal_limit: { min_team_size: "${NONE}" }'),
    "remove this line",
  ],
  ["sync.mappings[0].allow_empty", mapped('allow_empty: "${NONE}"'), "write ${NONE:-false}"],
  ["sync.mappings[0].policy", mapped('policy: "${NONE}"'), "remove this line"],
  ["sync.mappings[0].removal_limit", mapped('removal_limit: "${NONE}"'), "remove this line"],
  [
    "sync.mappings[0].removal_limit.percent",
    mapped('removal_limit: { percent: "${NONE}" }'),
    "remove this line",
  ],
  [
    "sync.mappings[0].removal_limit.min_team_size",
    mapped('removal_limit: { min_team_size: "${NONE}" }'),
    "remove this line",
  ],
  ["sync.mappings[0].okta_group_id", mapped('okta_group_id: "${NONE}"'), "remove this line"],
  ["okta.member_statuses", okta('member_statuses: "${NONE}"'), "remove this line"],
  ["grafana.org_id", grafana('org_id: "${NONE}"'), "remove this line"],
  ["grafana.missing_users", grafana('missing_users: "${NONE}"'), "write ${NONE:-auto}"],
  ["grafana.new_user_role", grafana('new_user_role: "${NONE}"'), "write ${NONE:-Viewer}"],
  ["metrics.token", metrics('token: "${NONE}"'), "remove this line"],
  ["metrics.show_users", metrics('show_users: "${NONE}"'), "remove this line"],
];

for (const [setting, document, remedy] of PROTECTED) {
  for (const [state, environment] of Object.entries(NOTHING)) {
    Deno.test(`${setting} from a variable that is ${state} is refused: ${remedy}`, async () => {
      const problems = (await problemsOf(document, { environment }))
        .filter((problem) => !problem.includes("missing; expected"));
      assertEquals(problems, [
        `${setting}: the environment variable NONE is ${state}, and gots assumes no default for this setting; ` +
        `set NONE, or ${remedy} if that is what you mean`,
      ]);
    });
  }
}

Deno.test("every setting that protects is in the table of those that fail closed", () => {
  const tested = new Set(PROTECTED.map(([setting]) => setting.replace(/\[\d+\]/, "[]")));
  assertEquals([...PROTECTING.keys()].filter((path) => !tested.has(path)), []);
});

Deno.test("gots validate ends with status 78 where dry_run comes from an unset variable", async () => {
  const directory = await directoryWith({ "config.yaml": sync('dry_run: "${DRY}"') });
  const { code, stdout, stderr } = await runMain(["validate", `${directory}/config.yaml`], {});
  await Deno.remove(directory, { recursive: true });
  assertEquals([code, stdout], [78, ""]);
  assertStringIncludes(stderr, "sync.dry_run: the environment variable DRY is not set");
  assertStringIncludes(stderr, "write ${DRY:-false} if that is what you mean");
});

Deno.test("a whole section from an unset variable is refused if a setting in it protects", async () => {
  const [problem] = await problemsOf(documentWith({ metrics: '"${METRICS}"' }), {
    environment: { METRICS_ENABLED: "true" },
  });
  assertStringIncludes(problem ?? "", "metrics: the environment variable METRICS is not set");
  assertEquals((await load(documentWith({ logging: '"${LOGGING}"' }))).warnings, []);
});

Deno.test("an empty SYNC_DRY_RUN counts as unset: the file decides", async () => {
  const { config } = await load(sync("dry_run: true"), { environment: { SYNC_DRY_RUN: "" } });
  assertEquals(config.sync.dry_run, true);
  const problems = await problemsOf(sync('dry_run: "${DRY}"'), { environment: { SYNC_DRY_RUN: "" } });
  assert(problems[0]?.startsWith("sync.dry_run: the environment variable DRY is not set"), problems[0]);
});

for (
  const [setting, document] of [
    ["sync.dry_run", sync("dry_run: ")],
    ["sync.protected_users", sync("protected_users: ~")],
    ["sync.mappings[0].policy", mapped("policy: ")],
    ["metrics.token", metrics("token: null")],
  ] as const
) {
  Deno.test(`${setting} without a value is a warning`, async () => {
    const { warnings } = await load(document);
    assertEquals(warnings, [
      `${setting} is empty, so gots ignores the setting`,
    ]);
  });
}

Deno.test("a setting without a value that the environment gives, or that protects nothing, is no warning", async () => {
  const { warnings } = await load(sync("dry_run: "), { environment: { SYNC_DRY_RUN: "true" } });
  assertEquals(
    [...warnings, ...(await load(documentWith({ metrics: "", logging: "{ level: }" }))).warnings],
    [],
  );
});

Deno.test("a setting that protects may come from the environment or a file instead", async () => {
  const supplied = await load(metrics('token: "${NONE}"'), {
    environment: { METRICS_TOKEN_FILE: "t" },
    files: { t: "0123456789abcdef" },
  });
  assertEquals(supplied.config.metrics.token?.reveal(), "0123456789abcdef");
});

for (const misspelt of ["dryrun", "protected_user", "removal_limits"]) {
  Deno.test(`${misspelt} is an unknown setting also where its variable is unset, or its value is null`, async () => {
    for (const value of ['"${NONE}"', "~"]) {
      const problems = await problemsOf(sync(`${misspelt}: ${value}`));
      assert(
        problems.some((one) => one.startsWith(`sync.${misspelt}: unknown setting`)),
        problems.join("\n"),
      );
    }
  });
}

for (const [state, environment] of Object.entries(NOTHING)) {
  Deno.test(`sync.interval_seconds from a variable that is ${state} is a warning`, async () => {
    const { warnings } = await load(sync('interval_seconds: "${NONE}"'), { environment });
    assertEquals(warnings, [
      `sync.interval_seconds: the environment variable NONE is ${state}, so gots ignores the setting`,
    ]);
  });
}

Deno.test("no warning of a variable where the environment supplies the setting, nor outside of sync", async () => {
  const supplied = await load(sync('dry_run: "${NONE}"'), { environment: { SYNC_DRY_RUN: "true" } });
  assertEquals([supplied.warnings, supplied.config.sync.dry_run], [[], true]);
  const logging = await load(documentWith({ logging: '{ level: "${NONE}" }' }));
  assertEquals(logging.warnings, []);
  const fallback = await load(sync('dry_run: "${NONE:-true}"'));
  assertEquals([fallback.warnings, fallback.config.sync.dry_run], [[], true]);
});

for (const word of ['"0"', "0", "[off]", "on"]) {
  Deno.test(`removal_limit: ${word} is an error, not a limit that is off`, async () => {
    assertStringIncludes((await problemsOf(sync(`removal_limit: ${word}`))).join(), "sync.removal_limit");
  });
}

for (const word of ["off", "OFF", '"Off"', "no", '"NO"', "false", '"False"']) {
  Deno.test(`removal_limit: ${word} is off`, async () => {
    assertEquals((await load(sync(`removal_limit: ${word}`))).config.sync.removal_limit, "off");
  });
}

Deno.test("removal_limit from a variable that is 0 is an error", async () => {
  const problems = await problemsOf(sync('removal_limit: "${LIMIT}"'), { environment: { LIMIT: "0" } });
  assertStringIncludes(problems.join(), "sync.removal_limit");
});

Deno.test("dry_run: [true] is an error", async () => {
  assertStringIncludes((await problemsOf(sync("dry_run: [true]"))).join(), "sync.dry_run");
});
