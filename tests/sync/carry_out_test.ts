/** How many failures make it pointless to go on with changes that do not depend on each other. */
import { assert, assertEquals } from "@std/assert";
import { RequestError, type RequestErrorKind } from "../../src/http/error.ts";
import { carryOut } from "../../src/sync/act/carry_out.ts";
import type { Performer } from "../../src/sync/act/performer.ts";
import type { CreateTeam } from "../../src/sync/plan/actions.ts";
import { mapping } from "./fixtures.ts";

type Answer = RequestErrorKind | "ok";

function failureOf(kind: RequestErrorKind): RequestError {
  return new RequestError({ kind, service: "Grafana", method: "POST", path: "/", detail: kind });
}

/** How many of the actions that Grafana would answer so are tried, if three outages in a row are too many. */
async function triedOf(answers: readonly Answer[]): Promise<number> {
  const source = { key: "A", mapping: mapping("A", "T") };
  const actions = answers.map((answer): CreateTeam => ({
    kind: "create_team",
    team: answer,
    why: "",
    source,
  }));
  let tried = 0;
  const performer: Performer = {
    isDry: false,
    hasBulkWrite: () => false,
    perform(action) {
      const answer = answers[tried++] ?? "ok";
      return Promise.resolve(
        answer === "ok"
          ? { kind: "done", action }
          : { kind: "failed", action, error: failureOf(answer), untried: 0 },
      );
    },
    performAll: () => Promise.reject(new Error("not in this test")),
  };
  await carryOut(actions, performer, 3, () => {});
  return tried;
}

/** So many that those under way side by side do not reach the end. */
const MORE: readonly Answer[] = new Array(30).fill("ok");
const NONE_LEFT: readonly (readonly Answer[])[] = [
  ["server-error", "server-error", "ok", "server-error", "server-error"],
  ["server-error", "server-error", "rejected", "server-error", "server-error"],
  ["rejected", "rejected", "rejected", "rejected"],
];

Deno.test("after three outages in a row the other changes are left to the next cycle", async () => {
  const tried = await triedOf(["server-error", "server-error", "server-error", ...MORE]);
  assert(tried < MORE.length, `${tried} tried`);
});

for (const answers of NONE_LEFT) {
  Deno.test(`after ${answers.join(", ")} the other changes are tried`, async () =>
    assertEquals(await triedOf([...answers, ...MORE]), answers.length + MORE.length));
}
