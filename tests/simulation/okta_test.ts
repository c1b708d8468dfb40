/** The simulated Okta behaves as Okta's Management API is described. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type SimulatedOkta, startOkta } from "../../src/simulation/okta.ts";

function start(): SimulatedOkta {
  return startOkta({ apiToken: "right", clientId: "client", clientSecret: "secret" });
}

function get(okta: SimulatedOkta, path: string, authorization = "SSWS right"): Promise<Response> {
  return fetch(path.startsWith("http") ? path : okta.url + path, { headers: { authorization } });
}

const A_SEARCH = `/api/v1/groups?${new URLSearchParams({ search: 'profile.name eq "Data"' })}`;

/** When a test's world begins, in epoch milliseconds. */
const START = Date.UTC(2026, 0, 1);

function linkOf(response: Response, rel: string): string | undefined {
  const links = (response.headers.get("link") ?? "").matchAll(/<([^>]*)>; rel="(\w+)"/g);
  return Array.from(links).find((link) => link[2] === rel)?.[1];
}

async function search(okta: SimulatedOkta, expression: string): Promise<string[]> {
  const response = await get(okta, `/api/v1/groups?${new URLSearchParams({ search: expression })}`);
  assertEquals(response.status, 200);
  const groups = await response.json() as { profile: { name: string } }[];
  return groups.map(({ profile }) => profile.name);
}

Deno.test("the simulated Okta gives all members over pages that are linked by cursors", async () => {
  await using okta = start();
  const emails = Array.from({ length: 5 }, (_, number) => `user${number}@example.com`);
  const group = okta.addGroup("Engineering", emails.map((email) => okta.addUser(email)));
  const pages: string[][] = [];
  let link: string | undefined = `${okta.url}/api/v1/groups/${group.id}/users?limit=2`;
  while (link) {
    const response: Response = await get(okta, link);
    assertEquals(linkOf(response, "self"), link);
    const users = await response.json() as { profile: { email: string } }[];
    pages.push(users.map(({ profile }) => profile.email));
    link = linkOf(response, "next");
  }
  assertEquals(pages, [emails.slice(0, 2), emails.slice(2, 4), emails.slice(4)]);
});

Deno.test("the simulated Okta's last page has no next link, even if it is full", async () => {
  await using okta = start();
  const group = okta.addGroup("Pair", [okta.addUser("a@example.com"), okta.addUser("b@example.com")]);
  const response = await get(okta, `/api/v1/groups/${group.id}/users?limit=2`);
  assertEquals((await response.json()).length, 2);
  assertEquals(linkOf(response, "next"), undefined);
});

Deno.test("a page of the simulated Okta may hold less than the limit and still have a next one", async () => {
  await using okta = start();
  okta.pageSize = 1;
  const group = okta.addGroup("Pair", [okta.addUser("a@example.com"), okta.addUser("b@example.com")]);
  const response = await get(okta, `/api/v1/groups/${group.id}/users?limit=200`);
  assertEquals((await response.json()).length, 1);
  assertMatch(linkOf(response, "next") ?? "", /limit=200&after=/);
});

Deno.test("the simulated Okta refuses a cursor that it did not give", async () => {
  await using okta = start();
  const { id } = okta.addGroup("Engineering");
  const response = await get(okta, `/api/v1/groups/${id}/users?after=made-up!`);
  assertEquals(response.status, 400);
  assertEquals((await response.json()).errorCode, "E0000001");
});

Deno.test("a user of the simulated Okta has an id, a status and a profile", async () => {
  await using okta = start();
  okta.clock = () => START;
  const group = okta.addGroup("Engineering", [okta.addUser("jane.smith@example.com", { status: "STAGED" })]);
  const response = await get(okta, `/api/v1/groups/${group.id}/users`);
  const profile = {
    login: "jane.smith@example.com",
    email: "jane.smith@example.com",
    firstName: "jane",
    lastName: "smith",
  };
  const lastUpdated = new Date(group.lastUpdated).toISOString();
  assertEquals(await response.json(), [{ id: "00u000001", status: "STAGED", lastUpdated, profile }]);
});

