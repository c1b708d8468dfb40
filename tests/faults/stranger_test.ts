/** Something in front of a service that says no in its place: who answered is told, and no credential is blamed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { errorsOf, fits, withCycles } from "../sync/cycle_world.ts";

const SETTINGS = { mappings: [{ okta_group: "A", grafana_team: "T" }] };

type Row = readonly [what: string, answer: () => Response, said: string];

const page = (status: number, title: string, server: string) => () =>
  new Response(`<html><head><title>${title}</title></head></html>`, {
    status,
    headers: { "content-type": "text/html", server },
  });

const DENIALS: readonly Row[] = [
  [
    "nginx's 401",
    page(401, "401 Authorization Required", "nginx"),
    'text/html from nginx, "401 Authorization Required"',
  ],
  ["a firewall's 403", page(403, "Access Denied", "ACME-WAF"), 'text/html from ACME-WAF, "Access Denied"'],
  [
    "a gateway's 403 in plain text",
    () =>
      new Response("RBAC: access denied", {
        status: 403,
        headers: { "content-type": "text/plain", server: "envoy" },
      }),
    'text/plain from envoy, "RBAC: access denied"',
  ],
  [
    "a 401 without a body",
    () => new Response(null, { status: 401, headers: { server: "haproxy" } }),
    "an empty response from haproxy",
  ],
];

for (const service of ["Okta", "Grafana"] as const) {
  const setting = service === "Okta" ? "okta.domain" : "grafana.url";
  for (const [what, answer, said] of DENIALS) {
    Deno.test(`${what} in front of ${service} is told as someone else's, with no word of a new token`, () =>
      withCycles(SETTINGS, async ({ world, cycle }) => {
        world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
        world[service === "Okta" ? "okta" : "grafana"].intercept = answer;
        const [error = ""] = errorsOf(await cycle());
        assert(error.includes(`a proxy or gateway responded instead of ${service}: ${said} (`), error);
        assertMatch(
          error,
          new RegExp(`${service} never saw the credential: .*, or point ${setting} directly at ${service}$`),
        );
        assert(!/token|Authentication failed/.test(error), error);
      }));
  }

  Deno.test(`a page with 502 in front of ${service} is told as someone else's`, () =>
    withCycles(SETTINGS, async ({ world, cycle }) => {
      world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
      world[service === "Okta" ? "okta" : "grafana"].intercept = page(502, "502 Bad Gateway", "nginx");
      const [error = ""] = errorsOf(await cycle());
      assert(
        error.includes(`a proxy or gateway responded instead of ${service}: text/html from nginx`),
        error,
      );
      assertMatch(
        error,
        new RegExp(`returned 502\\): check the proxy or gateway, whether ${service} is running`),
      );
    }));
}

Deno.test("a proxy that denies the writes is told once, not for every member", () =>
  withCycles(SETTINGS, async ({ world, cycle }) => {
    world.okta.addGroup("A", ["alice", "bob", "carol"].map((name) => world.addPerson(`${name}@example.com`)));
    const [, , [, answer]] = DENIALS as [Row, Row, Row];
    world.grafana.intercept = (request, proceed) =>
      fits(request, "POST", /\/members$/) ? answer() : proceed();
    const errors = errorsOf(await cycle());
    assertEquals(errors.length, 1, errors.join("\n"));
  }));

Deno.test("a title that may hold a credential behind an entity is not quoted", () =>
  withCycles(SETTINGS, async ({ world, cycle }) => {
    world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
    world.grafana.intercept = page(403, "denied: hunter&lt;2", "nginx");
    assertMatch(errorsOf(await cycle()).join(), /: text\/html from nginx \(/);
  }));

Deno.test("the quota of an organisation is told as a quota, once, not as a right that is missing", () =>
  withCycles(SETTINGS, async ({ world, cycle }) => {
    const emails = ["alice@example.com", "bob@example.com", "carol@example.com"];
    for (const email of emails) world.grafana.state.addUser({ login: email, email, orgId: null });
    world.okta.addGroup("A", emails.map((email) => world.okta.addUser(email)));
    world.grafana.intercept = (request, proceed) =>
      fits(request, "POST", /^\/api\/org\/users$/)
        ? Response.json({ message: "org_user Quota reached" }, { status: 403 })
        : proceed();
    const errors = errorsOf(await cycle());
    assertEquals(errors.length, 1, errors.join("\n"));
    assertMatch(
      errors.join(),
      /a Grafana quota is used up: org_user Quota reached \(.*\): this is not about permissions/,
    );
    assert(!/role Admin|give/.test(errors.join()), errors.join());
  }));
