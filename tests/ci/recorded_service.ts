/** A service to look at: two hours with changes, faults and a refused credential, in the database of a Prometheus. */
import type { Intercept } from "../../src/simulation/server.ts";
import type { World } from "../../src/simulation/world.ts";
import { INTERVAL_SECONDS, type Running, withService } from "../service/running.ts";
import { mapping } from "../support.ts";
import { refuse } from "../sync/cycle_world.ts";
import { emails } from "../sync/fixtures.ts";
import { type Prometheus, type Scrape, startPrometheus } from "./prometheus.ts";

/** Who is in Grafana. */
const TEN = emails(1, 10);
/** What is synced. */
export const MAPPINGS = [
  mapping("Engineering", "Engineers"),
  mapping("Contractors", "Engineers"),
  mapping("Sales (EU)", "Sales"),
  mapping("Data Science", "Data Scientists"),
  mapping("Finance", "Finance"),
];

/** Five people in Engineering, two Contractors, ten in Sales and its team; one of Data Science is pending. */
function fill(world: World): void {
  const { okta, grafana } = world;
  const people = TEN.map((email) => world.addPerson(email));
  okta.addGroup("Engineering", people.slice(0, 5));
  okta.addGroup("Contractors", people.slice(4, 6));
  okta.addGroup("Sales (EU)", people);
  okta.addGroup("Data Science", [...people.slice(6, 8), okta.addUser("newcomer@example.com")]);
  okta.addGroup("Finance", people.slice(8));
  const { members } = grafana.state.addTeam("Sales");
  for (const email of TEN) members.set(grafana.state.lookUp(email)?.id ?? NaN, 0);
}

/** Lets these answer the next requests to a service; then all is as before. */
function interceptNext(service: World["okta"], ...answers: Intercept[]): void {
  const before = service.intercept;
  service.intercept = (request, proceed) => {
    const answer = answers.shift();
    if (answers.length === 0) service.intercept = before;
    return (answer ?? before)?.(request, proceed);
  };
}

/** An answer that leaves this much of the rate limit until a reset in two minutes. */
function withRateLimit({ clock }: World["okta"], response: Response, remaining: number): Response {
  const reset = Math.ceil(clock() / 1_000) + 120;
  for (const [part, value] of Object.entries({ limit: 600, remaining, reset })) {
    response.headers.set(`x-rate-limit-${part}`, String(value));
  }
  return response;
}

/** What happens before some of the cycles. */
const EVENTS: Readonly<Record<number, (world: World) => void>> = {
  3({ okta }) {
    const { members } = okta.group("Engineering");
    const [first] = members;
    if (first) members.delete(first);
    for (const user of okta.users.slice(7, 9)) members.add(user);
  },
  7({ okta }) {
    const { members } = okta.group("Sales (EU)");
    for (const user of okta.users.slice(3)) members.delete(user);
  },
  8({ okta }) {
    const path = new RegExp(`/groups/${okta.group("Finance").id}/users`);
    okta.intercept = refuse("GET", path, 403);
  },
  9({ grafana }) {
    grafana.intercept = () => Response.json({ message: "Invalid API key" }, { status: 401 });
  },
  10({ okta, grafana }) {
    grafana.intercept = undefined;
    interceptNext(
      okta,
      async (_, proceed) => withRateLimit(okta, await proceed(), 1),
      () => withRateLimit(okta, Response.json({ errorCode: "E0000047" }, { status: 429 }), 0),
      () => new Response("<html>", { status: 502 }),
      () => new Response("cut off", { headers: { "content-encoding": "gzip" } }),
    );
  },
};

/** How often it is scraped. */
export const SCRAPE_SECONDS = 60;

const CYCLES = 24;
const HANGING_MINUTES = 20;

/** Before these cycles Prometheus is away. */
const NOT_SCRAPED = [14, 15];

/** Two hours of the service, scraped every minute but for a gap, after which it hangs. */
async function watch({ world, url, now, pass, cycleEnds, nextCycle }: Running): Promise<Scrape[]> {
  const scrapes: Scrape[] = [];
  const scrape = async () => {
    scrapes.push({ at: now(), text: await (await fetch(`${url}/metrics`)).text() });
  };
  await cycleEnds();
  for (let cycle = 2; cycle <= CYCLES; cycle++) {
    EVENTS[cycle]?.(world);
    await nextCycle(NOT_SCRAPED.includes(cycle) ? undefined : scrape);
  }
  for (let i = 0; i < HANGING_MINUTES; i++) {
    await pass(60);
    await scrape();
  }
  return scrapes;
}

/** A Prometheus with the history of the service, and moments of it, in epoch seconds. */
export interface RecordedService {
  readonly prometheus: Prometheus;
  /** All is well, and some people were added and removed. */
  readonly early: number;
  /** Grafana refuses the credential. */
  readonly refused: number;
  /** Some mappings are out of sync, and the service begins to hang. */
  readonly hangs: number;
  /** The last scrape. */
  readonly end: number;
}

/** Runs the service and records it. */
export async function recordService(): Promise<RecordedService> {
  let scrapes: Scrape[] = [];
  await withService({ mappings: MAPPINGS, fill }, async (running) => {
    scrapes = await watch(running);
  });
  const at = (index: number) => (scrapes.at(index)?.at ?? NaN) / 1_000;
  return {
    prometheus: await startPrometheus(scrapes, 'job="gots",instance="gots-0:8000"'),
    early: at(0) + 5 * INTERVAL_SECONDS,
    refused: at(0) + 8.5 * INTERVAL_SECONDS,
    hangs: at(-HANGING_MINUTES),
    end: at(-1),
  };
}
