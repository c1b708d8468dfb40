/** What is asked of the Grafana server as a whole, and how a password signs it. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createGrafanaClient } from "../../src/grafana/client.ts";
import { RequestError } from "../../src/http/error.ts";
import { type SimulatedGrafanaOptions } from "../../src/simulation/grafana.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { configOf } from "../simulation/config.ts";
import { surroundings } from "../support.ts";

const PASSWORD = "pässwörd 密码 🔑";

function startServer(options: Partial<SimulatedGrafanaOptions> = {}): World {
  return startWorld({ adminPassword: PASSWORD, ...options });
}

function clientOf(world: World, settings: Readonly<Record<string, unknown>> = {}) {
  const grafana = { api_key: undefined, username: "admin", password: PASSWORD, ...settings };
  return createGrafanaClient(configOf(world, { grafana }).grafana, surroundings());
}

const tokenClientOf = (world: World) => createGrafanaClient(configOf(world).grafana, surroundings());
const ANN = { email: "ann@example.com", login: "ann", name: "Ann Lee", orgId: 1 };

Deno.test("a password of any letters signs in, in UTF-8", async () => {
  await using world = startServer();
  assertEquals(await clientOf(world).createTeam("Engineers"), { id: 1, isNew: true });
});

Deno.test("a wrong password is told with what to check, and not said", async () => {
  await using world = startServer();
  const password = "wröng-password";
  const { message } = await assertRejects(() => clientOf(world, { password }).findTeam("T"), RequestError);
  assertStringIncludes(message, "Authentication failed - Grafana rejected the username or password");
  assertStringIncludes(message, "Grafana says: Invalid username or password");
  assertMatch(
    message,
    /check grafana\.username and grafana\.password; .*locks the account for some minutes and also rejects the right one$/,
  );
  assert(!message.includes(password));
});

for (const [org_id, sent] of [[undefined, "1"], [2, "2"]] as const) {
  Deno.test(`with a password and org_id ${org_id}, every request names organisation ${sent}`, async () => {
    await using world = startServer();
    const seen = new Set<string | null>();
    world.grafana.intercept = (request, proceed) => {
      seen.add(request.headers.get("x-grafana-org-id"));
      return proceed();
    };
    const client = clientOf(world, { org_id });
    await client.listOrgUsers();
    await client.createTeam("T");
    assertEquals([...seen], [sent]);
  });
}

Deno.test("a token names no organisation", async () => {
  await using world = startServer();
  world.grafana.intercept = (request, proceed) => {
    assertEquals(request.headers.has("x-grafana-org-id"), false);
    return proceed();
  };
  await tokenClientOf(world).listOrgUsers();
});

Deno.test("a server administrator may create users, and a service account may not", async () => {
  await using world = startServer();
  const [all, few] = [await clientOf(world).listRights(), await tokenClientOf(world).listRights()];
  assertEquals([all.has("users:create"), few.has("users:create"), few.has("teams:create")], [
    true,
    false,
    true,
  ]);
  const error = await assertRejects(() => tokenClientOf(world).createUser(ANN), RequestError);
  assertEquals([error.kind, error.detail.includes("users:create")], ["forbidden", true]);
  assertEquals(
    (await assertRejects(() => tokenClientOf(world).readEmailLookup(), RequestError)).kind,
    "forbidden",
  );
});

Deno.test("the version is read, unless it is hidden", async () => {
  await using world = startServer({ version: "10.4.2" });
  assertEquals(await clientOf(world).readVersion(), "10.4.2");
  world.grafana.state.hideVersion = true;
  assertEquals(await clientOf(world).readVersion(), undefined);
});

for (
  const [version, allowed, text] of [["9.5.0", true, undefined], ["10.0.0", true, "true"], [
    "10.0.0",
    false,
    "false",
  ]] as const
) {
  Deno.test(`the lookup by email of Grafana ${version} where it is ${allowed} reads ${text}`, async () => {
    await using world = startServer({ version });
    world.grafana.state.allowInsecureEmailLookup = allowed;
    assertEquals(await clientOf(world).readEmailLookup(), text);
  });
}

/** The passwords that accounts were made with. */
function watchPasswords(world: World): string[] {
  const passwords: string[] = [];
  world.grafana.intercept = async (request, proceed) => {
    if (request.method === "POST") passwords.push((await request.clone().json()).password);
    return await proceed();
  };
  return passwords;
}

Deno.test("an account is made with a long password of its own, of every kind of letter", async () => {
  await using world = startServer();
  const passwords = watchPasswords(world);
  for (let number = 0; number < 20; number++) {
    await clientOf(world).createUser({ ...ANN, email: `${number}@example.com`, login: `user${number}` });
  }
  assertEquals(new Set(passwords).size, 20);
  for (const password of passwords) {
    assert(password.length >= 32, password);
    for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[^\w]/]) assertMatch(password, kind);
  }
});

Deno.test("the password of a new account is not said, even if a proxy echoes the request", async () => {
  await using world = startServer();
  const passwords: string[] = [];
  world.grafana.intercept = async (request) => {
    const body = await request.text();
    passwords.push(JSON.parse(body).password);
    return Response.json({ message: `you sent ${body}` }, { status: 400 });
  };
  const { message } = await assertRejects(() => clientOf(world).createUser(ANN), Error);
  assertStringIncludes(message, "you sent");
  assertEquals(passwords.filter((password) => message.includes(password)), []);
});

Deno.test("an account whose email or login is taken is not made", async () => {
  await using world = startServer();
  const id = await clientOf(world).createUser(ANN);
  assertEquals(world.grafana.state.users.get(Number(id))?.email, ANN.email);
  assertEquals(await clientOf(world).createUser(ANN), "exists");
  assertEquals(await clientOf(world).createUser({ ...ANN, email: "other@example.com" }), "exists");
  assertEquals(world.grafana.state.users.size, 2);
});

Deno.test("accounts of the whole server are found by a part of their address, in any case", async () => {
  await using world = startServer();
  for (
    const [email, orgId] of [["ANN@example.com", null], ["joann@example.com", 1], [
      "bob@example.com",
      2,
    ]] as const
  ) {
    world.grafana.state.addUser({ email, login: email, orgId });
  }
  const found = await clientOf(world).searchUsers("ann@example.com");
  assertEquals(found.map(({ email }) => email), ["ANN@example.com", "joann@example.com"]);
});

Deno.test("a role is set in the organisation that is synced", async () => {
  await using world = startServer();
  const user = world.grafana.state.addUser({ login: "ann", email: "ann@example.com" });
  await clientOf(world).setOrgRole(user.id, "None");
  assertEquals([...user.orgs], [[1, "None"]]);
});
