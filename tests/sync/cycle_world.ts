/** A simulated Okta and Grafana with a syncer between them, for the tests of whole cycles. */
import type * as z from "zod";
import { configSchema } from "../../src/config/schema.ts";
import type { Fetch, Surroundings } from "../../src/http/types.ts";
import type { Intercept } from "../../src/simulation/server.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import type { CycleReport } from "../../src/sync/tell/report.ts";
import { partsOf } from "../../src/sync/plan/team.ts";
import { createSyncer, type Syncer } from "../../src/sync/syncer.ts";
import { type CapturedLog, surroundings, type VirtualClock } from "../support.ts";
import { configOf } from "../simulation/config.ts";

/** A world, and cycles in it. */
export interface CycleWorld {
  readonly world: World;
  readonly clock: VirtualClock;
  readonly captured: CapturedLog;
  /** Aborting it is the shutdown of the process. */
  readonly shutdown: AbortController;
  /** Runs the next cycle of the process. */
  readonly cycle: Syncer["run"];
  /** A process that starts anew, with nothing remembered. */
  restart(): Syncer["run"];
  /** The log since it was last asked for, without DEBUG. */
  messages(): string[];
  /** What Grafana was asked to write since it was last asked for, such as `POST /api/teams`. */
  writes(): string[];
}

type GrafanaSettings = NonNullable<z.input<typeof configSchema>["grafana"]>;
type SyncSettings = NonNullable<z.input<typeof configSchema>["sync"]>;

/** The settings of a test, as they stand in `config.yaml`. */
export interface CycleSettings {
  readonly mappings: Readonly<SyncSettings["mappings"]>;
  readonly okta?: { readonly member_statuses: readonly string[] };
  readonly sync?: Omit<SyncSettings, "mappings">;
  /** Without a password it signs in with the world's token. */
  readonly grafana?: Omit<GrafanaSettings, "url">;
  /** The network between the syncer and the world. @default {the real one} */
  readonly network?: (world: World) => Fetch;
  /** Another clock, or other surroundings. */
  readonly around?: Partial<Surroundings>;
}

/** Runs `test` in a world with this configuration. */
export async function withCycles(
  { mappings, okta, sync, grafana, network, around: overrides }: CycleSettings,
  test: (cycles: CycleWorld) => Promise<void>,
): Promise<void> {
  const world = startWorld();
  const config = configOf(world, {
    okta: { ...okta },
    grafana: { ...(grafana?.password ? { api_key: undefined } : {}), ...grafana },
    sync: { mappings: [...mappings], ...sync },
  });
  const shutdown = new AbortController();
  const around = surroundings({
    signal: shutdown.signal,
    ...(network ? { fetch: network(world) } : {}),
    ...overrides,
  });
  world.okta.clock = around.now;
  let shown = 0;
  try {
    await test({
      world,
      clock: around.clock,
      captured: around.captured,
      shutdown,
      cycle: createSyncer(config, around).run,
      restart: () => createSyncer(config, { ...around, signal: new AbortController().signal }).run,
      messages() {
        const all = around.captured.messages().filter((line) => !line.startsWith("DEBUG "));
        const fresh = all.slice(shown);
        shown = all.length;
        return fresh;
      },
      writes: () =>
        world.grafana.received.splice(0).filter(({ method }) => method !== "GET")
          .map(({ method, path }) => `${method} ${path}`),
    });
  } finally {
    await world.close();
  }
}

/** Answers requests that `method` and `path` fit with this status, and lets the others through. */
export function refuse(method: string, path: RegExp, status: number, body: unknown = {}): Intercept {
  return (request, proceed) => fits(request, method, path) ? Response.json(body, { status }) : proceed();
}

/** Whether a request is one of these. */
export function fits(request: Request, method: string, path: RegExp): boolean {
  return request.method === method && path.test(new URL(request.url).pathname);
}

/** What a mapping's report says, in one line. */
export function summary({ mappings }: CycleReport): string[] {
  return mappings.map(({ mapping, added, removed, pending, onHold, errors }) =>
    `${mapping.okta_group}->${mapping.grafana_team}: +${added} -${removed}` +
    (pending ? `, ${pending} pending` : "") + (onHold ? `, ${onHold} on hold` : "") +
    (errors.length ? `, ${errors.length} errors` : "")
  );
}

/** The errors of a cycle, each behind its group. */
export function errorsOf({ mappings }: CycleReport): string[] {
  return mappings.flatMap(({ mapping, errors }) =>
    errors.map(({ message }) => `${mapping.okta_group}: ${message}`)
  );
}

/** Why removals of a planned team are on hold. */
export function holdReason(plan: CycleReport["plans"][number]) {
  return partsOf(plan).onHold?.reason;
}

/** Whom a planned team keeps, and why. */
export function keptIn(plan: CycleReport["plans"][number]): [address: string, reason: string][] {
  return partsOf(plan).kept.map(({ change, reason }) => [change.address, reason]);
}

/** What is said of pending users besides, by Okta id. */
export function outlookOf({ joins }: CycleReport): Map<string, string> {
  return new Map([...joins].flatMap(([id, { outlook }]) => outlook === undefined ? [] : [[id, outlook]]));
}
