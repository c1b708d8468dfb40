/** One record of a list that cannot be read: the message says whose it is. */
import { assertEquals, assertMatch } from "@std/assert";
import { errorsOf, fits, summary, withCycles } from "../sync/cycle_world.ts";

const SETTINGS = {
  mappings: [{ okta_group: "A", grafana_team: "T" }, { okta_group: "B", grafana_team: "U" }],
};

/** Where it happens, what is done to the JSON of the whole answer, and what the operator reads. */
const RECORDS: Readonly<
  Record<
    string,
    readonly [service: "okta" | "grafana", path: RegExp, spoil: (text: string) => string, says: RegExp]
  >
> = {
  "an Okta user without a login": [
    "okta",
    /00g000001\/users$/,
    (text) => text.replace('"login":"bob@example.com",', ""),
    /the record with the id 00u000002 .* shape at \.profile\.login: .*groups\/00g000001\/users.*check this record in Okta/,
  ],
  "an Okta user of a status that Okta does not document": [
    "okta",
    /00g000001\/users$/,
    (text) => text.replace(/"ACTIVE"(?=.*"bob@)/, '"HIBERNATING"').replace(/"ACTIVE"/, '"HIBERNATING"'),
    /the record with the id 00u00000[12] .* shape at \.status: /,
  ],
  "a user of the organisation without a login": [
    "grafana",
    /^\/api\/org\/users\/search$/,
    (text) => text.replace('"login":"bob@example.com",', ""),
    /the record with the id 3 .* shape at \.login: .*org\/users\/search.*check this record in Grafana/,
  ],
  "a member of a team without a permission": [
    "grafana",
    /^\/api\/teams\/1\/members$/,
    (text) => text.replace(/"permission":0\}\]$/, '"permission":null}]'),
    /the record with the id 3 .* shape at \.permission: .*teams\/1\/members/,
  ],
  "a team without a number of members": [
    "grafana",
    /^\/api\/teams\/search$/,
    (text) => text.replace('"memberCount":2', '"memberCount":"many"'),
    /the record with the id 1 .* shape at \.memberCount: /,
  ],
};

for (const [what, [service, path, spoil, says]] of Object.entries(RECORDS)) {
  Deno.test(`${what}: nothing is written for the group, and the message names the id`, () =>
    withCycles(SETTINGS, async ({ world, cycle, restart, writes }) => {
      const [ann, bob] = ["ann", "bob"].map((name) => world.addPerson(`${name}@example.com`));
      world.okta.addGroup("A", ann && bob ? [ann, bob] : []);
      world.okta.addGroup("B", ann ? [ann] : []);
      await cycle();
      writes();
      world[service].intercept = async (request, proceed) => {
        const answer = await proceed();
        if (!fits(request, "GET", path)) return answer;
        const text = await answer.text();
        const spoiled = spoil(text);
        assertEquals(spoiled === text, false, "nothing was spoiled");
        return new Response(spoiled, { headers: answer.headers });
      };
      const report = await restart()();
      assertMatch(summary(report)[0] ?? "", /^A->T: \+0 -0, 1 errors$/);
      assertMatch(errorsOf(report)[0] ?? "", says);
      assertEquals(writes(), []);
    }));
}

Deno.test("a record whose id is no id is named by its place", () =>
  withCycles(SETTINGS, async ({ world, cycle }) => {
    world.okta.addGroup("A", [world.addPerson("ann@example.com")]);
    world.okta.addGroup("B");
    world.okta.intercept = (request) => {
      if (!fits(request, "GET", /00g000001\/users$/)) return undefined;
      const headers = { link: `<${request.url}>; rel="self"` };
      return Response.json([{ id: "SSWS 00token\n", status: "ACTIVE" }], { headers });
    };
    assertMatch(
      errorsOf(await cycle())[0] ?? "",
      /^A: the response does not have the expected shape at \[0\]\.profile/,
    );
  }));
