/** Where Okta and Grafana are: the forms that their addresses may have. */
import { assertEquals, assertMatch } from "@std/assert";
import { load, problemsOf, withDomain, withUrl } from "./world.ts";

const domains: readonly (readonly [written: string, read: string])[] = [
  ["company.okta.com", "https://company.okta.com"],
  [" company.okta.com ", "https://company.okta.com"],
  ["COMPANY.okta.com", "https://company.okta.com"],
  ["company.okta.com/", "https://company.okta.com"],
  ["https://company.okta.com", "https://company.okta.com"],
  ["https://company.okta.com/", "https://company.okta.com"],
  ["company.okta.com:8443", "https://company.okta.com:8443"],
  ["http://localhost:8080", "http://localhost:8080"],
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ["http://127.1.2.3", "http://127.1.2.3"],
  ["http://[::1]:8080/", "http://[::1]:8080"],
];

for (const [written, read] of domains) {
  Deno.test(`okta.domain ${written} is ${read}`, async () => {
    assertEquals((await load(withDomain(written))).config.okta.domain, read);
  });
}

const noDomains = [
  "http://company.okta.com",
  "http://127.0.0.1.example.com",
  "http://localhost.example.com",
  "https://company.okta.com/admin",
  "company.okta.com/api/v1",
  "https://company.okta.com?x=1",
  "https://company.okta.com#x",
  "https://user@company.okta.com",
  "ftp://company.okta.com",
  "https://",
  "company okta com",
  "",
];

for (const written of noDomains) {
  Deno.test(`okta.domain ${JSON.stringify(written)} is refused with an example of a right one`, async () => {
    const [problem, ...others] = await problemsOf(withDomain(written));
    assertMatch(problem ?? "", /^okta\.domain: expected the domain .* such as company\.okta\.com/);
    assertEquals(others, []);
  });
}

const urls: readonly (readonly [written: string, read: string])[] = [
  ["https://grafana.example.com", "https://grafana.example.com"],
  ["https://grafana.example.com/", "https://grafana.example.com"],
  ["https://example.com/grafana", "https://example.com/grafana"],
  ["https://example.com/grafana/", "https://example.com/grafana"],
  ["https://example.com/a/b//", "https://example.com/a/b"],
  ["http://grafana:3000", "http://grafana:3000"],
  ["grafana.example.com", "https://grafana.example.com"],
  ["grafana.example.com:3000/path/", "https://grafana.example.com:3000/path"],
  [" https://grafana.example.com ", "https://grafana.example.com"],
];

for (const [written, read] of urls) {
  Deno.test(`grafana.url ${written} is ${read}`, async () => {
    assertEquals((await load(withUrl(written))).config.grafana.url, read);
  });
}

for (const path of ["/login", "/login/", "/grafana/login", "/login/generic_oauth"]) {
  Deno.test(`grafana.url with ${path} is refused: that is the sign-in page`, async () => {
    assertEquals(await problemsOf(withUrl(`https://grafana.example.com${path}`)), [
      "grafana.url: this is the address of the sign-in page; remove /login and everything after it",
    ]);
  });
}

const noUrls = [
  "https://user:password@grafana.example.com",
  "https://grafana.example.com?orgId=1",
  "https://grafana.example.com/#/teams",
  "file:///etc/passwd",
  "https://",
  "",
  "https://grafana.example.com/ api_key:glsa_key",
];

for (const written of noUrls) {
  Deno.test(`grafana.url ${JSON.stringify(written)} is refused with an example of a right one`, async () => {
    const [problem, ...others] = await problemsOf(withUrl(written));
    assertMatch(problem ?? "", /^grafana\.url: expected the URL .* such as https:\/\/grafana\.example\.com/);
    assertEquals(others, []);
  });
}
