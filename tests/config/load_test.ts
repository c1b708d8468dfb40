/** What an operator reads when a configuration cannot be used, or is odd. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../src/config/load.ts";
import { directoryWith, mapping } from "../support.ts";
import { documentWith, errorOf, load, MAPPINGS, problemsOf, type World } from "./world.ts";

Deno.test("every problem is told at once, each with its path, what was found and what is expected", async () => {
  const error = await errorOf(`
okta: { domain: company.okta.com }
grafana: { url: https://grafana.example.com, api_key: glsa_key }
sync: { interval_seconds: 5, dry_run: maybe, mappings: [{ okta_group: Engineering }] }
logging: { level: LOUD }
metrics: { port: 70000 }
`);
  assertEquals(error.file, "config.yaml");
  assertEquals(error.message.split("\n")[0], "Configuration error in config.yaml: 6 problems");
  assertEquals(error.problems.toSorted(), [
    'logging.level: expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, found "LOUD"',
    "metrics.port: expected a port number from 1 to 65535, found 70000",
    "okta.api_token: missing; expected an Okta API token (or OKTA_API_TOKEN, or OKTA_API_TOKEN_FILE in the environment)",
    'sync.dry_run: expected true or false, found "maybe"',
    "sync.interval_seconds: expected a whole number of seconds, from 60 to 31536000 (a year), found 5",
    "sync.mappings[0].grafana_team: missing; expected a name in quotes",
  ]);
  for (const problem of error.problems) assertStringIncludes(error.message, problem);
});

const wrong: readonly (readonly [what: string, document: string, problem: string, world?: World])[] = [
  ["no mapping", documentWith({ sync: "{ mappings: [] }" }), "sync.mappings: expected at least one mapping"],
  ["no sync at all", documentWith({ sync: "" }), "sync.mappings: missing; expected a list of mappings"],
  [
    "a mapping that is a text",
    documentWith({ sync: "{ mappings: [A] }" }),
    "sync.mappings[0]: expected an okta",
  ],
  ["a mapping that is null", documentWith({ sync: "{ mappings: [~] }" }), "sync.mappings[0]: missing"],
  ["mappings as a map", documentWith({ sync: "{ mappings: { A: B } }" }), "found a map of settings"],
  [
    "an empty group name",
    documentWith({ sync: "{ mappings: [{ okta_group: '', grafana_team: T }] }" }),
    "empty",
  ],
  ["an interval below 60", documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: 59 }` }), "found 59"],
  [
    "an interval in milliseconds, of years",
    documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: 300000000 }` }),
    "from 60 to",
  ],
  ["half a second", documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: 60.5 }` }), "found 60.5"],
  ["an interval in words", documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: 5m }` }), "whole number"],
  ["a negative interval", documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: -60 }` }), "from 60 to"],
  [
    "port 0",
    documentWith({ metrics: "{ port: 0 }" }),
    "metrics.port: expected a port number from 1 to 65535",
  ],
  ["an unknown log format", documentWith({ logging: "{ format: xml }" }), "expected one of json, text"],
  ["a section that is a list", documentWith({ logging: "[]" }), "logging: expected settings, found a list"],
  [
    "OAuth without a client",
    documentWith({ okta: "{ domain: company.okta.com, auth_method: oauth }" }),
    "okta.oauth.client_id: missing; expected the client id of the service app (or OKTA_CLIENT_ID in the env",
  ],
  [
    "an unknown way to sign in",
    documentWith({ okta: "{ domain: company.okta.com, auth_method: basic }" }),
    'okta.auth_method: expected one of api_token, oauth, found "basic"',
  ],
  [
    "no scopes",
    documentWith({ okta: "{ domain: o.okta.com, api_token: t, oauth: { scopes: [] } }" }),
    "one name",
  ],
  [
    "a secret twice in the environment",
    documentWith(),
    "OKTA_API_TOKEN and OKTA_API_TOKEN_FILE are both set; keep one of them",
    { environment: { OKTA_API_TOKEN: "a", OKTA_API_TOKEN_FILE: "f" }, files: { f: "b" } },
  ],
  [
    "a secret's file that is missing",
    documentWith(),
    "OKTA_API_TOKEN_FILE points to /run/secrets/none: no such file",
    { environment: { OKTA_API_TOKEN_FILE: "/run/secrets/none" } },
  ],
  [
    "a required variable that is unset",
    documentWith({ grafana: "\n  url: https://g.example.com\n  api_key: ${GRAFANA_TOKEN}" }),
    "grafana.api_key: the environment variable GRAFANA_TOKEN is not set; expected a Grafana service account token",
  ],
  [
    "a whole section behind an unset variable",
    documentWith({ grafana: "\n  ${GRAFANA}" }),
    "grafana.url: the environment variable GRAFANA is not set",
  ],
  [
    "a token of blanks",
    documentWith({ okta: "{ domain: o.okta.com, api_token: '  ' }" }),
    "okta.api_token: expected",
  ],
];

for (const [what, document, problem, world] of wrong) {
  Deno.test(`${what} is told as: ${problem}`, async () => {
    assertStringIncludes((await problemsOf(document, world)).join("\n"), problem);
  });
}

Deno.test("an empty token is one problem, not two", async () => {
  const problems = await problemsOf(documentWith({ okta: "{ domain: company.okta.com, api_token: '' }" }));
  assertEquals(problems, ["okta.api_token: expected an Okta API token, found an empty string"]);
});

const unknown: readonly (readonly [document: string, problem: string])[] = [
  [documentWith({ metric: "{}" }), "metric: unknown setting (did you mean metrics?)"],
  [documentWith({ sync: `{ ${MAPPINGS}, intervall_seconds: 60 }` }), "(did you mean interval_seconds?)"],
  [documentWith({ grafana: "{ url: https://g.example.com, apikey: k }" }), "(did you mean api_key?)"],
  [
    documentWith({ sync: "{ mappings: [{ okta_groups: A }] }" }),
    "sync.mappings[0].okta_groups: unknown setting (did you mean okta_group?)",
  ],
  [documentWith({ zzz: "1" }), "zzz: unknown setting"],
  [documentWith({ admin_groups: "[A]" }), "(gots does not manage server administrators)"],
  [documentWith({ constructor: "1" }), "constructor: unknown setting"],
];

for (const [document, problem] of unknown) {
  Deno.test(`an unknown setting is told as: ${problem}`, async () => {
    const problems = await problemsOf(document);
    assert(problems.some((text) => text.endsWith(problem)), problems.join("\n"));
  });
}

Deno.test("keys that begin with x- stand for nothing at the top, and only there", async () => {
  const { warnings } = await load(documentWith({ "x-group": "&g Engineering", "x-": "[1]" }));
  assertEquals(warnings, []);
  const problems = await problemsOf(documentWith({ logging: "{ x-note: hello }" }));
  assertEquals(problems, ["logging.x-note: unknown setting"]);
});

for (const written of ["0123", "42", "true", "2025-01-20", "1e3", "[Engineering]"]) {
  Deno.test(`the group name ${written} without quotes gets an error that speaks of quotes`, async () => {
    const mappings =
      `[{ okta_group: ${written}, grafana_team: T }, { okta_group: "${written}", grafana_team: T }]`;
    const problems = await problemsOf(documentWith({ sync: `{ mappings: ${mappings} }` }));
    assertEquals(problems.length, 1);
    assertMatch(problems[0] ?? "", /^sync\.mappings\[0\]\.okta_group: .*quotes/);
  });
}

Deno.test("a group name yes without quotes is the text yes", async () => {
  const { config } = await load(
    documentWith({ sync: "{ mappings: [{ okta_group: yes, grafana_team: off }] }" }),
  );
  assertEquals(config.sync.mappings, [mapping("yes", "off")]);
});

Deno.test("identical mappings count once, with a warning", async () => {
  const one = "{ okta_group: A, grafana_team: T }";
  const { config, warnings } = await load(
    documentWith({ sync: `{ mappings: [${one}, { okta_group: A, grafana_team: U }, ${one}] }` }),
  );
  assertEquals(config.sync.mappings.map(({ grafana_team }) => grafana_team), ["T", "U"]);
  assertEquals(warnings, ["sync.mappings[2]: 'A' -> 'T' appears twice; remove one of them"]);
});

Deno.test("a malformed line of .env is a warning that says where, without its text", async () => {
  const { warnings } = await load(documentWith(), { files: { ".env": "A=1\nOKTA_API_TOKEN='00open\n" } });
  assertEquals(warnings, [".env: line 2 is malformed and was skipped"]);
});

const UTF_16 = new Uint8Array([0xff, 0xfe, 0x6f, 0x00]);
const unreadable: readonly (readonly [what: string, content: string | Uint8Array | Error, said: RegExp])[] = [
  ["a missing file", new Deno.errors.NotFound("os error 2"), /no such file; copy config\.example\.yaml/],
  [
    "a file without the right to read it",
    new Deno.errors.PermissionDenied("os error 13"),
    /permission denied/,
  ],
  ["a directory", new Deno.errors.IsADirectory("os error 21"), /is a directory; name a file/],
  ["a file that is not UTF-8", UTF_16, /not UTF-8/],
  ["an empty file", "", /empty; copy config\.example\.yaml/],
  ["a file of comments", "# nothing\n---\n", /empty; copy config\.example\.yaml/],
  ["a list", "- okta\n", /expected settings at the top .* found a list$/],
  ["a text", "okta\n", /expected settings at the top .* found a single value$/],
];

for (const [what, content, said] of unreadable) {
  Deno.test(`${what} as configuration is one problem, with what to do`, async () => {
    const problems = await problemsOf(content);
    assertEquals(problems.length, 1);
    assertMatch(problems[0] ?? "", said);
  });
}

Deno.test("a .env that cannot be read is an error of that file, not of the configuration's", async () => {
  const denied = new Deno.errors.PermissionDenied("os error 13");
  const error = await errorOf(documentWith(), { files: { ".env": denied } });
  assertEquals([error.file, ...error.problems], [
    ".env",
    "permission denied; check the file's owner and mode",
  ]);
});

Deno.test("a real directory and a real missing file are told as such", async () => {
  const directory = await directoryWith({});
  for (
    const [path, said] of [[directory, /directory/], [`${directory}/none.yaml`, /no such file/]] as const
  ) {
    assertMatch(await loadConfig(path, { environment: {} }).then(() => "accepted", String), said);
  }
  await Deno.remove(directory);
});

const broken: readonly (readonly [line: string, place: string])[] = [
  ["  api_token: 00hidden: x", "line 2, column 22"],
  ['  api_token: "00hidden', "line 3, column 1"],
  ["  api_token: @00hidden", "line 2, column 14"],
  ["  api_token: *00hidden", "line 2, column 23"],
  ["  api_token: !00hidden x", "line 2, column 25"],
  ["  api_token: [00hidden", "line 3, column 1"],
];

for (const [line, place] of broken) {
  Deno.test(`wrong YAML in "${line}" is told with ${place} and without the line's text`, async () => {
    const problems = await problemsOf(`okta:\n${line}\n`);
    assertEquals(problems.length, 1);
    assertMatch(problems[0] ?? "", /^not valid YAML: /);
    assertStringIncludes(problems[0] ?? "", place);
    assert(!problems[0]?.includes("hidden"), problems[0]);
  });
}
