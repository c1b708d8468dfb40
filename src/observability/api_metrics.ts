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

/** What the gauges read. */
export interface ApiFigures {
  /** Each service that is asked. */
  readonly apis: readonly {
    readonly service: string;
    readonly acceptsCredential: boolean;
    /** `undefined` until an answer tells the time. */
    readonly clockOffsetSeconds: number | undefined;
  }[];
  readonly limits: readonly RateLimit[];
}

const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

function createGauges({ gauge }: Factory, figures: () => ApiFigures): void {
  gauge(
    "gots_rate_limit_remaining",
    "Requests that the service's rate limit still has in this window, for everybody who uses it",
    ["service", "family"],
    () => figures().limits.map(({ service, family, remaining }) => [{ service, family }, remaining]),
  );
  gauge(
    "gots_rate_limit_limit",
    "Requests that the service's rate limit has in a window",
    ["service", "family"],
    () => figures().limits.map(({ service, family, limit }) => [{ service, family }, limit]),
  );
  gauge(
    "gots_credential_accepted",
    "0 while the service refuses the credential, else 1; 1 as well after a cycle in which it was not asked",
    ["service"],
    () => figures().apis.map(({ service, acceptsCredential }) => [{ service }, Number(acceptsCredential)]),
  );
  gauge(
    "gots_clock_offset_seconds",
    "How much the service's clock is ahead of ours, give or take a second",
    ["service"],
    () =>
      figures().apis.flatMap(({ service, clockOffsetSeconds: offset }) =>
        offset === undefined ? [] : [[{ service }, offset] as const]
      ),
  );
}

/** Makes the metrics. The gauges read `figures`. */
export function createApiMetrics(factory: Factory, figures: () => ApiFigures) {
  const { counter, histogram } = factory;
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
  const limitWait = counter(
    "gots_rate_limit_wait_seconds_total",
    "Time for which requests waited for a reset of the rate limit",
    ["service"],
  );
  createGauges(factory, figures);
  for (const { service } of figures().apis) limitWait.inc({ service }, 0);
  return {
    limitWait,
    /** Counts an exchange with a service. */
    countExchange({ service, method, route, status, seconds }: Exchange): void {
      requests.inc({ service, method, route, status });
      duration.observe({ service, method, route }, seconds);
    },
  };
}
