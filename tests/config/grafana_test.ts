/** The section `grafana`: two ways to sign in, and what happens with people whom Grafana does not know. */
import { assert, assertEquals } from "@std/assert";
import { documentWith, load, problemsOf, type World } from "./world.ts";

const grafana = (settings: string) => documentWith({ grafana: `{ url: g.example.com, ${settings} }` });
const BOTH =
  "grafana.api_key: a token and a password are both set; keep grafana.api_key, or grafana.username " +
  "and grafana.password";
const NO_PASSWORD = "grafana.password: missing; expected the password of grafana.username " +
  "(or GRAFANA_PASSWORD, or GRAFANA_PASSWORD_FILE in the environment)";
const OWN_ORG = "grafana.org_id: a token works only in its own organisation; remove this, or sign in with " +
  "username and password";

const wrong:
  readonly (readonly [what: string, settings: string, problems: readonly string[], world?: World])[] = [
    ["neither token nor password", "org_id: 2", [
      "grafana.api_key: missing; expected a Grafana service account token or API key " +
      "(or GRAFANA_API_KEY, or GRAFANA_API_KEY_FILE in the environment)",
    ]],
    ["a token and a password", "api_key: k, username: admin, password: hunter22", [BOTH]],
    ["a token and a user name", "api_key: k, username: admin", [BOTH]],
    ["a token and a password without a user", "api_key: k, password: hunter22", [BOTH]],
    ["a token in the file and a password in the environment", "api_key: k", [BOTH], {
      environment: { GRAFANA_USERNAME: "admin", GRAFANA_PASSWORD: "hunter22" },
    }],
    ["a user name without a password", "username: admin", [NO_PASSWORD]],
    ["a user name with an empty password in the environment", "username: admin", [
      NO_PASSWORD.replace("missing", "the environment variable GRAFANA_PASSWORD is empty"),
    ], { environment: { GRAFANA_PASSWORD: "" } }],
    ["a password without a user name", "password: hunter22", [
      "grafana.username: missing; expected the login of a Grafana user, to go with grafana.password " +
      "(or GRAFANA_USERNAME in the environment)",
    ]],
    ["a password twice in the environment", "username: admin", [
      "GRAFANA_PASSWORD and GRAFANA_PASSWORD_FILE are both set; keep one of them",
    ], { environment: { GRAFANA_PASSWORD: "a", GRAFANA_PASSWORD_FILE: "f" }, files: { f: "b" } }],
    ["a password of two lines", 'username: admin, password: "hunter22\\nhunter22"', [
      "grafana.password: expected the password of grafana.username on one line, found [redacted]",
    ]],
    [
      "a password without quotes that is a number",
      "username: admin, password: 12345",
      [
        "grafana.password: expected the password of grafana.username in quotes, found 12345",
      ].map((text) =>
        text.replace("found 12345", "found a number (put it in quotes: YAML reads 0123 as 83)")
      ),
    ],
    ["a user name with a colon", "username: 'a:b', password: hunter22", [
      'grafana.username: expected a login or an email, without a colon, found "a:b"',
    ]],
    ["an organisation beside a token", "api_key: k, org_id: 1", [OWN_ORG]],
    ["organisation 0", "username: admin, password: hunter22, org_id: 0", [
      "grafana.org_id: expected the id of an organisation, a whole number from 1, found 0",
    ]],
    ["an organisation by name", "username: admin, password: hunter22, org_id: Main", [
      'grafana.org_id: expected the id of an organisation, a whole number from 1, found "Main"',
    ]],
    ["an unknown way with missing users", "api_key: k, missing_users: invite", [
      'grafana.missing_users: expected one of auto, create, wait, found "invite"',
    ]],
    ["an unknown role", "api_key: k, new_user_role: Owner", [
      'grafana.new_user_role: expected one of Viewer, Editor, Admin, None, found "Owner"',
    ]],
  ];

for (const [what, settings, problems, world] of wrong) {
  Deno.test(`${what}: ${problems[0]?.split(";")[0]}`, async () => {
    assertEquals(await problemsOf(grafana(settings), world), problems);
  });
}

/** What the section says once it is loaded. */
async function loaded(settings: string, world?: World) {
  const { api_key, password, ...rest } = (await load(grafana(settings), world)).config.grafana;
  return { ...rest, api_key: api_key?.reveal(), password: password?.reveal() };
}

Deno.test("by default there is a token, and missing users are treated as it is safe, as Viewers", async () => {
  const { api_key, password, username, org_id, missing_users, new_user_role } = await loaded("api_key: k");
  assertEquals([api_key, password, username, org_id], ["k", undefined, undefined, undefined]);
  assertEquals([missing_users, new_user_role], ["auto", "Viewer"]);
});

const PASSWORDS = ["hunter22", " pässwörd 🔑 ", "a:b%c+d", "密码 ‮ ~", 'quote " and \\'] as const;
for (const secret of PASSWORDS) {
  Deno.test(`the password ${JSON.stringify(secret)} is taken as it is, from file, environment and secret file`, async () => {
    const files = { "/run/it": `${secret}\n` };
    const inFile = await loaded(`username: admin, password: ${JSON.stringify(secret)}`);
    const inEnvironment = await loaded("username: x", {
      environment: { GRAFANA_USERNAME: "admin", GRAFANA_PASSWORD: secret },
    });
    const inSecretFile = await loaded("org_id: '2'", {
      environment: { GRAFANA_USERNAME: "admin", GRAFANA_PASSWORD_FILE: "/run/it" },
      files,
    });
    assertEquals(
      [inFile, inEnvironment, inSecretFile].map(({ username, password }) => [username, password]),
      [
        ["admin", secret],
        ["admin", secret],
        ["admin", secret],
      ],
    );
    assertEquals(inSecretFile.org_id, 2);
  });
}

Deno.test("words are taken in any case, and what stays unset is absent", async () => {
  const { missing_users, new_user_role } = await loaded(
    "api_key: k, username: '${NONE}', missing_users: CREATE, new_user_role: editor",
  );
  assertEquals([missing_users, new_user_role], ["create", "Editor"]);
});

Deno.test("a password is shown nowhere", async () => {
  const { config } = await load(grafana("username: admin, password: hunter22"));
  const said = [JSON.stringify(config), Deno.inspect(config, { depth: 9 }), `${config.grafana.password}`]
    .join();
  assert(!said.includes("hunter22"), said);
  const problems = await problemsOf(grafana("username: hunter22, password: hunter22, org_id: hunter22"));
  assert(!problems.join().includes("hunter22"), problems.join());
});
