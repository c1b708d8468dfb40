import { assertEquals } from "@std/assert";
import { judgeLockout, type Lockout } from "../../src/grafana/lockout.ts";
import { GrafanaState } from "../../src/simulation/grafana_state.ts";

const UNREADABLE = { unreadable: true } as const;
const table: readonly (readonly [string | undefined, string | undefined | typeof UNREADABLE, Lockout])[] = [
  ["9.5.3", undefined, "signs-in"],
  ["9.2.0", undefined, "signs-in"],
  ["v8.5.0-pre", undefined, "signs-in"],
  ["9.5.3+security-01", undefined, "signs-in"],
  ["9.5.4-pre", undefined, "unknown"],
  ["9.4.13", "false", "locks-out"],
  ["9.5.4", "false", "locks-out"],
  ["10.0.0", "false", "locks-out"],
  ["10.4.2-cloud.1", "", "locks-out"],
  ["12.1.0", "true", "signs-in"],
  ["12.1.0", " On ", "signs-in"],
  ["12.1.0", "truely", "locks-out"],
  [undefined, "true", "signs-in"],
  [undefined, "false", "locks-out"],
  ["9.5.4", undefined, "unknown"],
  ["13.0.0", undefined, "unknown"],
  [undefined, undefined, "unknown"],
  ["nightly", undefined, "unknown"],
  ["9.5.3", UNREADABLE, "unknown"],
  ["12.1.0", UNREADABLE, "unknown"],
  [undefined, UNREADABLE, "unknown"],
];

for (const [version, emailLookup, expected] of table) {
  const setting = typeof emailLookup === "object"
    ? "settings that cannot be read"
    : `the setting ${emailLookup}`;
  Deno.test(`Grafana ${version ?? "of a hidden version"} with ${setting}: ${expected}`, () => {
    assertEquals(judgeLockout({ version, emailLookup }), expected);
  });
}

const ANN = { email: "ann@example.com", login: "ann@example.com", name: "Ann" };

/** What comes of Ann's first sign-in where somebody made her an account before. */
function signInAnn(version: string, isAllowed: boolean): string {
  const state = new GrafanaState();
  Object.assign(state, { version, allowInsecureEmailLookup: isAllowed });
  const account = state.addUser({ email: ANN.email, login: "ann" });
  try {
    return state.signIn(ANN).id === account.id ? "in her account" : "in another account";
  } catch (error) {
    return (error as Error).message;
  }
}

for (
  const [version, isAllowed, outcome] of [
    ["9.2.0", false, "in her account"],
    ["9.5.3", false, "in her account"],
    ["9.5.4", false, "user already exists"],
    ["9.5.4", true, "in her account"],
    ["10.0.0", false, "user already exists"],
    ["12.3.1", true, "in her account"],
  ] as const
) {
  Deno.test(`the simulated Grafana ${version}, email lookup ${isAllowed}: a first sign-in ends ${outcome}`, () => {
    assertEquals(signInAnn(version, isAllowed), outcome);
  });
}

Deno.test("in the simulated Grafana a second sign-in finds the account by its identity, whatever the email", () => {
  const state = new GrafanaState();
  state.version = "12.0.0";
  const { id } = state.signIn(ANN);
  assertEquals(state.signIn({ ...ANN, email: "ann.lee@example.com" }).id, id);
  assertEquals(state.users.get(id)?.email, "ann.lee@example.com");
});
