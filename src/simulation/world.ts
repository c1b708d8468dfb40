/** A simulated Okta and Grafana that belong together, and the configuration that leads to them. */
import { type SimulatedGrafana, type SimulatedGrafanaOptions, startGrafana } from "./grafana.ts";
import { type OktaCredentials, type SimulatedOkta, startOkta } from "./okta.ts";

/** The credentials of the simulated services. */
export const CREDENTIALS = {
  apiToken: "00simulated-okta-token",
  clientId: "0oasimulated",
  clientSecret: "simulated-client-secret",
  grafanaToken: "glsa_simulated_grafana_token",
} as const satisfies OktaCredentials & { grafanaToken: string };

/** Both services, running. */
export interface World extends AsyncDisposable {
  readonly okta: SimulatedOkta;
  readonly grafana: SimulatedGrafana;
  /** Adds somebody to both: in Okta, and in Grafana as if they had signed in. */
  addPerson(email: string): ReturnType<SimulatedOkta["addUser"]>;
  /** The environment that leads a process to this world. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reaches both services without a socket. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  close(): Promise<void>;
}

/** Starts both services on free loopback ports. */
export function startWorld(grafanaOptions: Partial<SimulatedGrafanaOptions> = {}): World {
  const okta = startOkta(CREDENTIALS);
  const grafana = startGrafana({ token: CREDENTIALS.grafanaToken, ...grafanaOptions });
  const close = async () => {
    await Promise.all([okta.close(), grafana.close()]);
  };
  return {
    okta,
    grafana,
    addPerson(email) {
      grafana.state.addUser({ login: email, email });
      return okta.addUser(email);
    },
    environment: {
      OKTA_DOMAIN: okta.url,
      OKTA_API_TOKEN: CREDENTIALS.apiToken,
      GRAFANA_URL: grafana.url,
      GRAFANA_API_KEY: CREDENTIALS.grafanaToken,
    },
    async fetch(url, init) {
      const { origin } = new URL(url);
      const service = [okta, grafana].find((one) => one.url.startsWith(origin));
      if (!service) throw new TypeError(`nobody listens on ${origin}`);
      return await service.answer(new Request(url, { ...init, signal: null }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