const GROUPS = ["Engineering", "ENGINEERING", "Engineering Leads", "Data", 'The "A" Team', "R\\D"];
const SEARCHES: readonly (readonly [name: string, expression: string, found: readonly string[]])[] = [
  [
    "eq ignores case, so the answer may be wider",
    'profile.name eq "engineering"',
    ["Engineering", "ENGINEERING"],
  ],
  ["the operator's case does not count", 'profile.name EQ "Data"', ["Data"]],
  ["eq does not find a beginning", 'profile.name eq "Engin"', []],
  ["sw finds a beginning", 'profile.name sw "eng"', ["Engineering", "ENGINEERING", "Engineering Leads"]],
  ["co finds a part", 'profile.name co "lead"', ["Engineering Leads"]],
  ["terms are joined by or", 'profile.name eq "Data" or profile.name sw "R"', ["Data", "R\\D"]],
  ["a quote is escaped", 'profile.name eq "The \\"A\\" Team"', ['The "A" Team']],
  ["a backslash is escaped", 'profile.name eq "R\\\\D"', ["R\\D"]],
];

for (const [name, expression, found] of SEARCHES) {
  Deno.test(`in the simulated Okta's search, ${name}`, async () => {
    await using okta = start();
    for (const group of GROUPS) okta.addGroup(group);
    assertEquals(await search(okta, expression), found);
  });
}

Deno.test("every answer of the simulated Okta carries the rate limit, and counts down", async () => {
  await using okta = start();
  const limits: Record<string, number>[] = [];
  for (const _ of [1, 2]) {
    const { headers, body } = await get(okta, A_SEARCH);
    await body?.cancel();
    const [limit, remaining, reset] = ["limit", "remaining", "reset"]
      .map((part) => Number(headers.get(`x-rate-limit-${part}`)));
    limits.push({ limit: limit ?? 0, remaining: remaining ?? 0 });
    const date = Date.parse(headers.get("date") ?? "") / 1_000;
    assert(reset && reset >= date && reset <= date + 62, `the reset ${reset} is not soon after ${date}`);
  }
  assertEquals(limits, [{ limit: 600, remaining: 599 }, { limit: 600, remaining: 598 }]);
});

Deno.test("the simulated Okta answers 429 past the rate limit, until the reset", async () => {
  await using okta = start();
  okta.limitRate({ limit: 1, remaining: 1, resetAt: Date.now() + 60_000 });
  const statuses: number[] = [];
  for (const _ of [1, 2, 3]) {
    const response = await get(okta, A_SEARCH);
    statuses.push(response.status);
    await response.body?.cancel();
  }
  okta.limitRate({ resetAt: Date.now() });
  const after = await get(okta, A_SEARCH);
  await after.body?.cancel();
  assertEquals([...statuses, after.status], [200, 429, 429, 200]);
});

const REFUSALS: readonly (readonly [
  name: string,
  ask: (okta: SimulatedOkta) => Promise<Response>,
  status: number,
  errorCode: string,
])[] = [
  ["a wrong token", (okta) => get(okta, "/api/v1/groups", "SSWS wrong"), 401, "E0000011"],
  ["a token of another scheme", (okta) => get(okta, "/api/v1/groups", "Bearer right"), 401, "E0000011"],
  ["no token", (okta) => get(okta, "/api/v1/groups", ""), 401, "E0000011"],
  ["an unknown group", (okta) => get(okta, "/api/v1/groups/00g0"), 404, "E0000007"],
  ["an unknown group's members", (okta) => get(okta, "/api/v1/groups/00g0/users"), 404, "E0000007"],
  ["an unknown path", (okta) => get(okta, "/api/v1/nothing"), 404, "E0000007"],
  ["a broken search", (okta) => get(okta, "/api/v1/groups?search=name+is+x"), 400, "E0000001"],
  [
    "too many requests",
    (okta) => {
      okta.limitRate({ limit: 600, remaining: 0, resetAt: Date.now() + 60_000 });
      return get(okta, "/api/v1/groups");
    },
    429,
    "E0000047",
  ],
];

for (const [name, ask, status, errorCode] of REFUSALS) {
  Deno.test(`the simulated Okta answers ${name} with ${status} ${errorCode} in Okta's form`, async () => {
    await using okta = start();
    const response = await ask(okta);
    const { errorSummary, errorId, ...rest } = await response.json();
    assertEquals(response.status, status);
    assertEquals(rest, { errorCode, errorLink: errorCode, errorCauses: [] });
    assertNotEquals(errorSummary, "");
    assertNotEquals(errorId, "");
  });
}

