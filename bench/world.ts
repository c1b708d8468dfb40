/** The simulated Okta and Grafana in a process of their own, with people in them; it prints where they are. */
import { parseArgs } from "node:util";
import type { SimulatedOktaUser } from "../src/simulation/okta_state.ts";
import { CREDENTIALS, startWorld } from "../src/simulation/world.ts";
import { report } from "./measure.ts";

const { values } = parseArgs({
  options: {
    mappings: { type: "string", default: "10" },
    people: { type: "string", default: "100" },
    latency: { type: "string", default: "0" },
    version: { type: "string", default: "11.1.0" },
    strangers: { type: "string", default: "0" },
  },
});
const [mappings, people, latencyMs] = [values.mappings, values.people, values.latency].map(Number);

const world = startWorld({ version: values.version });
const { okta, grafana } = world;
okta.limitRate({ limit: Infinity, remaining: Infinity });
// Everything is a day old, so that a second cycle finds nothing new.
okta.clock = () => Date.now() - 86_400_000;
// In the order of their logins, in which Grafana lists them: sorting those that are sorted costs the simulation little.
const places = Array.from(
  { length: (mappings ?? 0) * (people ?? 0) },
  (_, i) => ({
    group: Math.floor(i / (people ?? 1)),
    email: `group-${Math.floor(i / (people ?? 1))}.${i}@example.com`,
  }),
);
places.sort((a, b) => a.email < b.email ? -1 : 1);
const members = Map.groupBy(
  places.map(({ group, email }) => ({ group, user: world.addPerson(email) })),
  ({ group }) => group,
);
for (let i = 0; i < (mappings ?? 0); i++) {
  okta.addGroup(`group-${i}`, members.get(i)?.map(({ user }) => user));
}
for (let i = 0; i < Number(values.strangers); i++) {
  grafana.state.addUser({ login: `stranger-${i}`, email: `stranger-${i}@example.com` });
}
okta.clock = Date.now;
okta.latencyMs = grafana.latencyMs = latencyMs ?? 0;

let newcomers = 0;

/** So many members of a group go, and as many others come. */
function replace(members: Set<SimulatedOktaUser>, count: number): void {
  for (const leaver of [...members].slice(0, count)) members.delete(leaver);
  for (let i = 0; i < count; i++) members.add(world.addPerson(`newcomer-${newcomers++}@example.com`));
}

const CHANGES: Readonly<Record<string, () => void>> = {
  first: () => grafana.state.teams.clear(),
  "one change": () => replace(okta.group("group-0").members, 1),
  "5 % churn": () => {
    for (const { members } of okta.groups) replace(members, Math.ceil(members.size / 20));
  },
};

const control = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
  const { pathname } = new URL(url);
  if (pathname === "/take") {
    return Response.json({
      okta: okta.received.splice(0).length,
      grafana: grafana.received.splice(0).length,
    });
  }
  CHANGES[decodeURIComponent(pathname.replace("/change/", ""))]?.();
  return new Response("done");
});
report({
  okta: okta.url,
  grafana: grafana.url,
  oktaToken: CREDENTIALS.apiToken,
  grafanaToken: CREDENTIALS.grafanaToken,
  control: `http://127.0.0.1:${control.addr.port}`,
});
