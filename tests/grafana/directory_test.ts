/** Who is who: people of Okta among the users of Grafana. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createDirectory, foldAddress, type Match, type Person } from "../../src/grafana/directory.ts";
import type { GrafanaUser } from "../../src/grafana/schema.ts";

/** `found 3`, `ambiguous 3 4` or `unknown`. */
function tell(match: Match): string {
  if (match.kind === "found") return `found ${match.user.userId}`;
  if (match.kind === "unknown") return "unknown";
  return `ambiguous ${match.users.map(({ userId }) => userId).sort().join(" ")}`;
}

/** Users numbered from 1, each as email and login. */
function users(...addresses: readonly (readonly [email: string | null, login: string])[]): GrafanaUser[] {
  return addresses.map(([email, login], index) => ({ userId: index + 1, email, login }));
}

const JANE = "jane@example.com";

const CASES: readonly (readonly [
  name: string,
  users: GrafanaUser[],
  person: Person,
  expected: string,
])[] = [
  ["a person is found by email", users([JANE, "js"]), { email: JANE, login: "other" }, "found 1"],
  ["two different emails under one login prove nothing", users(["old@example.com", JANE]), {
    email: "new@example.com",
    login: JANE,
  }, "ambiguous 1"],
  [
    "a user who has a person's email for a login, and another email, is not taken for them",
    users(["mallory@example.com", JANE]),
    { email: JANE, login: JANE },
    "ambiguous 1",
  ],
  ["a user without an email is found by the login alone", users([null, JANE]), {
    email: JANE,
    login: JANE,
  }, "found 1"],
  [
    "a person without an email is found by login",
    users([JANE, "jane"]),
    { email: null, login: "jane" },
    "found 1",
  ],
  ["a person with a blank email is found by login", users(["", "x"], [JANE, "jane"]), {
    email: "  ",
    login: "jane",
  }, "found 2"],
  ["an email goes before a login", users(["a@example.com", JANE], [JANE, "b"]), {
    email: JANE,
    login: JANE,
  }, "found 2"],
  [
    "a login that is another person's email does not find them",
    users([JANE, "x"]),
    { email: "bob@example.com", login: "bob" },
    "unknown",
  ],
  [
    "a user who chose a person's email for a login, and has another email, is not taken for them",
    users(["x@example.com", JANE]),
    { email: JANE, login: "jane" },
    "ambiguous 1",
  ],
  [
    "a user without an email, whose login is a person's email, is that person",
    users([null, JANE]),
    { email: JANE, login: "jane" },
    "found 1",
  ],
  [
    "a person who chose somebody's email for a login does not get them into a team, nor out of it",
    users([JANE, "jane"]),
    { email: "mallory@example.com", login: JANE },
    "ambiguous 1",
  ],
  [
    "a person without an email, whose login is a user's email, is not taken for them",
    users([JANE, "jane"]),
    { email: null, login: JANE },
    "ambiguous 1",
  ],
  [
    "case does not count",
    users(["Jane@Example.COM", "x"]),
    { email: "jANE@example.com", login: "y" },
    "found 1",
  ],
  [
    "blanks around an address do not count",
    users([` ${JANE}\t`, "x"]),
    { email: `${JANE} `, login: "y" },
    "found 1",
  ],
  ["composed and decomposed letters are equal", users(["u\u0308ni@example.com", "x"]), {
    email: "\u00fcni@example.com",
    login: "y",
  }, "found 1"],
  ["a login is folded as well", users([null, " JANE"]), { email: null, login: "jane" }, "found 1"],
  [
    "plus-tags are not folded",
    users(["jane+grafana@example.com", "x"]),
    { email: JANE, login: JANE },
    "unknown",
  ],
  ["dots are not folded", users(["j.ane@example.com", "x"]), { email: JANE, login: JANE }, "unknown"],
  ["of two users for one email, exact case wins", users(["JANE@example.com", "x"], [JANE, "y"]), {
    email: JANE,
    login: "z",
  }, "found 2"],
  [
    "of two users for one email in other cases, neither is taken",
    users(["JANE@example.com", "x"], ["Jane@example.com", "y"]),
    { email: JANE, login: "x" },
    "ambiguous 1 2",
  ],
  ["of two users with the very same email, neither is taken", users([JANE, "x"], [JANE, "y"]), {
    email: JANE,
    login: "x",
  }, "ambiguous 1 2"],
  [
    "of two users for one login, exact case wins",
    users([null, "JANE"], [null, "jane"]),
    { login: "jane" },
    "found 2",
  ],
  ["of two users for one login in other cases, neither is taken", users([null, "JANE"], [null, "Jane"]), {
    login: "jane",
  }, "ambiguous 1 2"],
  [
    "users without email and login are nobody",
    users([null, ""], ["", " "]),
    { email: "", login: "" },
    "unknown",
  ],
  ["in an empty Grafana everybody is unknown", [], { email: JANE, login: JANE }, "unknown"],
];

