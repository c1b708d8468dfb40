/** A server that nobody has a reason to call, and a network whose other names all lead to it. */
import type { Fetch } from "../../src/http/types.ts";

/** Listens on loopback and keeps what arrives, be it HTTP or the first bytes of TLS. */
export interface Trap extends AsyncDisposable {
  /** Such as `127.0.0.1:41234`. */
  readonly host: string;
  readonly origin: string;
  /** The first bytes of every connection. */
  readonly received: readonly string[];
}

const ANSWER =
  "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";

/** Starts a trap on a free port. */
export function startTrap(): Trap {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  const answer = async (connection: Deno.TcpConn) => {
    using open = connection;
    const bytes = new Uint8Array(16_384);
    const length = await open.read(bytes).catch(() => 0);
    received.push(new TextDecoder().decode(bytes.subarray(0, length ?? 0)));
    await open.write(new TextEncoder().encode(ANSWER)).catch(() => {});
  };
  const answering: Promise<void>[] = [];
  const listening = (async () => {
    for await (const connection of listener) answering.push(answer(connection));
  })();
  const host = `127.0.0.1:${listener.addr.port}`;
  return {
    host,
    origin: `http://${host}`,
    received,
    async [Symbol.asyncDispose]() {
      listener.close();
      await listening;
      await Promise.all(answering);
    },
  };
}

/** A `fetch` for which every address but those of `origins` leads to the trap, whatever its name. */
export function poisonedFetch(
  trap: Trap,
  origins: readonly string[],
): { readonly fetch: Fetch; readonly close: () => void } {
  const honest = Deno.createHttpClient({});
  const poisoned = Deno.createHttpClient({ proxy: { url: trap.origin } });
  return {
    fetch: (url, init) => {
      const client = origins.includes(new URL(url).origin) ? honest : poisoned;
      return fetch(url, { ...init, client });
    },
    close() {
      honest.close();
      poisoned.close();
    },
  };
}
