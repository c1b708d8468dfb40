/** What is known of Okta and Grafana by their answers: pure functions from one state to the next. */
import type { Exchange } from "../observability/api_metrics.ts";
import { type Clock, clockAfter } from "./clocks.ts";

/** What was asked of a service in one cycle. */
export interface Traffic {
  /** `okta` or `grafana`. */
  readonly service: string;
  readonly requests: number;
  /** Of them, those that got no answer, or a 5xx; each attempt counts. */
  readonly failed: number;
  /** For how long requests waited for the rate limit. */
  readonly waited_seconds: number;
}

/** What is known of a service. */
export interface Api {
  /** What was asked of it since the last cycle ended. */
  readonly traffic: Traffic;
  /** `false` while it refuses the credential. */
  readonly acceptsCredential: boolean;
  /** `undefined` until an answer tells the time. */
  readonly clock: Clock | undefined;
  /** Until when requests wait for its rate limit, by the monotonic clock. */
  readonly waitUntil: number | undefined;
}

/** The services that were asked, by `okta` and `grafana`. */
export type Apis = ReadonlyMap<string, Api>;

/** Whether an answer rejects the credential, or a request for an access token (RFC 6749 5.2). */
function isRefusal({ route, status }: Exchange): boolean {
  return status === "401" || (route.endsWith("/token") && /^40[03]$/.test(status));
}

/** Whether an answer shows that the credential is good: the service did it, or refused it for another reason. */
function isAcceptance({ route, status }: Exchange): boolean {
  return /^2|^40[49]$/.test(status) || (status === "403" && !route.endsWith("/token"));
}

/** Whether the service did its part: anything but no answer or a 5xx. A shutdown is not its fault. */
function isAnswered({ status }: Exchange): boolean {
  return /^[1-4]|^interrupted$/.test(status);
}

function noTraffic(service: string): Traffic {
  return { service, requests: 0, failed: 0, waited_seconds: 0 };
}

/** What is known of a service; at first nothing is held against it. */
export function apiOf(apis: Apis, service: string): Api {
  return apis.get(service) ??
    { traffic: noTraffic(service), acceptsCredential: true, clock: undefined, waitUntil: undefined };
}

/** After an exchange. */
export function withExchange(apis: Apis, exchange: Exchange): Apis {
  const { service, clockOffsetSeconds: offset, isStranger = false } = exchange;
  const { traffic, acceptsCredential, clock, waitUntil } = apiOf(apis, service);
  const { requests, failed } = traffic;
  return new Map(apis).set(service, {
    traffic: { ...traffic, requests: requests + 1, failed: failed + Number(!isAnswered(exchange)) },
    acceptsCredential: isStranger
      ? acceptsCredential
      : !isRefusal(exchange) && (acceptsCredential || isAcceptance(exchange)),
    clock: offset === undefined ? clock : clockAfter(clock, offset),
    waitUntil,
  });
}

/** By how many seconds requests wait longer than was known; those that wait side by side wait once. */
export function addedWait({ waitUntil = -Infinity }: Api, seconds: number, monotonic: number): number {
  const known = Math.max(waitUntil, monotonic);
  return Math.max(0, monotonic + seconds * 1_000 - known) / 1_000;
}

/** After a wait for the rate limit was announced. */
export function withWait(apis: Apis, service: string, seconds: number, monotonic: number): Apis {
  const api = apiOf(apis, service);
  const added = addedWait(api, seconds, monotonic);
  return new Map(apis).set(service, {
    ...api,
    traffic: { ...api.traffic, waited_seconds: api.traffic.waited_seconds + added },
    waitUntil: Math.max(api.waitUntil ?? -Infinity, monotonic + seconds * 1_000),
  });
}

/** Nothing waits any more. */
export function withoutWaits(apis: Apis): Apis {
  return new Map(Array.from(apis, ([service, api]) => [service, { ...api, waitUntil: undefined }]));
}

/** What was asked of the services since the last cycle ended. */
export function trafficOf(apis: Apis): readonly Traffic[] {
  const all = Array.from(apis.values(), ({ traffic }) => traffic);
  return all.filter(({ requests, waited_seconds }) => requests + waited_seconds > 0);
}

/** After a cycle: what was not asked in it refuses nothing, as far as is known. */
export function withCycleEnd(apis: Apis): Apis {
  return new Map(Array.from(withoutWaits(apis), ([service, api]) => [service, {
    ...api,
    traffic: noTraffic(service),
    acceptsCredential: api.acceptsCredential || api.traffic.requests === 0,
  }]));
}

/** The clocks of the services that told the time. */
export function clocksOf(apis: Apis): ReadonlyMap<string, Clock> {
  return new Map([...apis].flatMap(([service, { clock }]) => clock ? [[service, clock] as const] : []));
}
