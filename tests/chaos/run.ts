/** Runs one random world: some cycles of faults and changes, then calm. */
import type { Mapping } from "../../src/config/schema.ts";
import { partsOf, type TeamPlan } from "../../src/sync/plan/team.ts";
import type { CycleReport } from "../../src/sync/tell/report.ts";
import { createSyncer, type Syncer } from "../../src/sync/syncer.ts";
import { captureLog, surroundings, virtualClock } from "../support.ts";
import { findStrays } from "./converged.ts";
import { createNetwork } from "./network.ts";
import { createRandom } from "./random.ts";
import { createScene } from "./scene.ts";
import { watch } from "./watch.ts";
import { BREEZES, CALM, storm } from "./weather.ts";

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
  /** How often each fault was injected, and each thing done by hand. */
  readonly happened: ReadonlyMap<string, number>;
}

/** So many cycles in which little happens, which an incremental one has to see. */
const QUIET_CYCLES = 10;

/** So many calm cycles are enough for every wait, of eight intervals. */
const CALM_CYCLES = 10;

/** For a crowd, which takes its time. */
const FEW_CALM_CYCLES = 2;

/** Our clock is off by so much at most, in milliseconds. */
const MOST_STEP_MS = 7_200_000;

/** From one cycle to the next, in milliseconds. */
const INTERVAL_MS = 300_000;

/** Whom the removal limit keeps in a team. */
function limitedBy(plan: TeamPlan): string[] {
  const { onHold } = partsOf(plan);
  return onHold?.reason === "removal-limit" ? onHold.removals.map(({ address }) => address) : [];
}

/** Those whom the limit put on hold in the cycle before, and who are removed now although nothing has changed. */
function letThrough(plan: TeamPlan, before: readonly string[]): string[] {
  return partsOf(plan).removals.filter(({ address }) => before.includes(address))
    .map(({ address }) =>
      `${address} was on hold in ${plan.team} by the limit, and then removed nevertheless`
    );
}

