/** Says what is wrong with a certificate that was not accepted, and what to do about it. */
import { isIP } from "node:net";
import type { Explanation } from "./types.ts";

/** The setting that names where a service is. */
export function addressSetting(service: string): string {
  return service === "Okta" ? "okta.domain" : `${service.toLowerCase()}.url`;
}

/** A date that the runtime gives as epoch seconds. */
function dateIn(said: string): string {
  const [, seconds] = said.match(/not valid (?:after|before) (\d+)/) ?? [];
  return seconds === undefined ? "" : ` ${new Date(Number(seconds) * 1_000).toISOString().slice(0, 10)}`;
}

/** How to make a self-signed server certificate; plain `openssl req -x509` makes one for an authority. */
function selfSigned(hostname: string): string {
  const host = hostname.replace(/^\[|\]$/g, "");
  return `openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout server.key -out server.pem -subj "/CN=${host}" ` +
    `-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=${isIP(host) ? "IP" : "DNS"}:${host}`;
}

const CLOCK = "correct this machine's clock if it is wrong";

/** The names in a certificate, as the runtime lists them. */
function namesIn(said: string): string {
  const names = said.matchAll(/DnsName\("([^"]+)"\)|IpAddress\(([\da-f.:]+)\)/g);
  return Array.from(names, ([, name, address]) => name ?? address).join(" and ");
}

/** Reads what the runtime, that is rustls, says about the certificate of the `service` at `hostname`. */
export function explainCertificate(said: string, hostname: string, service: string): Explanation {
  const explain = (reason: string, advice: string) => ({
    detail: `SSL Certificate verification failed: ${reason}`,
    advice,
  });
  const files = `${service.toLowerCase()}.ca_file, REQUESTS_CA_BUNDLE or SSL_CERT_FILE`;
  if (/CaUsedAsEndEntity/.test(said)) {
    const reason =
      "the server's certificate is marked as a certificate authority (CA:TRUE), which a server certificate must not be";
    return explain(
      reason,
      `create one without that mark, install it on the server, and set its file in ${files}: ${
        selfSigned(hostname)
      }`,
    );
  }
  if (/not valid yet|NotValidYet/i.test(said)) {
    return explain(`the certificate is not valid before${dateIn(said) || " a later date"}`, CLOCK);
  }
  if (/expired/i.test(said)) {
    const when = dateIn(said);
    return explain(`the certificate expired${when && ` on${when}`}`, `renew it on the server, or ${CLOCK}`);
  }
  if (/not valid for (?:any )?name|NotValidForName/i.test(said)) {
    const reason = `the certificate is for ${namesIn(said) || "no name"}, not for ${hostname}`;
    const advice = `use one of its names in ${
      addressSetting(service)
    }, or issue one with ${hostname} in its subjectAltName`;
    return explain(reason, advice);
  }
  return explain(
    said,
    `if your company has its own certificate authority, set its PEM file in ${files}`,
  );
}
