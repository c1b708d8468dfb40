/** Connections that fail in every way: real sockets, at the level of whole cycles. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MOST_BYTES } from "../../src/http/answer.ts";
import { fits, summary } from "../sync/cycle_world.ts";
import { acceptConnections, type Place, serveTls } from "../http/sockets.ts";
import { TEAM, world as httpWorld } from "../http/world.ts";
import {
  assertConverged,
  assertTold,
  change,
  closedAddress,
  INTERVAL,
  leadTo,
  settle,
  withFaults,
} from "./world.ts";

/** An address behind which there is nothing to close. */
function nowhere(address: string): Place {
  return { address, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** A connection that is closed while the request is unread is reset by the system. */
function reset(): Place {
  return acceptConnections(async (connection) => {
    await connection.read(new Uint8Array(1));
    connection.close();
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";

function cutInTheBody(): Place {
  return acceptConnections(async (connection) => {
    await connection.read(new Uint8Array(4_096));
    await connection.write(bytes(`${HEAD}[{"id": "00u000001", "status": "ACTIVE"`));
    connection.close();
  });
}

/** A TLS server whose certificate is signed by nobody whom this process trusts. */
const selfSigned = () => serveTls(() => Response.json([]));

const FAULTS: readonly (readonly [fault: string, open: () => Place | Promise<Place>, says: RegExp])[] = [
  ["connection refused", () => nowhere(closedAddress()), /cannot connect: .*refused.*: check the address/],
  ["reset", reset, /cannot connect: .*(?:reset|closed).*: check the address/],
  [
    "cut in the body",
    cutInTheBody,
    /cannot connect: .*(?:body|eof|closed|end of file).*: check the address/i,
  ],
  [
    "DNS failure",
    () => nowhere("http://no.such.name.invalid"),
    /cannot connect: .*dns error.*: check the address, DNS/,
  ],
  ["TLS failure", selfSigned, /SSL Certificate verification failed: .* REQUESTS_CA_BUNDLE/],
];

for (const service of ["okta", "grafana"] as const) {
  for (const [fault, open, says] of FAULTS) {
    Deno.test(`${fault} of ${service}: nothing is written, every mapping says so, the next cycle converges`, () =>
      withFaults(async (cycles) => {
        await settle(cycles);
        const { world, cycle, messages, writes } = cycles;
        change(world);
        await using elsewhere = await open();
        cycles.network = leadTo(world, service, elsewhere.address);
        const report = await cycle();
        assertTold(report, messages(), says);
        assertEquals(report.mappings.map(({ errors }) => errors.length), [1, 1]);
        assertEquals(writes(), []);

        cycles.network = undefined;
        await cycles.pass(INTERVAL);
        assertEquals(summary(await cycle()), ["Engineering->Engineers: +1 -1", "Science->Scientists: +0 -0"]);
        assertConverged(world);
      }));
  }
}

Deno.test("a drip of one byte a second ends at the time limit, and the server is rid of the connection", async () => {
  let sent = 0;
  const gone = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    const drip = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      controller.enqueue(bytes(" "));
      sent++;
    };
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        drip(controller);
        timer = setInterval(drip, 1_000, controller);
      },
      cancel() {
        clearInterval(timer);
        gone.resolve();
      },
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  });
  const { fails, slept, messages } = httpWorld([], {
    service: {
      baseUrl: `http://127.0.0.1:${server.addr.port}`,
      timeoutMs: 200,
      backoff: { attempts: 1 },
    },
    around: { fetch },
  });
  const error = await fails(TEAM);
  assertEquals(error.kind, "timeout");
  assertMatch(error.message, /^no complete response within 0\.2 s .*: \w+ may be overloaded/);
  await gone.promise;
  assertEquals([sent, slept], [1, []]);
  assert(messages().length > 0);
});

/** Serves one endless list until 500 MB are sent or nobody takes it any more; the size is not told ahead. */
function endlessList() {
  const item = bytes(
    `${JSON.stringify({ id: "00u", status: "ACTIVE", profile: { login: "x".repeat(65_000) } })},`,
  );
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes("[")),
    pull(controller) {
      if (sent > 500_000_000) return controller.close();
      controller.enqueue(item);
      sent += item.length;
    },
  });
  const answer = new Response(body, { headers: { "content-type": "application/json" } });
  return { answer, sent: () => sent };
}

for (
  const [service, path] of [["okta", /\/groups\/\w+\/users$/], [
    "grafana",
    /^\/api\/org\/users\/search$/,
  ]] as const
) {
  Deno.test(`500 MB of JSON of ${service} are refused at 64 MiB, memory stays flat, and the next cycle converges`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, messages, writes } = cycles;
      change(world);
      const lists: ReturnType<typeof endlessList>[] = [];
      world[service].intercept = (request, proceed) => {
        if (!fits(request, "GET", path) || lists.length > 0) return proceed();
        lists.push(endlessList());
        return lists[0]?.answer ?? proceed();
      };
      const before = Deno.memoryUsage().rss;
      const report = await cycle();
      const grown = Deno.memoryUsage().rss - before;
      assertTold(report, messages(), /the response is larger than 64 MiB .*: gots stopped reading/);
      assertEquals(writes().filter((write) => write.startsWith("DELETE")), []);
      const sent = lists[0]?.sent() ?? 0;
      // What is on its way in the buffers of both sides is sent for nothing.
      assert(sent > MOST_BYTES && sent < MOST_BYTES + 16_000_000, `${sent} bytes were sent`);
      assert(grown < 400_000_000, `memory grew by ${grown} bytes`);

      await cycle();
      assertConverged(world);
    }));
}
