/**
 * Runs many cycles on virtual time in a world where people come and go and things fail, and prints as JSON what
 * was in use after 1,000 of them and at the end. It must end by itself: there is no `Deno.exit` in it.
 *
 * `deno run -A --v8-flags=--expose-gc --config deno.json tests/faults/soak.ts 10000`
 */
import { createLog } from "../../src/observability/log.ts";
import { createUser } from "../../src/simulation/okta_state.ts";
import type { Intercept } from "../../src/simulation/server.ts";
import { startWorld } from "../../src/simulation/world.ts";
import { createSyncer } from "../../src/sync/syncer.ts";
import { configOf } from "../simulation/config.ts";

/** What the process holds at one moment. */
export interface Usage {
  readonly cycle: number;
  readonly heapBytes: number;
  readonly files: number;
}

/** What the program prints. */
export interface Soaked {
  readonly warm: Usage;
  readonly end: Usage;
  /** How often something was added, removed, and went wrong. */
  readonly added: number;
  readonly removed: number;
  readonly errors: number;
  readonly seconds: number;
}

const CYCLES = Number(Deno.args[0] ?? 10_000);
const WARM = Math.min(1_000, CYCLES / 2);

function usage(cycle: number): Usage {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new TypeError("run it with --v8-flags=--expose-gc");
  for (let i = 0; i < 3; i++) gc();
  return {
    cycle,
    heapBytes: Deno.memoryUsage().heapUsed,
    files: [...Deno.readDirSync("/proc/self/fd")].length,
  };
}

const world = startWorld();
const { state } = world.grafana;
world.okta.limitRate({ limit: Infinity, remaining: Infinity });

let now = Date.UTC(2026, 0, 1);
world.okta.clock = () => now;

const config = configOf(world, {
  sync: {
    mappings: [
      { okta_group: "Engineering", grafana_team: "Engineers" },
      { okta_group: "Science", grafana_team: "Scientists" },
      { okta_group: "A group that is gone", grafana_team: "Ghosts" },
    ],
  },
});

/** Somebody new comes into both groups; whoever came ten people before leaves them, and later Grafana. */
const members = Array.from({ length: 10 }, (_, i) => world.addPerson(`first${i}@example.com`));
const groups = ["Engineering", "Science"].map((name) => world.okta.addGroup(name, members));
const gone: string[] = [];
// Somebody whom Grafana never knows: pending for ever.
for (const group of groups) group.members.add(world.okta.addUser("pending@example.com"));

function comeAndGo(cycle: number): void {
  const email = `person${cycle}@example.com`;
  const user = createUser(`00u-${cycle}`, email, {}, () => now);
  state.addUser({ login: email, email, ...(cycle % 4 === 0 ? { orgId: null } : {}) });
  members.push(user);
  const leaver = members.shift();
  for (const group of groups) {
    group.members.add(user);
    if (leaver) group.members.delete(leaver);
  }
  gone.push(leaver?.email ?? "");
  const deleted = gone.length > 10 ? state.lookUp(gone.shift() ?? "") : undefined;
  if (!deleted) return;
  state.users.delete(deleted.id);
  for (const team of state.teams.values()) team.members.delete(deleted.id);
}

/** Every third cycle something fails: a reading, a connection, a write whose answer is lost. */
let cycle = 0;
const failing: Intercept = async ({ method, url }, proceed) => {
  const answer = await proceed();
  const place = cycle % 15;
  const isHit = place === 0 && url.includes("/groups/") || place === 3 && method === "POST" ||
    place === 6 && url.includes("/org/users/search") || place === 9 && method === "DELETE";
  if (isHit) return Response.json({ message: "fault" }, { status: 500 });
  if (place === 12) return new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
  return answer;
};
world.okta.intercept = failing;
world.grafana.intercept = failing;

let logged = 0;
const running = new AbortController();
const syncer = createSyncer(config, {
  // Without its signal: Deno keeps what a Request that follows a signal holds, which is none of our memory.
  fetch: (url, init) => world.fetch(url, { ...init, signal: null }),
  now: () => now,
  monotonic: () => now,
  sleep: (ms) => Promise.resolve(void (now += ms)),
  random: () => 0.5,
  log: createLog({ level: "INFO", format: "json", write: (line) => void (logged += line.length) }),
  signal: running.signal,
});

const startedAt = performance.now();
const sum = { added: 0, removed: 0, errors: 0 };
let warm: Usage | undefined;
while (cycle < CYCLES) {
  cycle++;
  if (cycle % 3 === 0) comeAndGo(cycle);
  const { mappings } = await syncer.run();
  for (const { added, removed, errors } of mappings) {
    sum.added += added;
    sum.removed += removed;
    sum.errors += errors.length;
  }
  now += config.sync.interval_seconds * 1_000;
  world.okta.received.length = 0;
  world.grafana.received.length = 0;
  // The virtual time never comes back to the event loop, where Deno lets go of answers that nobody read.
  if (cycle % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  // Weak tables grow until they are collected: as often before the first measurement as after it.
  if (cycle % 250 === 0) usage(cycle);
  if (cycle === WARM) warm = usage(cycle);
}
const end = usage(cycle);
// Once more, so that what the syncer holds was in use, and counted, until now.
await syncer.run();
await world.close();
if (!warm || logged === 0) throw new Error("nothing was done");
const soaked: Soaked = { warm, end, ...sum, seconds: (performance.now() - startedAt) / 1_000 };
// deno-lint-ignore no-console
console.log(JSON.stringify(soaked));
