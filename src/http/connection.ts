/** Says why no answer arrived. */
import { addressSetting, explainCertificate } from "./certificate.ts";
import { RequestError, type RequestErrorKind, type Subject } from "./error.ts";

/** An attempt that brought no answer. */
export interface Attempt extends Subject {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The proxy on the way, if there is one, such as `http://proxy:3128 (HTTPS_PROXY)`. */
  readonly proxy: string | undefined;
}

/** What the network said: the runtime wraps it, in messages that hold the address. */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermostMessage(error.cause) : error.message;
}

/** How the runtime says that it did not reach a proxy, or that the proxy blocked it. */
const BEFORE_PROXY = /connect error|dns error|Proxy server unreachable/;
const IN_PROXY = /proxy authentication required|tunnel/;

/** Why a proxy is to blame, if it is. */
function explainProxy(said: string, { service, proxy }: Attempt) {
  if (!proxy || !(BEFORE_PROXY.test(said) || IN_PROXY.test(said))) return undefined;
  const unless = `or add ${service}'s host to NO_PROXY`;
  if (/authentication required/.test(said)) {
    const advice = `set the variable to http://user:password@proxy:port, ${unless}`;
    return { detail: `the proxy ${proxy} requires a username and password`, advice };
  }
  return BEFORE_PROXY.test(said)
    ? { detail: `cannot connect to the proxy ${proxy}: ${said}`, advice: `check its address, ${unless}` }
    : {
      detail: `the proxy ${proxy} could not connect to ${service}: ${said}`,
      advice: `check the proxy's log and rules, ${unless}`,
    };
}

/** Says why no answer arrived. */
export function readConnectionFailure(error: unknown, attempt: Attempt): RequestError {
  const { service, method, path, url, signal, timeoutMs, proxy } = attempt;
  const subject = { service, method, path, cause: error };
  const fail = (kind: RequestErrorKind, detail: string, advice?: string) =>
    new RequestError({ ...subject, kind, detail, advice });

  if (signal.aborted) {
    const timedOut = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
    if (!timedOut) return fail("interrupted", "stopped");
    const advice = proxy
      ? `${service} or the proxy ${proxy} may be overloaded`
      : `${service} may be overloaded`;
    return fail("timeout", `no complete response within ${timeoutMs / 1_000} s`, advice);
  }
  const said = innermostMessage(error).replace(/^error sending request.*?\): /, "")
    .replace(/^client error \(Connect\): /, "");
  const blame = explainProxy(said, attempt);
  if (blame) return new RequestError({ ...subject, ...blame, kind: "unreachable" });
  if (/corrupt message|wrong version number/i.test(said)) {
    const { host } = new URL(url);
    const advice = `use http:// in ${addressSetting(service)}, or the HTTPS port`;
    return fail("unreachable", `cannot connect: ${host} does not speak HTTPS (${said})`, advice);
  }
  if (/certificate/i.test(said)) {
    const { detail, advice } = explainCertificate(said, new URL(url).hostname, service);
    const shownBy = proxy ? `; the proxy ${proxy} may present its own certificate` : "";
    return fail("certificate", detail + shownBy, advice);
  }
  const advice = "check the address, DNS, firewall and proxy, and whether the service is running";
  return fail("unreachable", `cannot connect: ${said}`, advice);
}
