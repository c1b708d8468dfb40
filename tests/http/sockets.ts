/** Real sockets on loopback: connections that a test handles by hand, and a server behind TLS. */

/** Somewhere that requests can be led to, until it is disposed of. */
export interface Place extends AsyncDisposable {
  /** Origin, such as `http://127.0.0.1:41234`. */
  readonly address: string;
}

/**
 * Hands each connection to `handle`, which may go on while others come. Whatever is still open at the end is
 * closed, and so is what `handle` opened itself and added to `open`.
 */
export function acceptConnections(
  handle: (connection: Deno.TcpConn, open: Set<Deno.TcpConn>) => Promise<void>,
): Place {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      handle(connection, open).catch(() => {});
    }
  })().catch(() => {});
  return {
    address: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // It is closed already.
        }
      }
    },
  };
}

const TLS = new URL("tls/", import.meta.url);

/** The PEM file of the authority that signed the certificate of {@linkcode serveTls}; nobody trusts it unasked. */
export const AUTHORITY_FILE = new URL("authority.pem", TLS).pathname;

/** Serves over TLS on localhost; made with openssl for these tests, good until 2126. */
export async function serveTls(answer: (request: Request) => Response | Promise<Response>): Promise<Place> {
  const read = (name: string) => Deno.readTextFile(new URL(name, TLS));
  const [cert, key] = await Promise.all([read("localhost.pem"), read("localhost.key")]);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen() {} }, answer);
  return {
    address: `https://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
