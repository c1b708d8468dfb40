/** Runs one random world: some cycles of faults and changes, then calm. */
import type { Mapping } from "../../src/config/schema.ts";
import type { GuardedPlan } from "../../src/sync/guard.ts";
import type { CycleReport } from "../../src/sync/report.ts";
import { createSyncer, type Syncer } from "../../src/sync/syncer.ts";
import { surroundings, virtualClock } from "../support.ts";
import { findStrays } from "./converged.ts";
import { type Fault, FAULTS, LIES, TRUTHFUL } from "./faults.ts";
import { createRandom, type Random } from "./random.ts";
import { createScene, type Scene } from "./scene.ts";
import { watch } from "./watch.ts";

/** How one world went. */
export interface Outcome {
  readonly seed: number;
  /** What must not happen and did; empty if all is well. */
  readonly violations: readonly string[];
  /** The log, for whoever looks for the reason. */
  readonly log: readonly string[];
  readonly requests: number;
  /** How many cycles asked only for what changed, and how many teams were written at once. */
  readonly incrementalCycles: number;
  readonly bulkWrites: number;
  /** How often each fault was injected. */
  readonly faults: ReadonlyMap<string, number>;
}

/** So many times something happens at the end that an incremental cycle has to see. */
const LAST_CHANGES = 3;

/** So many calm cycles are enough for every wait: eight intervals, and a quarter of an hour. */
const CALM_CYCLES = 18;

/** The weather of a cycle: which faults, how often, and whether hands meddle while it runs. */
interface Weather {
  readonly faults: readonly string[];
  readonly faultRate: number;
  readonly meddleRate: number;
  /** Every request to these fails in the same way. */
  readonly stuck?: { readonly path: RegExp; readonly fault: string } | undefined;
}

const CALM: Weather = { faults: [], faultRate: 0, meddleRate: 0 };

const PATHS = [
  /groups\/00g000001\/users/,
  /groups\/00g000002/,
  /groups\?search/,
  /teams\/\d+\/members/,
  /org\/users/,
];

function storm(random: Random): Weather {
  const stuck = { path: random.pick(PATHS), fault: random.pick(Object.keys(FAULTS)) };
  return {
    stuck: random.chance(0.5) ? stuck : undefined,
    faults: random.some(Object.keys(FAULTS), 0.3),
    faultRate: random.pick([0, 0.02, 0.1, 0.4]),
    meddleRate: random.pick([0, 0.05, 0.3]),
  };
}

/** Whom the removal limit keeps in a team. */
function limitedBy({ withheld }: GuardedPlan): string[] {
  return withheld?.reason === "removal-limit" ? withheld.removals.map(({ address }) => address) : [];
}

/** Whoever was withheld by the limit in the cycle before, and is removed now although nothing has changed. */
function letThrough({ team, removals }: GuardedPlan, before: readonly string[]): string[] {
  return removals.filter(({ address }) => before.includes(address))
    .map(({ address }) => `${address} was withheld in ${team} by the limit, and then removed nevertheless`);
}

/** Notes a credential that goes where it should not. */
function checkCredential(request: Request, { world }: Scene, violations: string[]): void {
  const { OKTA_API_TOKEN, GRAFANA_API_KEY } = world.environment;
  const { origin } = new URL(request.url);
  const allowed = origin === world.okta.url ? `SSWS ${OKTA_API_TOKEN}` : `Bearer ${GRAFANA_API_KEY}`;
  const isKnown = [world.okta.url, world.grafana.url].includes(origin);
  const credential = request.headers.get("authorization");
  if (isKnown && credential === allowed) return;
  violations.push(
    `${request.method} ${request.url} was sent ${credential ? "with" : "without"} a credential`,
  );
}

