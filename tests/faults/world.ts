/** Whole cycles over a network that can fail, watched for the one harm that must never be done. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Mapping } from "../../src/config/schema.ts";
import type { Surroundings } from "../../src/http/types.ts";
import type { SimulatedOktaUser } from "../../src/simulation/okta_state.ts";
import type { World } from "../../src/simulation/world.ts";
import type { CycleReport } from "../../src/sync/tell/report.ts";
import { type CycleSettings, type CycleWorld, errorsOf, withCycles } from "../sync/cycle_world.ts";
import { freePort, mapping } from "../support.ts";

/** One of the two services. */
export type ServiceName = "okta" | "grafana";

/** What becomes of a request on its way; `proceed` lets it arrive. */
export type Network = (url: string, init: RequestInit, proceed: () => Promise<Response>) => Promise<Response>;

/** Cycles whose network can fail. */
export interface FaultyCycles extends CycleWorld {
  /** Set it to let something befall every request. */
  network: Network | undefined;
  /** Lets virtual time pass. */
  pass(seconds: number): Promise<void>;
}

/** The time between two cycles, in seconds. */
export const INTERVAL = 300;

/** Engineering feeds Engineers; Science feeds Scientists and shows that the rest goes on. */
export const MAPPINGS: readonly Mapping[] = [
  mapping("Engineering", "Engineers"),
  mapping("Science", "Scientists"),
];

/** Who is in the group of this name, sorted. */
export function groupOf({ okta }: World, name: string): string[] {
  const members = okta.groups.find((group) => group.name === name)?.members ?? [];
  return Array.from(members, ({ email }) => email ?? "").sort();
}

/** The removal that this request is, if by what Okta knows at this moment they belong, or the team is none of ours. */
function harmOf(world: World, mappings: readonly Mapping[], method: string, url: string) {
  const [, team, user] = new URL(url).pathname.match(/^\/api\/teams\/(\d+)\/members\/(\d+)$/) ?? [];
  if (method !== "DELETE" || !team || !user) return undefined;
  const { state } = world.grafana;
  const name = state.teams.get(Number(team))?.name;
  const email = state.users.get(Number(user))?.email ?? "nobody";
  if (name === undefined) return undefined;
  const groups = mappings.filter(({ grafana_team }) => grafana_team === name);
  const belongs = groups.some(({ okta_group }) => groupOf(world, okta_group).includes(email));
  return belongs || groups.length === 0 ? `${email} was removed from ${name}` : undefined;
}

/** Runs `test`; whatever befell the cycles, nobody who belongs was removed, and no other team was touched. */
export async function withFaults(
  test: (cycles: FaultyCycles) => Promise<void>,
  mappings: readonly Mapping[] = MAPPINGS,
  sync: CycleSettings["sync"] = {},
): Promise<void> {
  const harm: string[] = [];
  let network: Network | undefined;
  let world: World | undefined;
  const watched: Surroundings["fetch"] = (url, init) => {
    const done = world && harmOf(world, mappings, init.method ?? "GET", url);
    if (done) harm.push(done);
    const proceed = () => fetch(url, init);
    return network ? network(url, init, proceed) : proceed();
  };
  await withCycles({ mappings, sync, around: { fetch: watched } }, async (cycles) => {
    world = cycles.world;
    await test({
      ...cycles,
      get network() {
        return network;
      },
      set network(next) {
        network = next;
      },
      pass: (seconds) => cycles.clock.sleep(seconds * 1_000, cycles.shutdown.signal),
    });
  });
  assertEquals(harm, [], "nobody who belongs is removed");
}

/** Somebody of the simulated Okta, by the part of their address before the `@`. */
export function person({ okta }: World, name: string): SimulatedOktaUser {
  const found = okta.users.find(({ email }) => email === `${name}@example.com`);
  if (!found) throw new TypeError(`the simulated Okta has no ${name}`);
  return found;
}

/** The world before every fault: both teams are in order. */
export async function settle({ world, cycle, writes, messages }: CycleWorld): Promise<void> {
  const add = (...names: string[]) => names.map((name) => world.addPerson(`${name}@example.com`));
  world.okta.addGroup("Engineering", add("alice", "bob", "carol"));
  world.okta.addGroup("Science", add("dave"));
  await cycle();
  assertConverged(world);
  writes();
  messages();
  world.okta.received.length = 0;
}

/** Bob leaves Engineering and Dave comes: what the cycle in which the fault happens would have to do. */
export function change(world: World): void {
  world.okta.group("Engineering").members.add(person(world, "dave")).delete(person(world, "bob"));
}

/** Every team has exactly the members of its group. */
export function assertConverged(world: World, mappings: readonly Mapping[] = MAPPINGS): void {
  for (const { okta_group, grafana_team } of mappings) {
    assertEquals(world.grafana.state.membersOf(grafana_team), groupOf(world, okta_group), grafana_team);
  }
}

/** The operator is told: by the report, and by a line of the log. */
export function assertTold(report: CycleReport, messages: readonly string[], says: RegExp): void {
  assertMatch(errorsOf(report).join("\n"), says);
  assertMatch(messages.filter((line) => /^(?:ERROR|WARNING)/.test(line)).join("\n"), says);
}

/** Lets every request to a service arrive at another address. */
export function leadTo(world: World, service: ServiceName, address: string): Network {
  const { origin } = new URL(world[service].url);
  return (url, init, proceed) =>
    url.startsWith(origin) ? fetch(url.replace(origin, address), init) : proceed();
}

/** An address of this machine where nobody listens. */
export function closedAddress(): string {
  return `http://127.0.0.1:${freePort()}`;
}
