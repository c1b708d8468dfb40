import { assertEquals } from "@std/assert";
import {
  complete,
  desiredFrom,
  differenceOf,
  oktaUser,
  organisationOf,
  orgUser,
  signs,
  teamOf,
} from "./fixtures.ts";

const alice = { okta: oktaUser("alice@example.com"), grafana: orgUser(1, "alice@example.com") };
const bob = { okta: oktaUser("bob@example.com"), grafana: orgUser(2, "bob@example.com") };
const carol = { okta: oktaUser("carol@example.com"), grafana: orgUser(3, "carol@example.com") };
const everybody = organisationOf(alice.grafana, bob.grafana, carol.grafana);

Deno.test("whoever is missing is added, whoever is too many is removed, the rest stays", () => {
  const desired = desiredFrom({ A: complete(alice.okta, bob.okta) });
  const plan = differenceOf(desired, teamOf(bob.grafana, carol.grafana), everybody);
  assertEquals(signs(plan.additions), ["+ alice@example.com"]);
  assertEquals(signs(plan.removals), ["- carol@example.com"]);
});

Deno.test("a team that does not exist yet gets all its members", () => {
  const desired = desiredFrom({ A: complete(alice.okta, bob.okta) });
  const plan = differenceOf(desired, { id: undefined, memberCount: 0, members: [] }, everybody);
  assertEquals(signs(plan.additions), ["+ alice@example.com", "+ bob@example.com"]);
  assertEquals(plan.removals, []);
});

Deno.test("a user in two groups is added once, counted on the first, and both groups are the reason", () => {
  const desired = desiredFrom({ A: complete(alice.okta, bob.okta), B: complete(bob.okta, carol.okta) });
  const { additions } = differenceOf(desired, teamOf(), everybody);
  assertEquals(additions.map(({ address, source, why }) => [address, source.mapping.okta_group, why]), [
    ["alice@example.com", "A", "in Okta group 'A'"],
    ["bob@example.com", "A", "in Okta groups 'A', 'B'"],
    ["carol@example.com", "B", "in Okta group 'B'"],
  ]);
});

Deno.test("a removal is counted on the team's first mapping and names every group that feeds the team", () => {
  const two = desiredFrom({ A: complete(alice.okta), B: complete(alice.okta) });
  const one = desiredFrom({ B: complete(alice.okta) });
  const removals = [two, one].flatMap((desired) =>
    differenceOf(desired, teamOf(alice.grafana, bob.grafana), everybody).removals
  );
  assertEquals(removals.map(({ address, source, why }) => [address, source.mapping.okta_group, why]), [
    ["bob@example.com", "A", "not in Okta groups 'A', 'B'"],
    ["bob@example.com", "B", "not in Okta group 'B'"],
  ]);
});

for (const status of ["SUSPENDED", "DEPROVISIONED"] as const) {
  Deno.test(`a member who is ${status} leaves the team for that reason`, () => {
    const left = oktaUser("bob@example.com", { status });
    const desired = desiredFrom({ A: complete(alice.okta, left) });
    const { removals } = differenceOf(desired, teamOf(alice.grafana, bob.grafana), everybody);
    assertEquals(removals.map(({ address, why }) => [address, why]), [[
      "bob@example.com",
      `${status} in Okta`,
    ]]);
  });
}

const SAME: Record<string, [okta: ReturnType<typeof oktaUser>, grafana: ReturnType<typeof orgUser>]> = {
  "the email in another case": [oktaUser("Alice@Example.com"), orgUser(1, "alice@example.com", "al")],
  "the email with blanks around it": [oktaUser(" alice@example.com "), orgUser(1, "alice@example.com", "al")],
  "the email in another Unicode form": [
    oktaUser("zoe\u0308@example.com"),
    orgUser(1, "zo\u00eb@example.com", "z"),
  ],
  "the login, where Grafana has no email": [
    oktaUser("alice@example.com", { login: "amoore" }),
    orgUser(1, "", "AMoore"),
  ],
};

for (const [how, [okta, grafana]] of Object.entries(SAME)) {
  Deno.test(`a member who is found by ${how} stays, and is added where they are missing`, () => {
    const desired = desiredFrom({ A: complete(okta) });
    const staying = differenceOf(desired, teamOf(grafana), organisationOf(grafana));
    assertEquals([staying.additions, staying.removals, staying.pending], [[], [], []]);
    const joining = differenceOf(desired, teamOf(), organisationOf(grafana));
    assertEquals(joining.additions.map(({ user }) => user.userId), [1]);
  });
}

Deno.test("a member whom the list of the organisation misses is not taken for a stranger", () => {
  const desired = desiredFrom({ A: complete(alice.okta) });
  const plan = differenceOf(desired, teamOf(alice.grafana), organisationOf(bob.grafana));
  assertEquals([plan.additions, plan.removals, plan.pending], [[], [], []]);
});

Deno.test("whoever Grafana does not know is pending, and neither added nor removed", () => {
  const desired = desiredFrom({ A: complete(alice.okta, oktaUser("new@example.com")) });
  const plan = differenceOf(desired, teamOf(alice.grafana), everybody);
  assertEquals(plan.pending.map(({ user }) => user.profile.email), ["new@example.com"]);
  assertEquals([plan.additions, plan.removals, plan.ambiguous], [[], [], []]);
});

Deno.test("of two users for one address, those in the team stay and the others are not added", () => {
  const upper = orgUser(11, "ALICE@example.com", "alice-1");
  const lower = orgUser(12, "Alice@example.com", "alice-2");
  const desired = desiredFrom({ A: complete(alice.okta) });
  for (const present of [[], [upper], [lower], [upper, lower]]) {
    const plan = differenceOf(desired, teamOf(...present), organisationOf(upper, lower));
    assertEquals([plan.additions, plan.removals, plan.pending], [[], [], []]);
    assertEquals(plan.ambiguous.map(({ users }) => users.map(({ userId }) => userId)), [[11, 12]]);
  }
});

Deno.test("of two users for one address, the one with exactly equal case is the member", () => {
  const exact = orgUser(11, "alice@example.com", "alice-1");
  const other = orgUser(12, "Alice@example.com", "alice-2");
  const plan = differenceOf(
    desiredFrom({ A: complete(alice.okta) }),
    teamOf(),
    organisationOf(exact, other),
  );
  assertEquals(plan.additions.map(({ user }) => user.userId), [11]);
  assertEquals(plan.ambiguous, []);
});

Deno.test("two Okta users who are one Grafana user make one addition, counted on the first of them", () => {
  const again = oktaUser("alice@example.com", { id: "00u-second" });
  const desired = desiredFrom({ A: complete(alice.okta), B: complete(again) });
  const { additions } = differenceOf(desired, teamOf(), everybody);
  assertEquals(signs(additions), ["+ alice@example.com"]);
  assertEquals(additions.map(({ source }) => source.mapping.okta_group), ["A"]);
});

Deno.test("somebody without an email is named by their login", () => {
  const nameless = { ...orgUser(9, "", "robot"), email: null };
  const plan = differenceOf(
    desiredFrom({ A: complete(alice.okta) }),
    teamOf(nameless),
    organisationOf(alice.grafana, nameless),
  );
  assertEquals(signs(plan.removals), ["- robot"]);
});

Deno.test("the team's own record of a member counts, for it was read after the organisation's", () => {
  const renamed = oktaUser("alice.new@example.com");
  const plan = differenceOf(
    desiredFrom({ A: complete(renamed) }),
    teamOf(orgUser(1, "alice.new@example.com")),
    everybody,
  );
  assertEquals([plan.additions, plan.removals, plan.pending], [[], [], []]);
});