/** Runs the world of `seed`. */
export async function runWorld(seed: number): Promise<Outcome> {
  const random = createRandom(seed);
  const clock = virtualClock();
  await using scene = createScene(random, clock.now);
  const { world } = scene;
  const { violations, ...watching } = watch(scene);
  const faults = new Map<string, number>();
  /** What was last decided for each team. */
  const plans = new Map<string, GuardedPlan>();
  let weather = CALM;
  let [requests, process, stopAt] = [0, 0, Infinity];
  let [incrementalCycles, bulkWrites] = [0, 0];
  let shutdown = new AbortController();
  let hasLied = false;

  const meddle = () => watching.meddle(scene.disturb);

  const faultOf = ({ url }: Request): string | undefined => {
    if (weather.stuck?.path.test(url)) return weather.stuck.fault;
    return weather.faults.length > 0 && random.chance(weather.faultRate)
      ? random.pick(weather.faults)
      : undefined;
  };

  /** Answers a request, perhaps by a fault; `onHarm` is told if that leaves no whole answer. */
  async function inject(
    proceed: () => Promise<Response>,
    request: Request,
    onHarm: (isHarmed: boolean) => void,
  ): Promise<Response> {
    const name = faultOf(request);
    if (name === undefined) return await proceed();
    if (LIES.has(name)) {
      // Who moves to another page while a group is read is missed as well, and would be in no reading after a lie.
      if (hasLied || weather.meddleRate > 0) return await proceed();
      hasLied = true;
    }
    faults.set(name, (faults.get(name) ?? 0) + 1);
    onHarm(!TRUTHFUL.has(name) && !LIES.has(name));
    let own: Response | undefined;
    const answer = await (FAULTS[name] as Fault)(async () => own = await proceed(), request, random);
    if (answer === own) onHarm(false);
    return answer;
  }

  async function fetch(url: string, init: RequestInit): Promise<Response> {
    const request = new Request(url, { ...init, signal: null });
    checkCredential(request, scene, violations);
    if (++requests >= stopAt) shutdown.abort();
    if (random.chance(weather.meddleRate)) meddle();
    let response: Response | undefined;
    let isWhole = true;
    try {
      const proceed = () => world.fetch(url, init);
      if (request.method === "PUT" && world.grafana.state.isSince([11, 1])) bulkWrites++;
      response = await inject(proceed, request, (isHarmed) => isWhole = !isHarmed);
      return response;
    } finally {
      watching.requestEnded(request, response, isWhole);
    }
  }

  const around = {
    ...surroundings({ fetch, random: random.next, now: clock.now, sleep: clock.sleep }),
    clock,
  };
  const start = (): Syncer => {
    process++;
    shutdown = new AbortController();
    return createSyncer(scene.config, { ...around, signal: shutdown.signal });
  };
  let syncer = start();

  async function cycle(alone = true): Promise<CycleReport> {
    hasLied = false;
    watching.cycleBegins(alone ? process : undefined);
    const twin = alone ? undefined : createSyncer(scene.config, around);
    const [report] = await Promise.all([syncer.run(), twin?.run()]);
    if (!report.isFull) incrementalCycles++;
    for (const plan of report.plans) plans.set(plan.team, plan);
    for (const person of scene.people) {
      if (!alone || person.isRenamed) continue;
      if (report.plans.some(({ identities }) => identities.has(person.okta.id))) person.knownTo = process;
    }
    await around.clock.sleep(300_000, new AbortController().signal);
    return report;
  }

  for (let left = 4 + random.int(6); left > 0; left--) {
    for (let changes = random.int(4); changes > 0; changes--) meddle();
    weather = storm(random);
    stopAt = random.chance(0.1) ? requests + random.int(30) : Infinity;
    await cycle(!random.chance(0.1));
    if (shutdown.signal.aborted || random.chance(0.1)) syncer = start();
  }
  weather = CALM;
  stopAt = Infinity;
  if (random.chance(0.4)) {
    watching.meddle(scene.replaceGroup);
  }
  let withheld = new Map<string, readonly string[]>();
  for (let left = CALM_CYCLES; left > 0; left--) {
    const { plans } = await cycle();
    violations.push(...plans.flatMap((plan) => letThrough(plan, withheld.get(plan.team) ?? [])));
    withheld = new Map(plans.map((plan) => [plan.team, limitedBy(plan)]));
  }
  for (let left = LAST_CHANGES; left > 0; left--) {
    meddle();
    const report = await cycle();
    const isWell = (mapping: Mapping) =>
      report.mappings.some((one) => one.mapping === mapping && one.errors.length === 0);
    const inOrder = [...plans.values()].filter(({ team }) => scene.mappingsOf(team).every(isWell));
    violations.push(
      ...findStrays(scene, { ...report, plans: inOrder }).filter((stray) =>
        !stray.includes("was not compared")
      )
        .map((stray) => `after a ${report.isFull ? "full" : "incremental"} cycle ${stray}`),
    );
  }
  for (let left = CALM_CYCLES; left > 0; left--) await cycle();
  await clock.sleep(scene.config.sync.full_refresh_seconds * 1_000, new AbortController().signal);
  world.grafana.received.length = 0;
  const last = await cycle();
  violations.push(...findStrays(scene, last));
  const writes = world.grafana.received.filter(({ method, path }) =>
    method !== "GET" && path !== "/api/org/users"
  );
  violations.push(...writes.map(({ method, path }) => `after the calm there was still ${method} ${path}`));
  const log = violations.length > 0 ? around.captured.messages() : [];
  return { seed, violations, log, requests, incrementalCycles, bulkWrites, faults };
}
