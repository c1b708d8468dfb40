/** Long lists are read slice by slice, and say the same as short ones. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as z from "zod";
import type { Request } from "../../src/http/types.ts";
import { world } from "./world.ts";

const member = z.object({ userId: z.number(), email: z.string().nullish(), labels: z.array(z.string()) });
const LIST: Request<z.output<typeof member>[]> = {
  method: "GET",
  route: "/api/teams/:id/members",
  params: { id: 7 },
  schema: z.array(member),
};

/** More than four million characters. */
const MEMBERS = Array.from({ length: 60_000 }, (_, i) => ({
  userId: i,
  email: i % 3 ? `Zoë "${i}" \\ \u2028 👩‍💻 ]}{[,:@example.com` : null,
  labels: i % 5 ? [] : ["a", "[b]"],
}));

const answer = (text: string) => () =>
  new Response(text, { headers: { "content-type": "application/json" } });

Deno.test("a long list holds what it holds, whatever is in its texts", async () => {
  const text = JSON.stringify(MEMBERS);
  assert(text.length > 4_000_000);
  assertEquals((await world([answer(text)]).send(LIST)).body, MEMBERS);
  assertEquals((await world([answer(`\n ${JSON.stringify(MEMBERS, null, 2)}\n`)]).send(LIST)).body, MEMBERS);
});

Deno.test("other things get their turn while a long list is read", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++);
  await world([answer(JSON.stringify([...MEMBERS, ...MEMBERS, ...MEMBERS]))]).send(LIST);
  clearInterval(timer);
  assert(turns >= 10, `${turns} turns`);
});

const text = JSON.stringify(MEMBERS);
const DAMAGES: readonly (readonly [what: string, text: string, kind: string, says: RegExp])[] = [
  ["a list that is cut short", text.slice(0, -1), "not-json", /not valid JSON/],
  ["a list that is cut in an item", text.slice(0, -40), "not-json", /not valid JSON/],
  ["a list with rubbish behind it", `${text} x`, "not-json", /not valid JSON/],
  ["a list with a comma too many", `${text.slice(0, -1)},]`, "not-json", /not valid JSON/],
  [
    "an item without what it must have",
    text.replace('"userId":12345', '"user":12345'),
    "unexpected-shape",
    /shape at \[12345\]\.userId: /,
  ],
  ["an item that is none", text.replace(/\]$/, ",null]"), "unexpected-shape", /shape at \[60000\]: /],
  [
    "a map in place of a list",
    JSON.stringify({ members: MEMBERS }),
    "unexpected-shape",
    /shape at the top level: /,
  ],
];

for (const [what, damaged, kind, says] of DAMAGES) {
  Deno.test(`of long answers, ${what} is an error and never a shorter list`, async () => {
    const error = await world([answer(damaged)]).fails(LIST);
    assertEquals(error.kind, kind);
    assertMatch(error.message, says);
  });
}
