/** `gots plan` says what would happen with people whom Grafana does not know. */
import { assertEquals } from "@std/assert";
import { startWorld } from "../../src/simulation/world.ts";
import { directoryWith } from "../support.ts";
import { runMain } from "./world.ts";

for (
  const [missing_users, words] of [
    ["create", "; would be created as Editor"],
    ["auto", "; would be created as Editor"],
    ["wait", ""],
  ] as const
) {
  Deno.test(`plan with missing_users ${missing_users} says of whom Grafana does not know: ${words || "nothing more"}`, async () => {
    await using world = startWorld();
    world.okta.addGroup("Engineering", [world.okta.addUser("ann@example.com")]);
    const directory = await directoryWith({
      "config.yaml": `
okta: { domain: "${world.okta.url}", api_token: "${world.environment.OKTA_API_TOKEN}" }
grafana: { url: "${world.grafana.url}", username: admin, missing_users: ${missing_users}, new_user_role: editor }
sync: { mappings: [{ okta_group: Engineering, grafana_team: Engineers }] }
`,
    });
    try {
      const plan = await runMain(["plan", `${directory}/config.yaml`], { GRAFANA_PASSWORD: "admin" });
      assertEquals(plan.code, 0, plan.stderr);
      assertEquals(
        plan.stdout.split("\n")[2],
        `Engineers  ~ pending  ann@example.com  in Okta group 'Engineering', but not in this Grafana organisation${words}`,
      );
      assertEquals(world.grafana.received.filter(({ method }) => method !== "GET"), []);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
