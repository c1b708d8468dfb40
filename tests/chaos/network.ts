/** The network between the program and its world: faults and other people come in between. */
import type { Fetch } from "../../src/http/types.ts";
import type { Logger } from "../../src/observability/log.ts";
import type { VirtualClock } from "../support.ts";
import { FAULTS, LIES, LONG_WAIT, TRUTHFUL, withFlaw } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { Watch } from "./watch.ts";
import { CALM, type Weather } from "./weather.ts";

/** An answer takes up to so long, in milliseconds. */
const MOST_LATENCY_MS = 100;

/** What a network needs. */
interface Around {
  readonly log: Logger;
  readonly clock: VirtualClock;
  /** Somebody sets the clock by which the program lives. */
  readonly setClock: () => string;
}

/** A network, and what has come over it. */
export interface Network {
  /** What a process reaches the world by: the first one, or one that runs beside it. */
  fetchOf(process: 0 | 1): Fetch;
  weather: Weather;
  /** The program is told to stop by the request of this number. */
  stopAt: number;
  onStop: () => void;
  requests: number;
  bulkWrites: number;
  /** How often someone else did something. */
  meddled: number;
  /** By mapped team: the changes of its number of members by which hands changed who is in it, or who is kept there. */
  readonly edits: Map<string, number[]>;
  /** How often each fault was injected, and each thing done by hand. */
  readonly happened: Map<string, number>;
  /** A cycle begins: who told a lie may tell another one, and every team can be read. */
  cycleBegins(): void;
  /** Other hands do something. @default {anything, where they meddle in this weather} */
  meddle(act?: () => string): void;
}

/** Notes a credential that goes where it should not. */
function checkCredential(request: Request, { world, config }: Scene, violations: string[]): void {
  const { OKTA_API_TOKEN, GRAFANA_API_KEY } = world.environment;
  const ofGrafana = config.grafana.api_key ? `Bearer ${GRAFANA_API_KEY}` : `Basic ${btoa("admin:admin")}`;
  const { origin } = new URL(request.url);
  const allowed = origin === world.okta.url ? `SSWS ${OKTA_API_TOKEN}` : ofGrafana;
  const isKnown = [world.okta.url, world.grafana.url].includes(origin);
  const credential = request.headers.get("authorization");
  if (isKnown && credential === allowed) return;
  violations.push(
    `${request.method} ${request.url} was sent ${credential ? "with" : "without"} a credential`,
  );
}

/** The team whose members are read, or written all at once; 0 for one that is about to be created. */
function teamOf({ method, url }: Request): number | undefined {
  const { pathname } = new URL(url);
  if (method === "POST") return pathname === "/api/teams" ? 0 : undefined;
  const [, team] = pathname.match(/^\/api\/teams\/(\d+)\/members$/) ?? [];
  return team === undefined ? undefined : Number(team);
}

