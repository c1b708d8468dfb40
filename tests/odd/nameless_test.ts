/** People whose email is empty, blank or missing in Okta are called by their login, wherever somebody reads it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { runMain } from "../cli/world.ts";
import { mapping } from "../support.ts";
import { withService } from "../service/running.ts";
import { directoryWith } from "../support.ts";

const MAPPINGS = [mapping("Engineering", "Engineers"), mapping("Data", "Engineers")];

/** In both groups: Nina, whom Grafana does not know, and Una, whose login is the email of somebody else's account. */
function fill({ okta, grafana }: World, email: string | null): void {
  grafana.state.addUser({ login: "vic", email: "una" });
  const people = ["nina", "una"].map((login) => okta.addUser(login, { email }));
  for (const group of ["Engineering", "Data"]) okta.addGroup(group, people);
}

async function plan(world: World, ...options: string[]): Promise<string> {
  const { OKTA_DOMAIN, OKTA_API_TOKEN, GRAFANA_URL, GRAFANA_API_KEY } = world.environment;
  const config = {
    okta: { domain: OKTA_DOMAIN, api_token: OKTA_API_TOKEN },
    grafana: { url: GRAFANA_URL, api_key: GRAFANA_API_KEY },
    sync: { mappings: MAPPINGS },
  };
  const directory = await directoryWith({ "config.yaml": JSON.stringify(config) });
  try {
    return (await runMain(["plan", ...options, `${directory}/config.yaml`])).stdout;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

for (const email of ["", "  ", null]) {
  const what = email === null ? "no email" : `the email ${JSON.stringify(email)}`;

  Deno.test(`somebody with ${what} in Okta is called by their login in the log and on the page`, () =>
    withService({
      mappings: MAPPINGS,
      metrics: { show_users: true },
      fill: (world) => fill(world, email),
    }, async ({ url, captured, cycleEnds }) => {
      await cycleEnds();
      const log = captured.lines();
      const pending = log.find(({ action }) => action === "pending");
      assertStringIncludes(
        String(pending?.message),
        "1 user is pending, because Grafana does not know them: nina. ",
      );
      const ambiguous = log.find(({ level, user }) => level === "ERROR" && user !== undefined);
      assertEquals(ambiguous?.user, "una");
      assertStringIncludes(String(ambiguous?.message), "has the login of una as email");
      const { mappings: [first] } = await (await fetch(`${url}/api/status`)).json();
      assertEquals(first.pending.users, ["nina"]);
      assert(first.errors.some((error: string) => error.includes("the login of una as email")));
    }));

  Deno.test(`somebody with ${what} in Okta is called by their login in the plan, and has the email null in its JSON`, async () => {
    await using world = startWorld();
    fill(world, email);
    const groups = ["Engineering", "Data"];
    const table = await plan(world);
    assertStringIncludes(
      table,
      "~ pending    nina      in Okta groups 'Engineering', 'Data', but not in this Grafana organisation",
    );
    assertStringIncludes(table, "! ambiguous  una ");
    const { teams: [team] } = JSON.parse(await plan(world, "--format", "json"));
    assertEquals(team.pending, [{ okta_id: "00u000001", email: null, login: "nina", groups }]);
    assertEquals([team.ambiguous[0].email, team.ambiguous[0].login], [null, "una"]);
  });
}

Deno.test("why somebody is added is said in the same words in the log, the plan and its JSON", async () => {
  const why = "in Okta groups 'Engineering', 'Data'";
  await using world = startWorld();
  const outside = world.okta.addUser("out@example.com");
  world.grafana.state.addUser({ login: "out", email: "out@example.com", orgId: null });
  const people = [world.addPerson("ann@example.com"), outside];
  for (const group of ["Engineering", "Data"]) world.okta.addGroup(group, people);
  const [row] = (await plan(world)).split("\n").filter((line) => line.includes("+ add"));
  assertStringIncludes(row ?? "", why);
  const { teams: [team] } = JSON.parse(await plan(world, "--format", "json"));
  assertEquals(team.add[0].why, why);
  await withService({
    mappings: MAPPINGS,
    fill(its) {
      its.grafana.state.addUser({ login: "out", email: "out@example.com", orgId: null });
      const both = [its.addPerson("ann@example.com"), its.okta.addUser("out@example.com")];
      for (const group of ["Engineering", "Data"]) its.okta.addGroup(group, both);
    },
  }, async ({ captured, cycleEnds }) => {
    await cycleEnds();
    const said = captured.lines().filter(({ audit }) => audit).map(({ action, why }) => [action, why]);
    assertEquals(said, [
      ["join_organisation", why],
      ["create_team", "mapped from Okta groups 'Engineering', 'Data'"],
      ["add", why],
      ["add", why],
    ]);
  });
});
