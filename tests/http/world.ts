/** A service that answers from a script, a client that asks it, and everything that can be watched. */
import * as z from "zod";
import { createHttpClient } from "../../src/http/client.ts";
import { RequestError } from "../../src/http/error.ts";
import type { Service } from "../../src/http/service.ts";
import type { Request, Surroundings } from "../../src/http/types.ts";
import type { Exchange } from "../../src/observability/api_metrics.ts";
import { surroundings } from "../support.ts";

/** The credential of every request: it must be nowhere but in its header. */
export const CREDENTIAL = "00credential";

/** What a request as it went out looked like. */
export interface Sent {
  readonly url: string;
  readonly init: RequestInit;
  readonly headers: Headers;
}

/** A failure of the connection, or what makes an answer. The last one goes on. */
export type Scripted = Error | ((sent: Sent) => Response | Promise<Response>);

/** Makes an answer with a JSON body. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): () => Response {
  return () => Response.json(body, { status, headers });
}

/** A success, in the shape that {@linkcode TEAM} asks for. */
export const SUCCESS = { id: 7, name: "Engineers" };

/** A read of a team. */
export const TEAM: Request<{ id: number; name: string }> = {
  method: "GET",
  route: "/api/teams/:id",
  params: { id: 7 },
  schema: z.object({ id: z.number(), name: z.string() }),
};

/** A client of a Grafana under `https://grafana.example.com/g` that answers with `script`, one after another. */
export function world(
  script: readonly Scripted[],
  { service = {}, around = {} }: { service?: Partial<Service>; around?: Partial<Surroundings> } = {},
) {
  const requests: Sent[] = [];
  const exchanges: Exchange[] = [];
  const fetch: Surroundings["fetch"] = async (url, init) => {
    const sent = { url, init, headers: new Headers(init.headers) };
    requests.push(sent);
    const answer = script[Math.min(requests.length, script.length) - 1];
    if (typeof answer === "function") return await answer(sent);
    throw answer ?? new Error("the script is empty");
  };
  const { captured, clock, ...outside } = surroundings({
    fetch,
    onExchange: (exchange) => exchanges.push(exchange),
    ...around,
  });
  const client = createHttpClient({
    name: "Grafana",
    baseUrl: "https://grafana.example.com/g",
    authorization: { headers: () => Promise.resolve({ authorization: `Bearer ${CREDENTIAL}` }) },
    explain: (status) => ({ detail: `Grafana said ${status}`, advice: "ask Grafana" }),
    ...service,
  }, outside);
  return {
    requests,
    exchanges,
    slept: clock.slept,
    messages: captured.messages,
    lines: captured.lines,
    send: <T>(request: Request<T>) => client.send(request),
    /** The error that `request` ends in. */
    async fails(request: Request<unknown> = TEAM): Promise<RequestError> {
      const error = await client.send(request).then(
        () => new Error("it succeeded"),
        (error: unknown) => error,
      );
      if (error instanceof RequestError) return error;
      throw error;
    },
  };
}

/** Answers never, until the request is aborted. */
export const never: Scripted = ({ init: { signal } }) =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

/** Answers its status at once and its body never, until the request is aborted. */
export const endless: Scripted = ({ init: { signal } }) => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"id": 7,'));
      signal?.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
};
