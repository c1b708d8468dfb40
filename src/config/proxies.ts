/** The proxies that the environment names. */
import type { Environment } from "./environment.ts";
import { Secret } from "./secret.ts";

/** A proxy. */
export interface Proxy {
  /** As it was set, such as `https_proxy`. */
  readonly variable: string;
  /** The address, which may hold a password. */
  readonly address: Secret;
  /** The address without it. */
  readonly shown: string;
}

/** Which requests go through which proxy. */
export interface Proxies {
  /** For requests to any address; goes before the other two, as the runtime has it. */
  readonly all: Proxy | undefined;
  readonly http: Proxy | undefined;
  readonly https: Proxy | undefined;
  /** The entries of `NO_PROXY`, in lower case. */
  readonly except: readonly string[];
}

/** What the runtime accepts as a proxy; it silently ignores others. */
const PROTOCOLS = /^(?:https?|socks5h?):$/;

function readProxy(name: string, environment: Environment, warnings: string[]): Proxy | undefined {
  const variable = [name, name.toLowerCase()].find((one) => environment[one]?.trim());
  const written = variable && environment[variable]?.trim();
  if (!written) return undefined;
  const url = URL.parse(written.includes("://") ? written : `http://${written}`);
  const [user = ""] = written.match(/[^/]*@/) ?? [];
  if (url?.hostname && PROTOCOLS.test(url.protocol) && (!user || user.includes(":"))) {
    return { variable, address: new Secret(written), shown: `${url.protocol}//${url.host}` };
  }
  warnings.push(
    `${variable} is ignored: use http://proxy:port or http://user:password@proxy:port ` +
      "(https:// and socks5:// work too)",
  );
  return undefined;
}

/** Reads the proxies; in either case, the upper one first, and an empty variable counts as unset. */
export function readProxies(environment: Environment, warnings: string[]): Proxies {
  const [all, http, https] = ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"].map((name) =>
    readProxy(name, environment, warnings)
  );
  const except = (environment.NO_PROXY || environment.no_proxy || "").toLowerCase();
  return { all, http, https, except: except.split(/[\s,]+/).filter(Boolean) };
}
