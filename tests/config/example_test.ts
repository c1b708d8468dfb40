/** The files that a newcomer copies name every setting and every variable, with the defaults that there are. */
import { assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { parseDotenv } from "../../src/config/dotenv.ts";
import { OVERRIDES } from "../../src/config/environment.ts";
import { isMap } from "../../src/config/expand.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { documentWith, load, problemsOf, settingOf } from "./world.ts";

const textOf = (file: string) => Deno.readTextFile(new URL(`../../${file}`, import.meta.url));

/** A setting that is commented out; prose never begins with a key. */
const OUT = /^( *)# ( *[a-z_]+:(?: .*)?)$/gm;

/** `config.example.yaml` with every setting in force. */
async function everySetting(): Promise<Record<string, unknown>> {
  return parse((await textOf("config.example.yaml")).replace(OUT, "$1$2")) as Record<string, unknown>;
}

/** The sections of a document, by the names that they have in {@linkcode SETTINGS}; of a list its last item. */
function sectionsOf(section: unknown, name = ""): readonly (readonly [name: string, keys: string[]])[] {
  if (Array.isArray(section)) return sectionsOf(section.at(-1), `${name}[]`);
  if (!isMap(section)) return [];
  const inside = Object.entries(section).flatMap(([key, value]) =>
    sectionsOf(value, name === "" ? key : `${name}.${key}`)
  );
  return [[name, Object.keys(section)], ...inside];
}

Deno.test("config.example.yaml names every setting, and no other", async () => {
  const sections = sectionsOf(await everySetting()).filter(([name]) => name in SETTINGS);
  const sorted = (all: Iterable<readonly [string, readonly string[]]>) =>
    Object.fromEntries(Array.from(all, ([name, keys]) => [name, keys.toSorted()]));
  assertEquals(sorted(sections), sorted(Object.entries(SETTINGS)));
});

Deno.test("config.example.yaml shows the default of each setting that has one", async () => {
  const { config } = await load(documentWith());
  const differing: string[] = [];
  const compare = (shown: unknown, path: string): void => {
    const given = settingOf(config, path);
    if (isMap(shown) && isMap(given)) {
      for (const [key, value] of Object.entries(shown)) compare(value, `${path}.${key}`);
    } else if (given !== undefined && JSON.stringify(given) !== JSON.stringify(shown)) differing.push(path);
  };
  const { okta, grafana, sync, logging, metrics } = await everySetting();
  const { mappings, ...settings } = sync as { mappings: unknown[] };
  for (const [name, section] of Object.entries({ okta, grafana, sync: settings, logging, metrics })) {
    compare(section, name);
  }
  compare(mappings.at(-1), "sync.mappings.0");
  const required = ["okta.domain", "okta.api_token", "grafana.url", "grafana.api_key"];
  assertEquals(differing, [...required, "sync.mappings.0.okta_group", "sync.mappings.0.grafana_team"]);
});

for (const file of ["config.example.yaml", ".env.example"]) {
  Deno.test(`${file} names every variable that overrides a setting`, async () => {
    const text = await textOf(file);
    const variables = OVERRIDES.flatMap(({ variable, secret }) =>
      secret ? [variable, `${variable}_FILE`] : [variable]
    );
    assertEquals(variables.filter((variable) => !new RegExp(`\\b${variable}\\b`).test(text)), []);
  });
}

Deno.test(".env.example shows variables that there are, with the defaults of those that have one", async () => {
  const text = (await textOf(".env.example")).replace(/^# (?=[A-Z_]+=)/gm, "");
  const { variables, malformedLines } = parseDotenv(text);
  assertEquals(malformedLines, []);
  const settings = Object.entries(variables).filter(([name]) => !/^(?:OKTA|GRAFANA)/.test(name));
  const { config } = await load(documentWith(), { environment: Object.fromEntries(settings) });
  const { config: defaults } = await load(documentWith());
  for (const { variable, path } of OVERRIDES.filter(({ variable }) => !/^(?:OKTA|GRAFANA)/.test(variable))) {
    assertEquals(settingOf(config, path.join(".")), settingOf(defaults, path.join(".")), variable);
  }
  const known = new Set(OVERRIDES.flatMap(({ variable }) => [variable, `${variable}_FILE`]));
  assertEquals(Object.keys(variables).filter((name) => !known.has(name)), [
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
  ]);
});

Deno.test("a .env.example that nobody has edited is refused, with each of its placeholders", async () => {
  const { variables } = parseDotenv(await textOf(".env.example"));
  const problems = await problemsOf(`sync: { mappings: [{ okta_group: A, grafana_team: T }] }`, {
    environment: variables,
  });
  assertEquals(problems.map((problem) => problem.split(": ").slice(0, 2).join(": ").split(";")[0]), [
    "okta.domain in OKTA_DOMAIN: this is a placeholder from an example",
    "okta.api_token in OKTA_API_TOKEN: this is a placeholder from an example",
    "grafana.url in GRAFANA_URL: this is a placeholder from an example",
    "grafana.api_key in GRAFANA_API_KEY: this is a placeholder from an example",
  ]);
});
