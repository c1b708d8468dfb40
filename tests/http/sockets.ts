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

/** A PEM file beside this one, made with openssl for these tests; all but `expired` are good until 2125 at least. */
export function tlsFile(name: string): string {
  return new URL(`${name}.pem`, TLS).pathname;
}

/** The PEM file of the authority that signed the certificate of {@linkcode serveTls}; nobody trusts it unasked. */
export const AUTHORITY_FILE = tlsFile("authority");

/** Serves over TLS on localhost, with the certificate of this name; all of them have the same key. */
export async function serveTls(
  answer: (request: Request) => Response | Promise<Response>,
  certificate = "localhost",
): Promise<Place> {
  const [cert, key] = await Promise.all([
    Deno.readTextFile(tlsFile(certificate)),
    Deno.readTextFile(new URL("localhost.key", TLS)),
  ]);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen() {} }, answer);
  return {
    address: `https://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