Deno.test("the simulated Okta takes a client secret only where a test says so", async () => {
  await using okta = start();
  const ask = () =>
    fetch(`${okta.url}/oauth2/v1/token`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa("client:secret")}` },
    });
  const refused = await ask();
  assertEquals([refused.status, (await refused.json()).error], [401, "invalid_client"]);
  okta.acceptClientSecret = true;
  const { access_token } = await (await ask()).json();
  const answer = await get(okta, A_SEARCH, `Bearer ${access_token}`);
  await answer.body?.cancel();
  assertEquals(answer.status, 200);
});

/** An Okta in which, one minute after another, everything changes once; and what its lists find by a filter. */
function startFiltered(list: "groups" | "users") {
  const okta = start();
  let minutes = 0;
  okta.clock = () => START + minutes++ * 60_000;
  const [ann, bob, cy] = ["ann", "bob", "cy"].map((name) => okta.addUser(`${name}@example.com`));
  const [a, b] = ["A", "B"].map((name) => okta.addGroup(name));
  if (!ann || !bob || !cy || !a || !b) throw new TypeError("nobody is there");
  minutes = 10;
  a.members.add(ann);
  minutes = 20;
  b.name = "Bees";
  minutes = 30;
  bob.status = "SUSPENDED";
  minutes = 40;
  cy.status = "DEPROVISIONED";
  const find = async (filter: string) => {
    const response = await get(
      okta,
      `/api/v1/${list}?${new URLSearchParams(filter === "" ? {} : { filter })}`,
    );
    const items = await response.json();
    return Array.isArray(items) ? items.map(({ id }) => id) : items.errorCode;
  };
  return { okta, find };
}

const after = (minutes: number) => new Date(START + minutes * 60_000).toISOString();

const FILTERS:
  readonly (readonly [list: "groups" | "users", filter: string, found: readonly string[] | string])[] = [
    ["groups", `lastMembershipUpdated gt "${after(9)}"`, ["00g000001"]],
    ["groups", `lastMembershipUpdated gt "${after(10)}"`, []],
    ["groups", `lastUpdated gt "${after(15)}"`, ["00g000002"]],
    ["groups", `lastUpdated gt "${after(9)}" or lastMembershipUpdated gt "${after(9)}"`, [
      "00g000001",
      "00g000002",
    ]],
    ["groups", 'id eq "00g000002" or id eq "00g000009"', ["00g000002"]],
    ["groups", 'profile.name eq "A"', "E0000001"],
    ["groups", 'lastUpdated gt "yesterday"', "E0000001"],
    ["users", "", ["00u000001", "00u000002"]],
    ["users", `lastUpdated gt "${after(25)}"`, ["00u000002"]],
    ["users", `status eq "DEPROVISIONED" and lastUpdated gt "${after(25)}"`, ["00u000003"]],
    ["users", `status eq "DEPROVISIONED" and lastUpdated gt "${after(45)}"`, []],
  ];

for (const [list, filter, found] of FILTERS) {
  Deno.test(`the simulated Okta's ${list}, filtered by ${filter || "nothing"}, are ${found || "none"}`, async () => {
    const { okta, find } = startFiltered(list);
    assertEquals(await find(filter), found);
    await okta.close();
  });
}

Deno.test("what changes nothing moves no time of the simulated Okta", async () => {
  await using okta = start();
  let now = START;
  okta.clock = () => now;
  const ann = okta.addUser("ann@example.com");
  const group = okta.addGroup("A", [ann]);
  now += 60_000;
  ann.status = "ACTIVE";
  group.members.add(ann);
  group.members.delete(okta.addUser("bob@example.com"));
  group.name = "A";
  assertEquals([ann.lastUpdated, group.lastUpdated, group.lastMembershipUpdated], [START, START, START]);
});

Deno.test("the simulated Okta counts each family of paths on its own", async () => {
  await using okta = start();
  const { id } = okta.addGroup("A");
  const paths = ["/api/v1/groups", `/api/v1/groups/${id}/users`, `/api/v1/groups/${id}`, "/api/v1/users"];
  const remaining: (string | null)[] = [];
  for (const path of paths) {
    const { headers, body } = await get(okta, path);
    remaining.push(headers.get("x-rate-limit-remaining"));
    await body?.cancel();
  }
  assertEquals(remaining, ["599", "598", "599", "599"]);
});

Deno.test("more requests at once than it takes get 429 with a limit of 0 from the simulated Okta", async () => {
  await using okta = start();
  okta.latencyMs = 20;
  okta.concurrencyLimit = 2;
  const answers = await Promise.all([1, 2, 3].map(() => get(okta, "/api/v1/groups")));
  const refused = answers.filter(({ status }) => status === 429);
  assert(refused.length > 0, "nobody was refused");
  assertEquals(refused[0]?.headers.get("x-rate-limit-limit"), "0");
  assertEquals(okta.mostInFlight, 3);
  for (const { body } of answers) await body?.cancel();
});
