/** The real service on virtual time before the simulation, which is broken after a while; and all that is said of it then. */
import type { Board } from "../../src/service/board.ts";
import type { Health } from "../../src/service/health.ts";
import type { World } from "../../src/simulation/world.ts";
import { type Running, withService } from "../service/running.ts";
import { mapping } from "../support.ts";
import { emails } from "../sync/fixtures.ts";
import { type History, repeatHour, type Scrape } from "./history.ts";

const MINUTE_MS = 60_000;
const MAPPINGS = [mapping("Engineering", "Engineers"), mapping("Science", "Scientists")];

/** It is well for so many minutes before it is broken: the last hour of them is like any other. */
const WELL_MINUTES = 65;

/** What the process of a test holds is no matter here, so that a scrape says this. */
const MEMORY = 80 * 1_024 * 1_024;

/** A service that can be broken. */
export interface Service extends Pick<Running, "world" | "pass" | "stop"> {
  /** Lets so many minutes pass, with a scrape at the end of each, and the cycles that are due, which are waited for. */
  minutes(count: number): Promise<void>;
  /** The same, but nobody waits for cycles. */
  hang(count: number): Promise<void>;
  /** What its process holds from now on, in bytes. */
  memory: number;
}

/** How it is broken. */
export interface Fault {
  /** Breaks it, and lets time pass until what is said is looked at. */
  readonly run: (service: Service) => Promise<void>;
  /** So many processes end before, after ten minutes each. @default {0} */
  readonly restarts?: number;
  /** So often the last hour before is repeated. @default {0} */
  readonly hoursBefore?: number;
  /** So often the last hour of all is repeated. @default {0} */
  readonly hoursAfter?: number;
}

/** What is said over HTTP; empty where nothing answers. */
interface Answers {
  /** The text of the status page, with single blanks. */
  readonly page: string;
  readonly board: Partial<Board>;
  readonly health: Partial<Health>;
}

/** What is said of it. */
export interface Said extends Answers {
  /** The log since it was broken, without DEBUG. */
  readonly log: string;
  readonly history: History;
  /** The minute in which it was broken. */
  readonly brokenAt: number;
}

/** Thirty people in Engineering and six in Science, all of them in their teams; Grafana knows another thirty. */
function fill(world: World): void {
  const people = emails(1, 66).map((email) => world.addPerson(email));
  const { okta, grafana: { state } } = world;
  okta.addGroup("Engineering", people.slice(0, 30));
  okta.addGroup("Science", people.slice(30, 36));
  for (const { okta_group, grafana_team } of MAPPINGS) {
    const { members } = state.addTeam(grafana_team);
    for (const { login } of okta.group(okta_group).members) members.set(state.lookUp(login)?.id ?? 0, 0);
  }
}

/** Without sockets; a stop ends what waits for an answer. */
function network(world: World) {
  return async (url: string, init: RequestInit): Promise<Response> => {
    const stopped = Promise.withResolvers<never>();
    init.signal?.addEventListener("abort", () => stopped.reject(init.signal?.reason), { once: true });
    return await Promise.race([world.fetch(url, init), stopped.promise]);
  };
}

/** What an address answers, or nothing. */
async function read(url: string): Promise<string> {
  try {
    return await (await fetch(url)).text();
  } catch {
    return "";
  }
}

const readHealth = async (url: string): Promise<Partial<Health>> =>
  JSON.parse(await read(`${url}/health`) || "{}");

const ENTITIES: Readonly<Record<string, string>> = { "#39": "'", quot: '"', lt: "<", gt: ">", amp: "&" };

/** What a page shows, with single blanks. */
function textOf(html: string): string {
  return html
    .replace(/<(\w+)[^>]* hidden[^>]*>[^]*?<\/\1>|<[^>]*>/g, " ")
    .replace(/&([#\w]+);/g, (whole, entity) => ENTITIES[entity] ?? whole)
    .replace(/\s+/g, " ")
    .trim();
}

async function ask(url: string): Promise<Answers> {
  return {
    page: textOf(await read(url)),
    board: JSON.parse(await read(`${url}/api/status`) || "{}"),
    health: await readHealth(url),
  };
}

const messagesOf = ({ captured }: Running) =>
  captured.messages().filter((line) => !line.startsWith("DEBUG "));

/** The service, with a Prometheus and a cron that see each full minute. */
function serviceOf(running: Running, scrapes: Scrape[]): Service {
  const { world, pass, stop, now, tick, url, series } = running;

  async function scrape(): Promise<void> {
    // In a cycle that lets minutes pass, what is scraped is as it was before.
    while (scrapes.length < now() / MINUTE_MS) scrapes.push(scrapes.at(-1) ?? new Map());
    const values = await series().catch(() => new Map<string, number>());
    if (values.size > 0) values.set("process_resident_memory_bytes", service.memory);
    scrapes.push(values.set("up", Math.min(1, values.size)));
  }

  /** Starts the cycle that is due, if there is one. */
  async function cycle(isWaitedFor: boolean): Promise<void> {
    const { next_cycle_at } = await readHealth(url);
    if (!next_cycle_at || Date.parse(next_cycle_at) > now()) return;
    const ended = tick();
    if (isWaitedFor) await ended;
  }

  async function go(minutes: number, isWaitedFor: boolean): Promise<void> {
    for (const end = now() + minutes * MINUTE_MS; now() < end;) {
      await cycle(isWaitedFor);
      await pass(60 - now() / 1_000 % 60);
      await scrape();
    }
  }

  const service: Service = {
    world,
    pass,
    stop,
    minutes: (count) => go(count, true),
    hang: (count) => go(count, false),
    memory: MEMORY,
  };
  return service;
}

/** Runs the service, breaks it, and gives what is said then. */
export async function hearOf({ run, restarts = 0, hoursBefore = 0, hoursAfter = 0 }: Fault): Promise<Said> {
  const scrapes: Scrape[] = [new Map()];
  const lines: string[] = [];
  let [brokenAt, linesBefore] = [0, 0];
  let answers: Answers = { page: "", board: {}, health: {} };
  for (let life = 0; life <= restarts; life++) {
    const start = scrapes.length * MINUTE_MS;
    await withService({ mappings: MAPPINGS, fill, start, network }, async (running) => {
      const service = serviceOf(running, scrapes);
      await running.cycleEnds();
      await service.minutes(life === 0 ? WELL_MINUTES : 10);
      if (life === 0) [brokenAt, linesBefore] = [scrapes.length - 1, messagesOf(running).length];
      if (life === restarts) {
        await run(service);
        answers = await ask(running.url);
      }
      lines.push(...messagesOf(running));
    });
  }
  const log = lines.slice(linesBefore).join("\n");
  const later = repeatHour(scrapes, scrapes.length - 1, hoursAfter);
  const history = repeatHour(later, brokenAt, hoursBefore);
  return { ...answers, log, history, brokenAt: brokenAt + 60 * hoursBefore };
}
