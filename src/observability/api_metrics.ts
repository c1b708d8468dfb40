/** The metrics of what is asked of Okta and Grafana. */
import type { Factory } from "./registry.ts";

/** A finished exchange. */
export interface Exchange {
  /** `okta` or `grafana`. */
  readonly service: string;
  readonly method: string;
  /** The route's template. */
  readonly route: string;
  /** The status, or the kind of failure if there was no answer. */
  readonly status: string;
  readonly seconds: number;
  /** How much the service's clock is ahead of ours, by the answer's `Date`. */
  readonly clockOffsetSeconds?: number | undefined;
  /** Whether something in front of the service answered, such as a proxy. @default {false} */
  readonly isStranger?: boolean;
}

/** What is left of a service's rate limit, as an answer said. */
export interface RateLimit {
  /** `okta` or `grafana`. */
  readonly service: string;
  /** Routes that share a limit. */
  readonly family: string;
  /** Requests in one window. */
  readonly limit: number;
  /** Of them, those that are left. */
  readonly remaining: number;
}

/** Whether an answer rejects the credential, or a request for an access token (RFC 6749 5.2). */
function isRefusal({ route, status, isStranger }: Exchange): boolean {
  return !isStranger && (status === "401" || (route.endsWith("/token") && /^40[03]$/.test(status)));
}

/** Whether an answer shows that the credential is good: the service did it, or refused it for another reason. */
function isAcceptance({ route, status, isStranger }: Exchange): boolean {
  if (isStranger) return false;
  return /^2|^40[49]$/.test(status) || (status === "403" && !route.endsWith("/token"));
}

/** Whether the service did its part: anything but no answer or a 5xx. What a shutdown cut off is not its fault. */
export function isAnswered({ status }: Pick<Exchange, "status">): boolean {
  return /^[1-4]|^interrupted$/.test(status);
}

const SERVICES = ["okta", "grafana"];

const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the metrics. */
export function createApiMetrics({ counter, gauge, histogram }: Factory) {
  const requests = counter(
    "gots_api_requests_total",
    "Requests to Okta and Grafana, by route template and by status or kind of failure",
    ["service", "method", "route", "status"],
  );
  const duration = histogram(
    "gots_api_request_duration_seconds",
    "Duration of requests to Okta and Grafana",
    ["service", "method", "route"],
    REQUEST_BUCKETS,
  );
  const limitRemaining = gauge(
    "gots_rate_limit_remaining",
    "Requests that the service's rate limit still has in this window, for everybody who uses it",
    ["service", "family"],
  );
  const limitSize = gauge("gots_rate_limit_limit", "Requests that the service's rate limit has in a window", [
    "service",
    "family",
  ]);
  const limitWait = counter(
    "gots_rate_limit_wait_seconds_total",
    "Time for which requests waited for a reset of the rate limit",
    ["service"],
  );
  const credentialAccepted = gauge(
    "gots_credential_accepted",
    "0 while the service refuses the credential, else 1; 1 as well after a cycle in which it was not asked",
    ["service"],
  );
  const clockOffset = gauge(
    "gots_clock_offset_seconds",
    "How much the service's clock is ahead of ours, give or take a second",
    ["service"],
  );
  const asked = new Set<string>();
  for (const service of SERVICES) {
    limitWait.inc({ service }, 0);
    credentialAccepted.set({ service }, 1);
  }

  return {
    /** Notes an exchange with a service. */
    observeExchange(exchange: Exchange): void {
      const { service, method, route, status, seconds, clockOffsetSeconds } = exchange;
      requests.inc({ service, method, route, status });
      duration.observe({ service, method, route }, seconds);
      asked.add(service);
      if (isRefusal(exchange)) credentialAccepted.set({ service }, 0);
      else if (isAcceptance(exchange)) credentialAccepted.set({ service }, 1);
      if (clockOffsetSeconds !== undefined) clockOffset.set({ service }, clockOffsetSeconds);
    },
    /** At the end of a cycle: what was not asked in it refuses nothing, as far as is known. */
    endExchanges(): void {
      for (const service of SERVICES) if (!asked.has(service)) credentialAccepted.set({ service }, 1);
      asked.clear();
    },
    /** Notes what is left of a rate limit. */
    observeRateLimit({ service, family, limit, remaining }: RateLimit): void {
      limitSize.set({ service, family }, limit);
      limitRemaining.set({ service, family }, remaining);
    },
    /** Notes a wait for a reset. */
    observeWait(service: string, seconds: number): void {
      limitWait.inc({ service }, seconds);
    },
  };
}
