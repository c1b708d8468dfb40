/** Looks at a certificate that was not accepted, to say whose it is. */
import { isIP } from "node:net";
import type { PeerCertificate } from "node:tls";

/** How long looking may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** A name in a certificate, if it has one. */
function nameOf(name: PeerCertificate["subject"] | undefined): string {
  return name?.CN ?? name?.O ?? "unknown";
}

/** Who the certificate was issued to, by whom, and until when it is valid. */
export function describeCertificate(certificate: Partial<PeerCertificate>): string | undefined {
  const { subject, issuer, valid_to } = certificate;
  if (!subject && !issuer) return undefined;
  return `the certificate was issued to '${nameOf(subject)}' by '${
    nameOf(issuer)
  }' and is valid until ${valid_to}`;
}

/**
 * Describes the certificate of the server at an `https:` address; `undefined` if it cannot be seen. Nothing is
 * sent there: the connection ends as soon as the certificate has come.
 */
export async function describePeer(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  // Few runs need it, and it takes long to load.
  const { connect } = await import("node:tls");
  return await new Promise((resolve) => {
    // An IP address is not a server name. @see RFC 6066 3
    const servername = isIP(host) ? {} : { servername: host };
    const options = { host, port: Number(port) || 443, ...servername, rejectUnauthorized: false };
    const socket = connect(options, () => end(describeCertificate(socket.getPeerCertificate())));
    const timer = setTimeout(() => end(undefined), TIMEOUT_MS);
    function end(said: string | undefined): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(said);
    }
    socket.on("error", () => end(undefined));
  });
}
