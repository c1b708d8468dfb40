import { assertEquals } from "@std/assert";
import { DEFAULT_MEMBER_STATUSES, OKTA_USER_STATUSES } from "../../src/config/schema.ts";
import { type DesiredTeam, desiredTeams } from "../../src/sync/plan/desired.ts";
import { complete, failed, mapping, oktaUser, readingsOf } from "./fixtures.ts";

const [alice, bob, carol] = [
  oktaUser("alice@example.com"),
  oktaUser("bob@example.com"),
  oktaUser("carol@example.com"),
];

/** Members as `address: groups, counted on group`. */
const described = (team: DesiredTeam | undefined) =>
  team?.members.map(({ user, groups, source: { mapping } }) =>
    `${user.profile.email}: ${groups.join(" and ")}, counted on ${mapping.okta_group}`
  );

const STATUSES = {
  ACTIVE: true,
  PASSWORD_EXPIRED: true,
  RECOVERY: true,
  LOCKED_OUT: true,
  PROVISIONED: true,
  STAGED: true,
  SUSPENDED: false,
  DEPROVISIONED: false,
} as const satisfies Record<(typeof OKTA_USER_STATUSES)[number], boolean>;

for (const [status, belongs] of Object.entries(STATUSES)) {
  Deno.test(`a member who is ${status} ${belongs ? "belongs" : "does not belong"} to the group`, () => {
    const user = oktaUser("alice@example.com", { status: status as keyof typeof STATUSES });
    const readings = readingsOf({ A: complete(user) });
    const [team] = desiredTeams([mapping("A", "T")], readings, DEFAULT_MEMBER_STATUSES);
    assertEquals(team?.members.length, belongs ? 1 : 0);
    assertEquals(team?.excluded, belongs ? [] : [user]);
  });
}

Deno.test("only the configured statuses count", () => {
  const suspended = oktaUser("sue@example.com", { status: "SUSPENDED" });
  const readings = readingsOf({ A: complete(alice, suspended) });
  const [team] = desiredTeams([mapping("A", "T")], readings, ["SUSPENDED"]);
  assertEquals(described(team), ["sue@example.com: A, counted on A"]);
  assertEquals(team?.excluded, [alice]);
});

Deno.test("several groups that feed one team are their union, each member counted on the first group that holds them", () => {
  const readings = readingsOf({ A: complete(alice, bob), B: complete(bob, carol) });
  const teams = desiredTeams([mapping("A", "T"), mapping("B", "T")], readings, DEFAULT_MEMBER_STATUSES);
  assertEquals(teams.length, 1);
  assertEquals(described(teams[0]), [
    "alice@example.com: A, counted on A",
    "bob@example.com: A and B, counted on A",
    "carol@example.com: B, counted on B",
  ]);
});

Deno.test("one group may feed several teams, in the order of the configuration", () => {
  const readings = readingsOf({ A: complete(alice), B: complete(bob) });
  const mappings = [mapping("B", "U"), mapping("A", "T"), mapping("A", "U")];
  const teams = desiredTeams(mappings, readings, DEFAULT_MEMBER_STATUSES);
  assertEquals(teams.map(({ name }) => name), ["U", "T"]);
  assertEquals(teams.map(described), [
    ["bob@example.com: B, counted on B", "alice@example.com: A, counted on A"],
    ["alice@example.com: A, counted on A"],
  ]);
});

Deno.test("teams whose names differ in case only are two teams", () => {
  const readings = readingsOf({ A: complete(alice) });
  const teams = desiredTeams(
    [mapping("A", "Core"), mapping("A", "core")],
    readings,
    DEFAULT_MEMBER_STATUSES,
  );
  assertEquals(teams.map(({ name }) => name), ["Core", "core"]);
});

Deno.test("a group that could not be read, or was not, gives no member and stays visible as failed", () => {
  const readings = readingsOf({ A: failed, C: complete(alice) });
  const mappings = [mapping("A", "T"), mapping("B", "T"), mapping("C", "T")];
  const [team] = desiredTeams(mappings, readings, DEFAULT_MEMBER_STATUSES);
  assertEquals(team?.sources.map(({ reading }) => reading.kind), ["failed", "failed", "fresh"]);
  assertEquals(described(team), ["alice@example.com: C, counted on C"]);
});

Deno.test("whoever counts in one group is not excluded, even if another reading shows them suspended", () => {
  const earlier = { ...bob, status: "SUSPENDED" as const };
  const readings = readingsOf({ A: complete(earlier), B: complete(bob) });
  const [team] = desiredTeams([mapping("A", "T"), mapping("B", "T")], readings, DEFAULT_MEMBER_STATUSES);
  assertEquals(described(team), ["bob@example.com: B, counted on B"]);
  assertEquals(team?.excluded, []);
});
