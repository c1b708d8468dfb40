/** Settings that a variable was to give, and values that are nearly right. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { documentWith, load, MAPPINGS, problemsOf } from "./world.ts";

const sync = (settings: string) => documentWith({ sync: `{ ${settings}, ${MAPPINGS} }` });

const UNSET: readonly (readonly [setting: string, document: string])[] = [
  ["sync.dry_run", sync('dry_run: "${NONE}"')],
  ["sync.policy", sync('policy: "${NONE}"')],
  ["sync.removal_limit.percent", sync('removal_limit: { percent: "${NONE}" }')],
  [
    "sync.mappings[0].okta_group_id",
    documentWith({ sync: '{ mappings: [{ okta_group: A, okta_group_id: "${NONE}", grafana_team: T }] }' }),
  ],
];

for (const [setting, document] of UNSET) {
  for (const environment of [{}, { NONE: "" }]) {
    Deno.test(`${setting} from a variable that is ${"NONE" in environment ? "empty" : "unset"} is a warning`, async () => {
      assertEquals((await load(document, { environment })).warnings, [
        `${setting}: the environment variable NONE is not set, so the setting counts as absent`,
      ]);
    });
  }
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
