/** Lists without an end, lists that lost their Link header, and what services say at too great length. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cleanError } from "../../src/http/credentials.ts";
import { errorsOf, fits, summary, withCycles } from "../sync/cycle_world.ts";
import { emails } from "../sync/fixtures.ts";

const SETTINGS = { mappings: [{ okta_group: "A", grafana_team: "T" }] };
const MEMBERS = /^\/api\/v1\/groups\/[^/]+\/users$/;

for (const loses of ["from the second cycle on", "always"]) {
  const isError = loses !== "always";
  Deno.test(`a member list without any Link header is ${isError ? "an error" : "fine"} where it lacks it ${loses}`, () =>
    withCycles(SETTINGS, async ({ world, cycle, writes }) => {
      const people = emails(1, 6).map((email) => world.addPerson(email));
      world.okta.addGroup("A", people);
      const lose = () =>
        world.okta.intercept = async (request, proceed) => {
          const answer = await proceed();
          if (isError && !fits(request, "GET", MEMBERS)) return answer;
          const list: unknown[] = await answer.json();
          return Response.json(isError ? list.slice(0, 5) : list);
        };
      if (!isError) lose();
      await cycle();
      lose();
      writes();
      const report = await cycle();
      assertEquals(summary(report), [isError ? "A->T: +0 -0, 1 errors" : "A->T: +0 -0"]);
      if (isError) assertMatch(errorsOf(report).join(), /the Link header is missing/);
      assertEquals([writes(), world.grafana.state.membersOf("T")], [[], emails(1, 6)]);
    }));
}

Deno.test("endless pages of Grafana end with an error", () =>
  withCycles(SETTINGS, async ({ world, cycle, shutdown }) => {
    world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
    let pages = 0;
    world.grafana.intercept = (request, proceed) => {
      if (!fits(request, "GET", /org\/users\/search/)) return proceed();
      if (++pages > 20) shutdown.abort(new DOMException("endless", "AbortError"));
      const orgUsers = Array.from({ length: 1_000 }, (_, i) => (
        { orgId: 1, userId: i + 1, email: `u${i}@example.com`, login: `u${i}` }
      ));
      return Response.json({ totalCount: 1e15, orgUsers });
    };
    const report = await cycle();
    assertEquals([report.interrupted, pages], [false, 9], "the first one, and some more side by side");
    assertMatch(errorsOf(report).join(), /Grafana listed only 1000 of 1000000000000000/);
  }));

for (const service of ["okta", "grafana"] as const) {
  Deno.test(`a message of 20 MB from ${service} is shortened in log and report`, () =>
    withCycles(SETTINGS, async ({ world, cycle, captured }) => {
      world.okta.addGroup("A", [world.addPerson("alice@example.com")]);
      const said = "x".repeat(20_000_000);
      world[service].intercept = () =>
        Response.json({ message: said, errorCode: "E1", errorSummary: said }, { status: 400 });
      const [message = ""] = errorsOf(await cycle());
      assertMatch(message, /x{490,500}… \(\d+ more characters\)/);
      assert(message.length < 1_000, `${message.length} characters in the report`);
      const longest = Math.max(...captured.lines().map((line) => JSON.stringify(line).length));
      assert(longest < 3_000, `${longest} characters in a line of the log`);
    }));
}

Deno.test("an error whose cause is itself does not break anything", () => {
  const error: Error = new Error("no connection with 00secrettoken");
  error.cause = error;
  const clean = cleanError(error, { authorization: "SSWS 00secrettoken" });
  assertMatch(clean.message, /^no connection with (?!00secret)/);
});

Deno.test("a network whose error is its own cause is a failure like others, and the cycle ends", () => {
  const failure = new TypeError("connection reset");
  failure.cause = failure;
  return withCycles({ ...SETTINGS, network: () => () => Promise.reject(failure) }, async ({ cycle }) => {
    assertMatch(errorsOf(await cycle()).join(), /connection reset/);
  });
});
