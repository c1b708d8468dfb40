/** Setting a team's whole membership, as Grafana does since 11.1. */
import { assertEquals } from "@std/assert";
import { startGrafana } from "../../src/simulation/grafana.ts";

async function put(version: string, body: unknown, isProvisioned?: boolean) {
  await using grafana = startGrafana({ token: "right", version });
  const { state } = grafana;
  const [ann, bob, cy] = ["Ann", "bob", "cy"].map((name) =>
    state.addUser({ login: name, email: `${name}@example.com` }).id
  );
  const team = state.addTeam("T");
  if (isProvisioned) team.isProvisioned = true;
  for (const [id, permission] of [[ann, 4], [bob, 0]] as const) team.members.set(id ?? 0, permission);
  const response = await fetch(`${grafana.url}/api/teams/${team.id}/members`, {
    method: "PUT",
    headers: { authorization: "Bearer right", "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const members = Array.from(
    team.members,
    ([id, permission]) => `${[ann, bob, cy].indexOf(id)}:${permission}`,
  );
  return [response.status, (await response.json()).message, members.sort().join(" ")];
}

const SET = "Team memberships have been updated";

Deno.test("a bulk write of the simulated Grafana sets members and admins, and removes whoever is not listed", async () => {
  const emails = { members: ["bob@example.com", "cy@example.com"], admins: ["Ann@example.com"] };
  assertEquals(await put("11.1.0", emails), [200, SET, "0:4 1:0 2:0"]);
  assertEquals(await put("12.0.1", { members: ["Ann@example.com"] }), [200, SET, "0:0"]);
  assertEquals(await put("11.1.0", { members: [], admins: [] }), [200, SET, ""]);
});

Deno.test("a bulk write of the simulated Grafana changes nothing if one email is unknown, in case too", async () => {
  const emails = { members: ["bob@example.com", "ann@example.com"], admins: [] };
  assertEquals(await put("11.1.0", emails), [404, "user not found", "0:4 1:0"]);
});

Deno.test("an older Grafana knows no bulk write, and a provisioned team takes none", async () => {
  assertEquals(await put("11.0.9", { members: [] }), [404, "Not found", "0:4 1:0"]);
  const refusal = "Team memberships cannot be updated for provisioned teams";
  assertEquals(await put("12.0.0", { members: [] }, true), [400, refusal, "0:4 1:0"]);
});