for (const [name, among, person, expected] of CASES) {
  Deno.test(name, () => assertEquals(tell(createDirectory(among).match(person)), expected));
}

Deno.test("a user who is listed twice counts once", () => {
  const twice = [...users([JANE, "jane"]), ...users([JANE, "jane"])];
  assertEquals(tell(createDirectory(twice).match({ email: JANE, login: "jane" })), "found 1");
});

/** Few letters, so that addresses meet often, in case, composition and blanks. */
const address = fc.array(fc.constantFrom("a", "A", "b", "\u00e9", "e\u0301", "\u00c9", "ß", "İ", "+", " "), {
  maxLength: 3,
}).map((letters) => letters.join(""));
const person = fc.record({ email: fc.option(address), login: address });
const someUsers = fc.uniqueArray(
  fc.record({ userId: fc.nat(20), email: fc.option(address), login: address }),
  { selector: ({ userId }) => userId, maxLength: 12 },
);

Deno.test("the order in which Grafana lists its users does not matter", () => {
  const shuffled = someUsers.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))
  );
  fc.assert(fc.property(shuffled, person, ([listed, other], who) => {
    assertEquals(tell(createDirectory(other).match(who)), tell(createDirectory(listed).match(who)));
  }));
});

Deno.test("whoever is found has the person's email, or a login that no email contradicts", () => {
  fc.assert(fc.property(someUsers, person, (all, who) => {
    const match = createDirectory(all).match(who);
    if (match.kind !== "found") return;
    const { email, login } = match.user;
    const byEmail = who.email?.trim() && foldAddress(email ?? "") === foldAddress(who.email);
    const names = [who.login, who.email ?? ""].map(foldAddress);
    assert(byEmail || names.includes(foldAddress(login)), Deno.inspect(match));
  }));
});

Deno.test("somebody whose email one user has alone is always found", () => {
  fc.assert(fc.property(someUsers, (all) => {
    for (const { userId, email } of all) {
      const sharing = all.filter((other) => foldAddress(other.email ?? "") === foldAddress(email ?? ""));
      if (!email?.trim() || sharing.length > 1) continue;
      assertEquals(tell(createDirectory(all).match({ email, login: "" })), `found ${userId}`);
    }
  }));
});

Deno.test("folding an address twice changes nothing more", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assertEquals(foldAddress(foldAddress(text)), foldAddress(text));
  }));
});

Deno.test("nobody is found who has another email than the person, whatever the logins are", () => {
  fc.assert(fc.property(someUsers, person, (all, who) => {
    const match = createDirectory(all).match(who);
    if (match.kind !== "found" || !who.email?.trim() || !match.user.email?.trim()) return;
    assertEquals(foldAddress(match.user.email), foldAddress(who.email));
  }));
});

Deno.test("no user who has an email is found for two persons with different emails", () => {
  fc.assert(fc.property(someUsers, person, person, (all, one, other) => {
    const [first, second] = [one, other].map((who) => createDirectory(all).match(who));
    if (first?.kind !== "found" || second?.kind !== "found" || first.user.userId !== second.user.userId) {
      return;
    }
    if (!first.user.email?.trim() || !one.email?.trim() || !other.email?.trim()) return;
    assertEquals(foldAddress(one.email), foldAddress(other.email));
  }));
});

Deno.test("a user who chooses a login is not found for anybody else, and takes nobody's place", () => {
  const attack = fc.record({ users: someUsers, who: person, login: address });
  fc.assert(fc.property(attack, ({ users: all, who, login }) => {
    fc.pre(!!who.email?.trim());
    const mallory = { userId: 99, email: "mallory@example.com", login };
    const before = createDirectory(all).match(who);
    const after = createDirectory([...all, mallory]).match(who);
    if (after.kind === "found") assertEquals(tell(after), tell(before));
    if (before.kind === "found" && before.user.email?.trim()) assertEquals(tell(after), tell(before));
  }));
});
