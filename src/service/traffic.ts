/** Counts what a cycle asks of each service. */
import { type Exchange, isAnswered } from "../observability/api_metrics.ts";

/** What was asked of a service. */
export interface Traffic {
  /** `okta` or `grafana`. */
  readonly service: string;
  readonly requests: number;
  /** Of them, those that got no answer, or a 5xx; each attempt counts. */
  readonly failed: number;
  /** For how long requests waited for the rate limit. */
  readonly waited_seconds: number;
}

/** Counts until the counts are taken. */
export interface Counter {
  exchange(exchange: Exchange): void;
  wait(service: string, seconds: number): void;
  /** The counts since they were last taken. */
  take(): Traffic[];
}

/** Begins at nothing. */
export function createCounter(): Counter {
  let counts = new Map<string, Traffic>();

  function add(service: string, requests: number, failed: number, seconds: number): void {
    const before = counts.get(service);
    counts.set(service, {
      service,
      requests: (before?.requests ?? 0) + requests,
      failed: (before?.failed ?? 0) + failed,
      waited_seconds: (before?.waited_seconds ?? 0) + seconds,
    });
  }

  return {
    exchange: (exchange) => add(exchange.service, 1, isAnswered(exchange) ? 0 : 1, 0),
    wait: (service, seconds) => add(service, 0, 0, seconds),
    take() {
      const taken = [...counts.values()];
      counts = new Map();
      return taken;
    },
  };
}
