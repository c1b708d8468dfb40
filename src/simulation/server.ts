/** Serves a simulated service on a free loopback port, with faults and delays on demand. */
import { delay } from "@std/async/delay";

/** Answers in the service's place, or lets the request through by giving nothing. */
export type Intercept = (
  request: Request,
  proceed: () => Promise<Response>,
) => Response | Promise<Response> | undefined;

/** A request that a simulated service received. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

/** A simulated service that is running. */
export interface SimulatedServer extends AsyncDisposable {
  /** Origin, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Every request so far, in order. */
  readonly received: Received[];
  /** Set it to let something else answer. */
  intercept: Intercept | undefined;
  /** How many requests have come and are not answered yet. */
  readonly inFlight: number;
  /** The most that there ever were. */
  mostInFlight: number;
  /** How long each answer takes, in milliseconds. */
  latencyMs: number;
  /** Answers as over the network, but without a socket: for tests of many cycles. */
  answer(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Serves `handle` until closed. */
export function serve(handle: (request: Request) => Response | Promise<Response>): SimulatedServer {
  const controller = new AbortController();
  let inFlight = 0;
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    simulated.received.push({ method: request.method, path: pathname + search });
    simulated.mostInFlight = Math.max(simulated.mostInFlight, ++inFlight);
    try {
      if (simulated.latencyMs > 0) await delay(simulated.latencyMs);
      const proceed = () => Promise.resolve(handle(request));
      return await (simulated.intercept?.(request, proceed) ?? proceed());
    } finally {
      inFlight--;
    }
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: controller.signal, onListen() {} },
    answer,
  );
  const simulated: SimulatedServer = {
    url: `http://127.0.0.1:${server.addr.port}`,
    received: [],
    intercept: undefined,
    get inFlight() {
      return inFlight;
    },
    mostInFlight: 0,
    latencyMs: 0,
    answer,
    async close() {
      controller.abort();
      await server.finished;
    },
    [Symbol.asyncDispose]: () => simulated.close(),
  };
  return simulated;
}