/** Makes a network on which all is calm. */
export function createNetwork(
  scene: Scene,
  random: Random,
  { log, clock, setClock }: Around,
  watching: Watch,
): Network {
  const { world, hands } = scene;
  /** The groups that have told a lie in this cycle. */
  const liars = new Set<string>();
  /** The teams that cannot be read in this cycle. */
  const blinded = new Set<number>();
  /** The teams that could not be written all at once in this cycle, though perhaps they were. */
  const failed = new Set<number>();

  /** Who is in each team; and who is its admin, where that keeps somebody. */
  function memberships() {
    const isToldApart = scene.config.sync.keep_team_admins;
    return new Map(scene.teams.map((name) => {
      const members = world.grafana.state.team(name)?.members ?? new Map<number, number>();
      return [name, new Set([...members].map((one) => isToldApart ? one.join() : `${one[0]}`))] as const;
    }));
  }

  function count(name: string): void {
    log.debug("{name}", { name });
    network.happened.set(name, (network.happened.get(name) ?? 0) + 1);
  }

  function faultOf(request: Request): string | undefined {
    const { method, url } = request;
    if (method === "GET" && blinded.has(teamOf(request) ?? 0)) return "500";
    const { stuck, faults, faultRate, bulk } = network.weather;
    if (method === "PUT" && bulk === "failing" && !failed.has(teamOf(request) ?? 0)) {
      failed.add(teamOf(request) ?? 0);
      return random.pick(["500", "carried out and answered 500"]);
    }
    if (stuck?.path.test(url)) return stuck.fault;
    return faults.length > 0 && random.chance(faultRate) ? random.pick(faults) : undefined;
  }

  /** Lets the world answer a request, with the flaw that all of Okta's links have. */
  async function answer(request: Request, init: RequestInit): Promise<Response> {
    const response = await world.fetch(request.url, init);
    const { links } = network.weather;
    return links && request.url.startsWith(world.okta.url)
      ? await withFlaw(links, request, response)
      : response;
  }

  /** What happens while a request is on its way. */
  function happen(request: Request): void {
    const { meddleRate, crossingRate, stepRate } = network.weather;
    if (random.chance(stepRate)) count(setClock());
    if (random.chance(meddleRate)) network.meddle();
    const team = teamOf(request);
    while (team !== undefined && random.chance(crossingRate)) network.meddle(() => hands.inGrafana(team));
  }

  /** What happens while a write waits for minutes, or before one of all members is repeated. */
  function happenMeanwhile({ url }: Request): void {
    const [, team] = url.match(/teams\/(\d+)\//) ?? [];
    for (let left = 1 + random.int(4); left > 0; left--) {
      network.meddle(random.chance(0.3) ? hands.inOkta : () => hands.inGrafana(Number(team)));
    }
  }

  /** Answers a request, perhaps by a fault; `onHarm` is told if that leaves no whole answer. */
  async function inject(request: Request, proceed: () => Promise<Response>, onHarm: () => void) {
    const name = faultOf(request);
    const fault = FAULTS[name ?? ""];
    const { pathname } = new URL(request.url);
    if (!name || !fault || (LIES.has(name) && liars.has(pathname))) return await proceed();
    let own: Response | undefined;
    let answer: Response | undefined;
    try {
      return answer = await fault(async () => own = await proceed(), request, random);
    } finally {
      if (!answer || answer !== own) {
        count(name);
        if (name === LONG_WAIT || request.method === "PUT") happenMeanwhile(request);
        if (LIES.has(name)) liars.add(pathname);
        else if (!TRUTHFUL.has(name)) onHarm();
      }
    }
  }

  const network: Network = {
    weather: CALM,
    stopAt: Infinity,
    onStop() {},
    requests: 0,
    bulkWrites: 0,
    meddled: 0,
    edits: new Map(),
    happened: new Map(),
    cycleBegins() {
      liars.clear();
      blinded.clear();
      failed.clear();
    },
    meddle(act = hands[random.pick(network.weather.hands)]) {
      network.meddled++;
      const { users, groups } = world.okta;
      const known = users.length + groups.length;
      const before = memberships();
      watching.meddle(() => count(act()));
      for (const [team, now] of memberships()) {
        const then = before.get(team) ?? new Set();
        if (now.symmetricDifference(then).size === 0) continue;
        network.edits.set(team, [...network.edits.get(team) ?? [], now.size - then.size]);
      }
      // Okta does not tell of whom or what was deleted: whose teams these are, a full cycle finds out.
      if (users.length + groups.length < known) {
        for (const team of scene.teams) network.edits.set(team, [0]);
      }
    },
    fetchOf: (process) => async (url, init) => {
      const request = new Request(url, { ...init, signal: null });
      checkCredential(request, scene, watching.violations);
      if (++network.requests >= network.stopAt) network.onStop();
      await clock.sleep(random.int(MOST_LATENCY_MS), new AbortController().signal);
      happen(request);
      if (request.method === "PUT" && world.grafana.state.isSince("11.1.0")) network.bulkWrites++;
      let response: Response | undefined;
      let isWhole = true;
      try {
        return response = await inject(request, () => answer(request, init), () => isWhole = false);
      } finally {
        await watching.requestEnded(request, response, isWhole, process);
        if (request.method === "PUT" && response?.ok && network.weather.bulk === "blinding") {
          blinded.add(teamOf(request) ?? 0);
        }
      }
    },
  };
  return network;
}
