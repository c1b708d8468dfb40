/** Values that look right and are not: those of examples, of the browser's address bar, of other tools. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { documentWith, load, problemsOf, withDomain, withUrl } from "./world.ts";

const withToken = (token: string) =>
  documentWith({ okta: `{ domain: o.okta.com, api_token: ${JSON.stringify(token)} }` });
const withKey = (key: string) =>
  documentWith({ grafana: `{ url: https://g.example.com, api_key: ${JSON.stringify(key)} }` });

const CONSOLES: readonly (readonly [written: string, read: string])[] = [
  ["company-admin.okta.com", "company.okta.com"],
  ["https://company-admin.okta.com/", "company.okta.com"],
  ["dev-1234-admin.okta.com", "dev-1234.okta.com"],
  ["company-admin.oktapreview.com", "company.oktapreview.com"],
  ["company-admin.okta-emea.com", "company.okta-emea.com"],
  ["company-admin.okta-gov.com", "company.okta-gov.com"],
];

for (const [written, read] of CONSOLES) {
  Deno.test(`okta.domain ${written}, of the admin console, is ${read}, with a warning`, async () => {
    const { config, warnings } = await load(withDomain(written));
    assertEquals(config.okta.domain, `https://${read}`);
    assertEquals(warnings, [
      `okta.domain: this is the address of the admin console; gots uses ${read}, without -admin`,
    ]);
  });
}

for (const own of ["sso-admin.example.com", "login.company.com", "company.okta.com:8443", "[fd00::1]"]) {
  Deno.test(`okta.domain ${own} stays as it is`, async () => {
    const { config, warnings } = await load(withDomain(own));
    assertEquals([config.okta.domain, warnings], [`https://${own}`, []]);
  });
}

const NO_ORGANISATIONS = [
  "company",
  "okta.com",
  "https://www.okta.com",
  "login.okta.com",
  '"company.okta.com"',
  "a,b.c",
];

const NO_DOMAINS = [
  "https://{yourOktaDomain}",
  "{yourOktaDomain}",
  "https://<your-domain>.okta.com",
  "yourOktaDomain",
  "your-domain.okta.com",
  "https://your-company.okta.com",
  "yourcompany.okta.com",
];

const WRONG_DOMAINS = [
  ["no organisation", "expected the domain of your Okta organisation, such as", NO_ORGANISATIONS],
  ["a placeholder", "this is a placeholder from an example; use the domain", NO_DOMAINS],
] as const;

for (const [what, reason, domains] of WRONG_DOMAINS) {
  for (const domain of domains) {
    Deno.test(`okta.domain ${domain} is ${what}`, async () => {
      const [problem, ...others] = await problemsOf(withDomain(domain));
      assertStringIncludes(problem ?? "", `okta.domain: ${reason}`);
      assertEquals(others, []);
    });
  }
}

for (const placeholder of ["https://your-grafana.example.com", "https://{grafana}/", "http://<host>:3000"]) {
  Deno.test(`grafana.url ${placeholder} is a placeholder`, async () => {
    const [problem] = await problemsOf(withUrl(placeholder));
    assertStringIncludes(
      problem ?? "",
      "grafana.url: this is a placeholder from an example; use the URL",
    );
  });
}

const SCHEMES = [
  ["SSWS 00token", "SSWS"],
  ["ssws  00token", "ssws"],
  ["Bearer eyJraWQi", "Bearer"],
  ["Authorization: Bearer glsa_key", "Bearer"],
  ["Basic YWRtaW46YWRtaW4=", "Basic"],
] as const;

for (const [written, scheme] of SCHEMES) {
  Deno.test(`${scheme} in front of a credential is told, and the credential not shown`, async () => {
    for (
      const [setting, document] of [["okta.api_token", withToken(written)], [
        "grafana.api_key",
        withKey(written),
      ]]
    ) {
      const problems = await problemsOf(document ?? "");
      assertEquals(problems, [
        `${setting}: remove ${scheme} from the credential; gots adds the scheme itself`,
      ]);
    }
  });
}

for (const written of ['"00token"', "'00token'"]) {
  Deno.test(`quotes that became part of a credential are told: ${written}`, async () => {
    const problems = await problemsOf(documentWith(), { environment: { OKTA_API_TOKEN: written } });
    assertEquals(problems, [
      "okta.api_token in OKTA_API_TOKEN: the quotes count as part of the credential; remove them",
    ]);
  });
}

const PLACEHOLDERS = [
  "your-okta-api-token",
  "your_api_token",
  "<your token>",
  "{apiToken}",
  "changeme",
  "change-me-to-something-random",
  "REPLACE_ME",
  "xxxxxxxx",
  "...",
];

for (const placeholder of PLACEHOLDERS) {
  Deno.test(`the token ${placeholder} is a placeholder, wherever it stands`, async () => {
    const inFile = await problemsOf(withToken(placeholder));
    const fromFile = await problemsOf(documentWith(), {
      environment: { GRAFANA_API_KEY_FILE: "k" },
      files: { k: `${placeholder}\n` },
    });
    assertEquals([...inFile, ...fromFile], [
      "okta.api_token: this is a placeholder from an example; use the real credential",
      "grafana.api_key in the file of GRAFANA_API_KEY_FILE: this is a placeholder from an example; use the real " +
      "credential",
    ]);
  });
}

Deno.test("the ids of an example's service app are placeholders", async () => {
  const oauth = "oauth: { client_id: your-client-id, key_id: '{keyId}', client_secret: secret }";
  const document = documentWith({ okta: `{ domain: o.okta.com, auth_method: oauth, ${oauth} }` });
  assertEquals(await problemsOf(document), [
    "okta.oauth.client_id: this is a placeholder from an example; use the real id",
    "okta.oauth.key_id: this is a placeholder from an example; use the real id",
  ]);
});

Deno.test("tokens as the services make them are no placeholders", async () => {
  for (
    const token of [
      "00hQ7sEcReTkLmN8pRtUvWxYz-aBcDeFgHiJkLmNoP",
      "00your-token",
      "glsa_xxxx_1234",
      "eyJrIjoi",
    ]
  ) {
    assertEquals((await load(withToken(token))).config.okta.api_token?.reveal(), token);
  }
});

for (const url of ["http://grafana:3000", "http://10.0.0.5", "http://grafana.example.com/g"]) {
  Deno.test(`grafana.url ${url} is warned of, as the credential goes unencrypted`, async () => {
    const { warnings } = await load(withUrl(url));
    assertEquals(warnings.length, 1);
    assert(
      warnings[0]?.startsWith("grafana.url: http:// sends Grafana's credential unencrypted"),
      warnings[0],
    );
  });
}

for (
  const url of ["https://grafana", "http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"]
) {
  Deno.test(`grafana.url ${url} is not warned of`, async () => {
    assertEquals((await load(withUrl(url))).warnings, []);
  });
}

for (
  const [written, read] of [["[::]", "::"], ["[::1]", "::1"], [" 0.0.0.0 ", "0.0.0.0"], ["::", "::"], [
    "[]",
    "0.0.0.0",
  ]]
) {
  Deno.test(`metrics.host ${written} is ${read}`, async () => {
    const fromFile = await load(documentWith({ metrics: `{ host: "${written}" }` }));
    const fromVariable = await load(documentWith(), { environment: { METRICS_HOST: written } });
    assertEquals([fromFile.config.metrics.host, fromVariable.config.metrics.host], [read, read]);
  });
}
