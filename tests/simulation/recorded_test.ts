/** Holds the simulated Grafana to exchanges that were recorded from a real one. */
import { assert, assertEquals } from "@std/assert";
import { startGrafana } from "../../src/simulation/grafana.ts";
import recorded from "./grafana-9.5-recorded.json" with { type: "json" };

interface Exchange {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly auth: string;
    readonly body: unknown;
  };
  readonly response: { readonly status: number; readonly body: unknown };
}

const EXCHANGES: readonly Exchange[] = recorded;

/** Values that differ from run to run; of these only the type is compared. */
const DIFFERING = new Set([
  "accessErrorId",
  "avatarUrl",
  "code",
  "createdAt",
  "createdOn",
  "emailSentOn",
  "key",
  "lastSeenAt",
  "lastSeenAtAge",
  "traceID",
  "updatedAt",
  "url",
]);

/** They were sent with `X-Grafana-Org-Id: 2`, which the recording does not hold. */
const IN_OTHER_ORG = new Set([
  "teams in other org with SA token",
  "teams in other org basic",
  "create team other org basic",
]);

/** The recording holds only a part of what was answered. */
const TRIMMED = new Set(["login ping / settings", "access control perms", "admin perms basic"]);

function comparable(body: unknown): unknown {
  return JSON.parse(
    JSON.stringify(body),
    (key, value) => DIFFERING.has(key) ? `some ${typeof value}` : value,
  );
}

/** Sends every recorded request, in order, and gives the answers beside the recorded ones. */
async function replay(version: string) {
  await using grafana = startGrafana({ token: "glsa_not_in_the_recording", version });
  const keys = new Map<string, string>();
  const authorization = ({ name, request: { auth } }: Exchange): string | undefined => {
    if (auth === "none") return undefined;
    if (auth === "basic") return `Basic ${btoa("admin:admin")}`;
    if (auth === "bad") return "Bearer glsa_bad";
    return `Bearer ${keys.get(name.endsWith("as viewer") ? "create viewer token" : "create token")}`;
  };
  const answers: (Exchange & { readonly status: number; readonly body: unknown })[] = [];
  for (const exchange of EXCHANGES) {
    const { name, request: { method, path, body: sent } } = exchange;
    const headers = new Headers({ "content-type": "application/json" });
    const credential = authorization(exchange);
    if (credential) headers.set("authorization", credential);
    if (IN_OTHER_ORG.has(name)) headers.set("x-grafana-org-id", "2");
    const response = await fetch(grafana.url + path, {
      method,
      headers,
      ...(sent === null ? {} : { body: JSON.stringify(sent) }),
    });
    const body = await response.json();
    if ("key" in body) keys.set(name, body.key);
    answers.push({ ...exchange, status: response.status, body });
  }
  return answers;
}

Deno.test("the simulated Grafana answers all recorded requests as the real one did", async (test) => {
  const answers = await replay("9.2.0");
  assertEquals(answers.length, 63);
  for (const [index, { name, response, status, body }] of answers.entries()) {
    await test.step(`${index + 1}: ${name}`, () => {
      assertEquals(status, response.status);
      if (!TRIMMED.has(name)) assertEquals(comparable(body), comparable(response.body));
    });
  }
});

Deno.test("the simulated Grafana shows the recorded rights over teams and users of the organisation", async () => {
  const answers = await replay("9.2.0");
  const shown = answers.filter(({ name }) => name.endsWith("perms") || name.endsWith("perms basic"));
  assertEquals(shown.length, 2);
  for (const { name, body, response } of shown) {
    const [simulated, real] = [body, response.body].map((rights) =>
      Object.entries(rights as Record<string, readonly string[]>)
        .filter(([action]) => /^(teams|org\.users)[.:]/.test(action))
        .map(([action, scopes]) => `${action} on ${[...new Set(scopes)]}`).sort()
    );
    assert(real && real.length >= 10, `${name} has too few rights to compare`);
    assertEquals(simulated, real, name);
  }
});