/** Runs the world of `seed`. */
export async function runWorld(seed: number): Promise<Outcome> {
  const random = createRandom(seed);
  const clock = virtualClock();
  await using scene = createScene(random, clock.now);
  const { isCrowd, world: { grafana } } = scene;
  /** How far the clock by which the program lives is off, in milliseconds. */
  let offMs = 0;
  const setClock = () => {
    offMs = random.pick([-1, 1]) * random.int(MOST_STEP_MS);
    return "the clock is set";
  };
  const own = surroundings({
    random: random.next,
    now: () => clock.now() + offMs,
    monotonic: clock.monotonic,
    sleep: clock.sleep,
  });
  // From here on it is the process's log.
  const { messages } = captureLog((line) => watching.told(line));
  const watching = watch(scene, own.log, clock.now);
  const { violations } = watching;
  const network = createNetwork(scene, random, { log: own.log, clock, setClock }, watching);
  const around = { ...own, fetch: network.fetchOf(0) };
  /** What was last decided for each team. */
  const plans = new Map<string, TeamPlan>();
  /** Teams that hands may have left with as many members as before: only a full cycle sees it. */
  const hidden = new Set<string>();
  let [process, incrementalCycles] = [0, 0];
  let shutdown = new AbortController();
  const sleep = (ms: number) => clock.sleep(ms, new AbortController().signal);

  const start = (): Syncer => {
    process++;
    shutdown = new AbortController();
    return createSyncer(scene.config, { ...around, signal: shutdown.signal });
  };
  network.onStop = () => shutdown.abort();
  let syncer = start();

  async function cycle(alone = true): Promise<CycleReport> {
    network.cycleBegins();
    watching.cycleBegins(alone ? process : undefined);
    const twin = alone ? undefined : createSyncer(scene.config, { ...around, fetch: network.fetchOf(1) });
    const [report] = await Promise.all([syncer.run(), twin?.run()]);
    watching.cycleEnded(report);
    if (!report.isFull) incrementalCycles++;
    for (const plan of report.plans) plans.set(plan.team, plan);
    for (const person of scene.people) {
      if (!alone || person.isRenamed) continue;
      if (report.plans.some(({ identities }) => identities.has(person.okta.id))) person.knownTo = process;
    }
    return report;
  }

  /** Lets the time to the next cycle pass, in which hands do something at one moment. */
  async function pass(changes = 0): Promise<void> {
    const before = random.int(INTERVAL_MS);
    await sleep(before);
    if (random.chance(0.05)) own.log.debug(setClock());
    for (; changes > 0; changes--) network.meddle();
    await sleep(INTERVAL_MS - before);
  }

  /** Anything happens. */
  async function storms(): Promise<void> {
    for (let left = 4 + random.int(6); left > 0; left--) {
      await pass(random.int(4));
      network.weather = storm(random, isCrowd);
      network.stopAt = random.chance(0.1) ? network.requests + random.int(30) : Infinity;
      await cycle(!random.chance(0.1));
      if (shutdown.signal.aborted || random.chance(0.1)) syncer = start();
    }
    Object.assign(network, { weather: CALM, stopAt: Infinity });
  }

  /** Nothing happens; nobody goes whom the limit kept. */
  async function calm(cycles: number): Promise<void> {
    let onHold = new Map<string, readonly string[]>();
    for (let left = cycles; left > 0; left--) {
      await pass();
      const { plans } = await cycle();
      violations.push(...plans.flatMap((plan) => letThrough(plan, onHold.get(plan.team) ?? [])));
      onHold = new Map(plans.map((plan) => [plan.team, limitedBy(plan)]));
    }
  }

  /** Little happens, and each cycle sees what happened before it. */
  async function quiet(): Promise<void> {
    hidden.clear();
    network.edits.clear();
    for (let left = QUIET_CYCLES; left > 0; left--) {
      await pass(random.int(3));
      for (const [team, changes] of network.edits) {
        if (changes.length > 1 || changes[0] === 0) hidden.add(team);
      }
      network.edits.clear();
      const before = network.meddled;
      network.weather = random.pick(BREEZES);
      const report = await cycle();
      network.weather = CALM;
      if (report.isFull) hidden.clear();
      if (network.meddled > before) continue;
      const isWell = (mapping: Mapping) =>
        report.mappings.some((one) => one.mapping === mapping && one.errors.length === 0);
      const inOrder = [...plans.values()].filter(({ team }) =>
        !hidden.has(team) && scene.mappingsOf(team).every(isWell)
      );
      violations.push(
        ...findStrays(scene, { ...report, plans: inOrder })
          .filter((stray) => !stray.includes("was not compared"))
          .map((stray) =>
            `after ${report.isFull ? "a full" : "an incremental"} cycle ${report.cycle} ${stray}`
          ),
      );
    }
  }

  /** Everything is read again. */
  async function refresh(): Promise<CycleReport> {
    await sleep(scene.config.sync.full_refresh_seconds * 1_000);
    return await cycle();
  }

  /** Everything is read again, and all is well. */
  async function end(): Promise<void> {
    grafana.received.length = 0;
    const report = await refresh();
    violations.push(...findStrays(scene, report));
    if (!report.isFull) violations.push("the last cycle did not read everything, though it was time");
    const writes = grafana.received.filter(({ method, path }) =>
      method !== "GET" && path !== "/api/org/users"
    );
    violations.push(...writes.map(({ method, path }) => `after the calm there was still ${method} ${path}`));
  }

  await storms();
  await refresh();
  await refresh();
  if (!isCrowd) await quiet();
  if (random.chance(0.4)) network.meddle(scene.hands.replaceGroup);
  await calm(isCrowd ? FEW_CALM_CYCLES : CALM_CYCLES);
  await end();
  const { requests, bulkWrites, happened } = network;
  const lines = violations.length > 0 ? messages() : [];
  return { seed, violations, log: lines, requests, incrementalCycles, bulkWrites, happened };
}
