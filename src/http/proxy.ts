/** Decides which requests go through a proxy, and has the runtime do the same. */
import { BlockList, isIP } from "node:net";
import type { Proxies, Proxy } from "../config/proxies.ts";

const family = (address: string) => isIP(address) === 6 ? "ipv6" : "ipv4";

/** Whether an IP address is this one, or in this network. */
function isInNetwork(host: string, entry: string): boolean {
  const [network = "", bits] = entry.split("/");
  if (isIP(network) === 0) return false;
  const list = new BlockList();
  const widest = isIP(network) === 6 ? 128 : 32;
  const prefix = bits === undefined ? widest : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > widest) return false;
  list.addSubnet(network, prefix, family(network));
  return list.check(host, family(host));
}

/** Whether an entry of `NO_PROXY` means this address: `*`, a name and all below it, an IP address, a network; with or without a port. */
function isExcepted({ hostname, port, protocol }: URL, entry: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  const [, bracketed, bare, wanted] = entry.match(/^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/) ?? [];
  const name = bracketed ?? bare ?? entry;
  if (wanted && wanted !== (port || (protocol === "https:" ? "443" : "80"))) return false;
  if (name === "*") return true;
  if (isIP(host)) return isInNetwork(host, name);
  const suffix = name.replace(/^\*?\./, "");
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}

function isDirect(url: URL, { except }: Proxies): boolean {
  return except.some((entry) => isExcepted(url, entry));
}

/** The proxy through which this address is asked; `undefined` if it is asked directly. */
export function proxyFor(address: string, proxies: Proxies): Proxy | undefined {
  const url = new URL(address);
  if (isDirect(url, proxies)) return undefined;
  return proxies.all ?? (url.protocol === "https:" ? proxies.https : proxies.http);
}

/**
 * The variables by which the runtime decides the same for these addresses. It reads its own environment alone, without
 * `.env`, and `NO_PROXY` in another way: `*` means names but no numbers, and nothing with a port.
 */
export function runtimeVariables(addresses: readonly string[], proxies: Proxies): Record<string, string> {
  const { all, http, https } = proxies;
  const named = Object.entries({ ALL_PROXY: all, HTTP_PROXY: http, HTTPS_PROXY: https }).flatMap(
    ([variable, proxy]) => proxy ? [[variable, proxy.address.reveal()] as const] : [],
  );
  if (named.length === 0) return {};
  const direct = addresses.map((address) => new URL(address)).filter((url) => isDirect(url, proxies))
    .map(({ hostname }) => hostname.replace(/^\[|\]$/g, ""));
  return { ...Object.fromEntries(named), NO_PROXY: direct.join(",") };
}
