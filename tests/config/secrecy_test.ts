/** No message of the configuration ever holds a credential, wherever it was put by mistake. */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { ConfigError } from "../../src/config/error.ts";
import { REDACTED } from "../../src/config/secret.ts";
import { documentWith, errorOf, load, MAPPINGS, type World } from "./world.ts";

/** As long as a token of Okta: 42 characters. */
const SECRET = "00hQ7sEcReTkLmN8pRtUvWxYz-aBcDeFgHiJkLmNoP";

/** Everything that loading `document` says: problems, or warnings and the configuration as it prints. */
async function saidAbout(document: string, world?: World): Promise<string> {
  try {
    const { config, warnings } = await load(document, world);
    return [...warnings, JSON.stringify(config.okta.api_token), Deno.inspect(config.grafana.api_key)].join(
      "\n",
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.message}\n${Deno.inspect(error)}`;
  }
}

const misplaced: readonly (readonly [where: string, document: string, world?: World])[] = [
  ["in a list", documentWith({ okta: `{ domain: o.okta.com, api_token: [${SECRET}] }` })],
  ["in a map", documentWith({ okta: `{ domain: o.okta.com, api_token: { value: ${SECRET} } }` })],
  ["over two lines", documentWith({ okta: `{ domain: o.okta.com, api_token: "${SECRET}\\n${SECRET}" }` })],
  ["as an unknown setting", documentWith({ okta: `{ domain: o.okta.com, token: ${SECRET} }` })],
  ["as an unknown section", documentWith({ secrets: `{ okta: ${SECRET} }` })],
  ["as the whole section okta", documentWith({ okta: SECRET })],
  ["without a blank behind the colon", documentWith({ okta: `\n  api_token:${SECRET}` })],
  [
    "without a blank, behind the domain",
    documentWith({ okta: `\n  domain: o.okta.com\n  api_token:${SECRET}` }),
  ],
  [
    "without a blank, behind the URL",
    documentWith({ grafana: `\n  url: https://g.example.com\n  api_key:${SECRET}` }),
  ],
  [
    "as a URL's password",
    documentWith({ grafana: `{ url: "https://u:${SECRET}@g.example.com", api_key: glsa_key }` }),
  ],
  [
    "as a password without scheme",
    documentWith({ grafana: `{ url: "u:${SECRET}@g.example.com", api_key: glsa_key }` }),
  ],
  [
    "as a domain's user",
    documentWith({ okta: `{ domain: "https://${SECRET}@o.okta.com", api_token: 00token }` }),
  ],
  [
    "in a URL's query",
    documentWith({ grafana: `{ url: "g.example.com?token=${SECRET}", api_key: glsa_key }` }),
  ],
  [
    "in a URL's fragment",
    documentWith({ grafana: `{ url: "g.example.com/#${SECRET}", api_key: glsa_key }` }),
  ],
  ["as the interval", documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: ${SECRET} }` })],
  ["as a boolean", documentWith({ metrics: `{ enabled: ${SECRET} }` })],
  ["as the log level", documentWith({ logging: `{ level: ${SECRET} }` })],
  ["as a port in the environment", documentWith(), { environment: { METRICS_PORT: SECRET } }],
  ["as the way to sign in", documentWith(), { environment: { OKTA_AUTH_METHOD: SECRET } }],
  ["in a broken line", `okta:\n  api_token: ${SECRET}: ${SECRET}\n`],
  ["in an open quote", `okta:\n  api_token: "${SECRET}\n`],
  ["as an alias", `okta:\n  api_token: *${SECRET}\n`],
  ["as a tag", `okta:\n  api_token: !${SECRET} x\n`],
  ["as the only text", SECRET],
  ["in a malformed line of .env", documentWith(), { files: { ".env": `OKTA_API_TOKEN='${SECRET}` } }],
  ["in a file of two lines", documentWith(), {
    environment: { OKTA_API_TOKEN_FILE: "t" },
    files: { t: `${SECRET}\n${SECRET}` },
  }],
];

for (const [where, document, world] of misplaced) {
  Deno.test(`a secret ${where} is not repeated`, async () => {
    const said = await saidAbout(document, world);
    assert(!said.includes(SECRET), said);
  });
}

Deno.test("a text that may be a secret is told by its length", async () => {
  const { problems } = await errorOf(documentWith({ sync: `{ ${MAPPINGS}, interval_seconds: ${SECRET} }` }));
  assertEquals(problems, [
    "sync.interval_seconds: expected a whole number of seconds, from 60 to 31536000 (a year), found a string of 42 characters",
  ]);
});

Deno.test("a name that may be a secret is told by its length", async () => {
  const { problems } = await errorOf(documentWith({ [SECRET]: "1", logging: `{ "${SECRET}": 1 }` }));
  assertEquals(problems, [
    "logging: a key of 42 characters: unknown setting",
    "the top level: a key of 42 characters: unknown setting",
  ]);
});

Deno.test("a secret prints as [redacted] however it is printed, and is trimmed", async () => {
  const { config } = await load(documentWith(), { environment: { OKTA_API_TOKEN: ` ${SECRET}\n` } });
  const token = config.okta.api_token;
  assertEquals([`${token}`, JSON.stringify({ token }), Deno.inspect({ token })], [
    REDACTED,
    `{"token":"${REDACTED}"}`,
    `{ token: ${REDACTED} }`,
  ]);
  assertEquals(token?.reveal(), SECRET);
});

/** A slip of the hand: some characters fall out at a place, and something else gets in. */
const slip = (puts: readonly string[]) =>
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 3 }),
    put: fc.constantFrom(...puts),
  });

const SLIPS = [
  "",
  "",
  " ",
  "\n",
  ":",
  ": ",
  "\n  ",
  "- ",
  '"',
  "'",
  "[",
  "{",
  "}",
  "#",
  "*",
  "&",
  "!",
  "|\n",
];

const DOCUMENT = `okta:
  domain: company.okta.com
  api_token: ${SECRET}
grafana:
  url: https://grafana.example.com
  api_key: glsa_key
sync:
  interval_seconds: 300
  mappings:
    - okta_group: Engineering
      grafana_team: Engineers
logging:
  level: INFO
`;

async function assertNeverSaid(puts: readonly string[], world: World): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(slip(puts), { minLength: 1, maxLength: 4 }), async (slips) => {
      const document = slips.reduce((text, { at, cut, put }) => {
        const place = Math.floor(at * text.length);
        return text.slice(0, place) + put + text.slice(place + cut);
      }, DOCUMENT);
      const said = await saidAbout(document, world);
      assert(!said.includes(SECRET), `${document}\n${said}`);
    }),
    { numRuns: 500 },
  );
}

Deno.test("however the document is mistyped, no message holds its secret", () => assertNeverSaid(SLIPS, {}));

Deno.test("wherever a secret of the environment is pasted into the document, no message holds it", () =>
  assertNeverSaid([...SLIPS, SECRET, SECRET], { environment: { OKTA_API_TOKEN: SECRET } }));

Deno.test("a credential in the place of its file's name is told by its length", async () => {
  const { problems } = await errorOf(documentWith(), { environment: { OKTA_API_TOKEN_FILE: SECRET } });
  assertEquals(problems, ["OKTA_API_TOKEN_FILE points to a string of 42 characters: no such file"]);
});

Deno.test("a credential that no header can carry is refused before it is sent, and not shown", async () => {
  const { message } = await errorOf(documentWith({ grafana: '{ url: g, api_key: "tök€n-secret" }' }));
  assert(message.includes("of ASCII letters, digits and symbols"), message);
  assert(!message.includes("tök€n"), message);
});
