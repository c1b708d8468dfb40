/** `gots check`, as an operator sees it. */
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";
import { directoryWith, type Finished, run } from "../support.ts";

const CONFIG = (rest = "") => `
okta: { domain: "\${OKTA_DOMAIN}", api_token: "\${OKTA_API_TOKEN}" }
grafana: { url: "\${GRAFANA_URL}", api_key: "\${GRAFANA_API_KEY}" }
sync:
  mappings:
    - { okta_group: Engineering, grafana_team: Engineers }
    - { okta_group: Ops, grafana_team: Operators }
${rest}`;

function fill({ okta, grafana, addPerson }: World): void {
  const [alice, bob] = ["alice", "bob"].map((name) => addPerson(`${name}@example.com`));
  okta.addGroup("Engineering", alice && bob ? [alice, bob] : []);
  okta.addGroup("Ops", alice ? [alice] : []);
  grafana.state.addTeam("Engineers");
}

/** Checks a world, prepared by `prepare`, which may give more of the environment. */
async function check(
  prepare: (world: World) => Record<string, string> | void,
  { args = [], config = CONFIG(), version = "9.5.0" }: {
    args?: string[];
    config?: string;
    version?: string;
  } = {},
): Promise<Finished & { readonly world: World }> {
  await using world = startWorld({ version });
  fill(world);
  const env = { ...world.environment, ...prepare(world) };
  const cwd = await directoryWith({ "config.yaml": config });
  try {
    return { ...await run(["check", ...args], { cwd, env }), world };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const line = (text: string, what: RegExp) => text.split("\n").find((one) => what.test(one)) ?? "";

Deno.test("gots check says of everything that a cycle needs what was seen, exits with 0, and writes nothing", async () => {
  const { code, stdout, stderr, world } = await check(() => {});
  assertEquals([code, stderr], [0, ""]);
  for (
    const what of [
      /^✓ Okta: reach http:.*the name resolves$/,
      /^✓ Okta: clock: /,
      /^✓ Okta: permission to read groups: /,
      /^✓ Okta: group 'Engineering': 00g000001, 2 members$/,
      /^✓ Okta: group 'Ops': 00g000002, 1 member$/,
      /^✓ Okta: rate limit: \d+ of 600 requests are left; a cycle needs about \d+$/,
      /^✓ Grafana: reach http:.*: Grafana 9\.5\.0$/,
      /^✓ Grafana: credential: accepted, in the organisation 'Main Org\.' \(id 1\)$/,
      /^✓ Grafana: permission teams\.permissions:write: granted, to add and remove members$/,
      /^✓ Grafana: users: 3 users in the organisation$/,
      /^✓ Grafana: missing users \(auto\): .*others wait until they first sign in/,
      /^✓ Grafana: team 'Engineers': id 1, 0 members$/,
      /^✓ Grafana: team 'Operators': does not exist; gots will create it$/,
      /^Ready: \d+ checks, 0 failures, 0 warnings, 0 skipped$/,
    ]
  ) assert(line(stdout, what), `${what} is not in\n${stdout}`);
  const asked = [...world.okta.received, ...world.grafana.received];
  assertEquals(asked.filter(({ method }) => method !== "GET"), []);
});

const FAILURES: Readonly<
  Record<string, readonly [prepare: (world: World) => Record<string, string> | void, says: RegExp[]]>
> = {
  "a group that is missing, with the nearest name": [
    ({ okta }) => void (okta.group("Ops").name = "Opps"),
    [
      /^✗ Okta: group 'Ops': Group not found: Ops: .*; did you mean 'Opps'\?$/,
      /^✓ Grafana: team 'Operators'/,
    ],
  ],
  "an Okta token that is refused": [
    () => ({ OKTA_API_TOKEN: "00wrong-token" }),
    [
      /^✗ Okta: permission to read groups: Authentication failed - invalid API token/,
      /^- Okta: group 'Ops': skipped/,
      /^✓ Grafana: team/,
    ],
  ],
  "a proxy that denies everything in front of Okta": [
    ({ okta }) => {
      const headers = { "content-type": "text/html", server: "nginx" };
      okta.intercept = () => new Response("<title>Sign in first</title>", { status: 401, headers });
    },
    [
      /^! Okta: reach .*returned 401 \(text\/html from nginx, "Sign in first"\); Okta would return 401 with JSON/,
      /^✗ Okta: permission to read groups: a proxy or gateway responded instead of Okta/,
    ],
  ],
  "an Okta that cannot be reached": [
    () => ({ OKTA_DOMAIN: "http://127.0.0.1:1" }),
    [
      /^✗ Okta: reach .*cannot connect/,
      /^- Okta: group 'Engineering': skipped, because Okta cannot be reached$/,
      /^✓ Grafana: team/,
    ],
  ],
  "a Grafana token that is refused": [
    () => ({ GRAFANA_API_KEY: "glsa_wrong_token" }),
    [
      /^✗ Grafana: credential: Authentication failed - Grafana rejected the token/,
      /^- Grafana: permission teams:read: skipped/,
    ],
  ],
  "rights that are missing, each with its purpose": [
    ({ grafana }) => {
      grafana.state.tokens.set("glsa_viewer_token", { id: 9, orgId: 1, name: "viewer", role: "Viewer" });
      return { GRAFANA_API_KEY: "glsa_viewer_token" };
    },
    [
      /^✓ Grafana: credential: accepted$/,
      /^✗ Grafana: permission teams:create: missing, needed to create missing teams$/,
      /^✗ Grafana: permission org\.users:read: missing, needed to match users$/,
    ],
  ],
  "a team that something else syncs": [
    ({ grafana: { state } }) => {
      const team = state.team("Engineers");
      if (team) Object.assign(team, { syncedBy: "LDAP" }).members.set(2, 0);
    },
    [/^✗ Grafana: team 'Engineers': it is synced by LDAP$/],
  ],
};

/** A Grafana that does not give the credential this right. */
function deny(right: string, { grafana }: World): void {
  grafana.intercept = async (request, proceed) => {
    const answer = await proceed();
    if (!request.url.endsWith("/api/access-control/user/permissions")) return answer;
    const { [right]: _, ...others } = await answer.json();
    return Response.json(others);
  };
}

const WARNINGS: Readonly<Record<string, readonly [prepare: (world: World) => void, says: RegExp]>> = {
  "a missing right to take strangers out again": [
    (world) => deny("org.users:remove", world),
    /^! Grafana: permission org\.users:remove: missing, needed to remove users who were added by mistake because their login matched\n {4}without it, anyone/m,
  ],
  "a missing right to create teams where all are there": [
    (world) => {
      world.grafana.state.addTeam("Operators");
      deny("teams:create", world);
    },
    /^! Grafana: permission teams:create: missing, .*\n {4}without it, gots cannot create teams that you add later/m,
  ],
  "a team whose name Grafana has in another case": [
    ({ grafana }) => void grafana.state.addTeam("operators"),
    /^! Grafana: team 'Operators': does not exist, but 'operators' does; gots will create it\n {4}use Grafana's spelling/m,
  ],
};

for (const [what, [prepare, says]] of Object.entries(WARNINGS)) {
  Deno.test(`gots check warns of ${what}, and exits with 0`, async () => {
    const { code, stdout } = await check(prepare);
    assertMatch(stdout, says);
    assertMatch(stdout, /^Ready: \d+ checks, 0 failures, 1 warning, 0 skipped$/m);
    assertEquals(code, 0);
  });
}

Deno.test("a missing right to create teams is a failure where one is missing", async () => {
  const { code, stdout } = await check((world) => deny("teams:create", world));
  assert(line(stdout, /^✗ Grafana: permission teams:create/), stdout);
  assertEquals(code, 1);
});

Deno.test("gots check over many mappings shows what is not fine, and its last line names what failed", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `G${i}`);
  const mappings = names.map((name) => `    - { okta_group: ${name}, grafana_team: ${name} }`).join("\n");
  const config = CONFIG(mappings).replace(/sync:[^]*?(?= {4}- \{ okta_group: G0,)/, "sync:\n  mappings:\n");
  const prepare = ({ okta, addPerson }: World) => {
    const ann = addPerson("ann@example.com");
    for (const name of names.slice(2)) okta.addGroup(name, [ann]);
  };
  const { code, stdout } = await check(prepare, { config });
  assertEquals(code, 1);
  const lines = stdout.trimEnd().split("\n");
  assert(lines.length < 40, stdout);
  assert(line(stdout, /^✗ Okta: group 'G1': Group not found: G1/), stdout);
  assert(line(stdout, /^✓ Okta: 28 groups: fine/), stdout);
  assert(line(stdout, /^✓ Grafana: 30 teams: fine/), stdout);
  assertMatch(
    lines.at(-1) ?? "",
    /^Not ready: \d+ checks, 2 failures \(Okta: group 'G0'; Okta: group 'G1'\)/,
  );
  const json = await check(prepare, { config, args: ["--format", "json"] });
  const { findings } = JSON.parse(json.stdout);
  assertEquals(
    names.every((name) => findings.some(({ what }: { what: string }) => what === `group '${name}'`)),
    true,
  );
});

for (const [what, [prepare, says]] of Object.entries(FAILURES)) {
  Deno.test(`gots check tells ${what}, goes on, and exits with 1`, async () => {
    const { code, stdout } = await check(prepare);
    assertEquals(code, 1, stdout);
    for (const one of says) assert(line(stdout, one), `${one} is not in\n${stdout}`);
    assertMatch(stdout, /^Not ready: \d+ checks, [1-9]/m);
  });
}

const PROXIES: Readonly<Record<string, readonly [header: (headers: Headers) => void, says: RegExp]>> = {
  "a proxy that strips Link headers": [
    (headers) => headers.delete("link"),
    /^! Okta: group 'Ops': 00g000002, 1 member, without a Link header$/,
  ],
  "a proxy that spoils Date headers": [
    (headers) => headers.set("date", "soon"),
    /^! Okta: clock: the response has no readable Date header$/,
  ],
};

for (const [what, [change, says]] of Object.entries(PROXIES)) {
  Deno.test(`gots check warns of ${what}`, async () => {
    const { code, stdout } = await check(({ okta }) => {
      okta.intercept = async (_, proceed) => {
        const { body, headers, status } = await proceed();
        const changed = new Headers(headers);
        change(changed);
        return new Response(body, { headers: changed, status });
      };
    });
    assertEquals(code, 0, stdout);
    assert(line(stdout, says), stdout);
  });
}

Deno.test("gots check warns of users whom Grafana hides, and asks for everything else", async () => {
  const { code, stdout } = await check(({ grafana }) =>
    void grafana.state.hiddenUsers.add("alice@example.com")
  );
  assertEquals(code, 0, stdout);
  assert(line(stdout, /^! Grafana: users: 1 of 3 users are hidden from this credential$/), stdout);
  assertMatch(stdout, /^Ready: \d+ checks, 0 failures, 1 warning/m);
});

Deno.test("gots check reads rate limits that a proxy doubles", async () => {
  const { stdout } = await check(({ okta }) => {
    okta.intercept = async (_, proceed) => {
      const response = await proceed();
      for (const [name, value] of [...response.headers]) {
        if (name.startsWith("x-rate-limit")) response.headers.append(name, value);
      }
      return response;
    };
  });
  assert(line(stdout, /^✓ Okta: rate limit: \d+ of 600 requests are left/), stdout);
});

Deno.test("gots check --format json is the same for machines", async () => {
  const { code, stdout } = await check(({ okta }) => void (okta.group("Ops").name = "Opps"), {
    args: ["--format", "json"],
  });
  const { version, ok, findings } = JSON.parse(stdout);
  assertEquals([code, version, ok], [1, 1, false]);
  const failed = findings.filter(({ result }: { result: string }) => result === "failed");
  assertEquals(failed.map(({ service, what }: Record<string, string>) => [service, what]), [[
    "Okta",
    "group 'Ops'",
  ]]);
});

const OAUTH = `
okta: { domain: "\${OKTA_DOMAIN}", auth_method: oauth, oauth: { client_id: ${CREDENTIALS.clientId}, key_id: k } }
grafana: { url: "\${GRAFANA_URL}", api_key: "\${GRAFANA_API_KEY}" }
sync: { mappings: [{ okta_group: Engineering, grafana_team: Engineers }] }
`;
const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
const PEM = await exportPKCS8(privateKey);
const registered = { ...await exportJWK(publicKey), kid: "k" };

const APPS: Readonly<
  Record<string, readonly [prepare: (world: World) => void, code: number, says: RegExp[]]>
> = {
  "an app that is set up": [
    () => {},
    0,
    [
      /^✓ Okta: access token: received, bound to a key of this process \(DPoP\)$/,
      /^✓ Okta: scopes: okta\.groups\.read, okta\.users\.read$/,
    ],
  ],
  "a scope that is not granted": [
    ({ okta }) => void okta.grantedScopes.delete("okta.users.read"),
    1,
    [
      /^✗ Okta: access token: Authentication failed - invalid_scope/,
      /^- Okta: scopes: skipped/,
      /^- Okta: group 'Engineering': skipped, because there is no access token$/,
    ],
  ],
  "an app without an admin role, whose lists are empty": [
    ({ okta }) => void (okta.adminRole = "silent"),
    1,
    [/^✗ Okta: permission to read groups: no groups are visible$/, /give the app an admin role/],
  ],
  "an app without an admin role, whose calls are refused": [
    ({ okta }) => void (okta.adminRole = false),
    1,
    [/^✗ Okta: permission to read groups: E0000006/],
  ],
};

for (const [what, [prepare, status, says]] of Object.entries(APPS)) {
  Deno.test(`gots check tells ${what}`, async () => {
    const { code, stdout, stderr } = await check((world) => {
      world.okta.registerKey(registered);
      prepare(world);
      return { OKTA_PRIVATE_KEY: PEM };
    }, { config: OAUTH });
    assertEquals(code, status, stdout + stderr);
    for (const one of says) assert(line(stdout, one), `${one} is not in\n${stdout}`);
    assertFalse((stdout + stderr).includes(PEM.slice(40, 80)));
  });
}

for (
  const [version, says] of [
    [
      "9.5.0",
      /^✓ Grafana: missing users \(create\): gots creates them as Viewer, and they can sign in afterwards$/,
    ],
    ["10.0.0", /^! Grafana: missing users \(create\): gots creates them as Viewer, and (?:this|gots cannot)/],
  ] as const
) {
  Deno.test(`gots check tells whether users who are created can sign in to Grafana ${version}`, async () => {
    const password = "username: admin, password: admin, missing_users: create";
    const config = CONFIG().replace('api_key: "${GRAFANA_API_KEY}"', password);
    const { code, stdout, stderr } = await check(() => ({ GRAFANA_API_KEY: "" }), { config, version });
    assertEquals(code, 0, stdout + stderr);
    assert(line(stdout, says), stdout);
  });
}
