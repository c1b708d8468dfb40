/** A configuration in memory: a document of sections, files by path, and what loading them says. */
import { AssertionError } from "@std/assert";
import { ConfigError } from "../../src/config/error.ts";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig, type Loaded } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { Secret } from "../../src/config/secret.ts";

/** The only required entry of `sync`, in flow style. */
export const MAPPINGS = "mappings: [{ okta_group: Engineering, grafana_team: Engineers }]";

const SECTIONS: Readonly<Record<string, string>> = {
  okta: "{ domain: company.okta.com, api_token: 00token }",
  grafana: "{ url: https://grafana.example.com, api_key: glsa_key }",
  sync: `{ ${MAPPINGS} }`,
};

/** The smallest document that is right, with `sections` (YAML texts by name) in place of its own. */
export function documentWith(sections: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...SECTIONS, ...sections }).map(([name, text]) => `${name}: ${text}\n`).join("");
}

/** A document with this Okta domain. */
export const withDomain = (domain: string) =>
  documentWith({ okta: `{ domain: ${JSON.stringify(domain)}, api_token: 00token }` });

/** A document with this address of Grafana. */
export const withUrl = (url: string) =>
  documentWith({ grafana: `{ url: ${JSON.stringify(url)}, api_key: glsa_key }` });

/** What stands around the document. */
export interface World {
  readonly environment?: Environment;
  /** Files by path, besides `config.yaml`; an error is what reading that file rejects with. */
  readonly files?: Readonly<Record<string, string | Uint8Array | Error>>;
}

/** Loads `document` as `config.yaml`. */
export function load(
  document: string | Uint8Array | Error,
  { environment = {}, files = {} }: World = {},
): Promise<Loaded> {
  const all: Record<string, string | Uint8Array | Error> = { ...files, "config.yaml": document };
  const readFile = (path: string): Promise<Uint8Array> => {
    const content = all[path] ?? new Deno.errors.NotFound(`No such file (os error 2): ${path}`);
    if (content instanceof Error) return Promise.reject(content);
    return Promise.resolve(typeof content === "string" ? new TextEncoder().encode(content) : content);
  };
  return loadConfig("config.yaml", { environment, readFile });
}

/** A setting of a loaded configuration by its path, `sync.mappings.0.okta_group`; a credential as it is. */
export function settingOf(config: Config, path: string): unknown {
  const value = path.split(".").reduce<unknown>(
    (section, key) => (section as Record<string, unknown> | undefined)?.[key],
    config,
  );
  return value instanceof Secret ? value.reveal() : value;
}

/** The error that loading `document` ends in. */
export async function errorOf(
  document: string | Uint8Array | Error,
  world: World = {},
): Promise<ConfigError> {
  const error = await load(document, world).then(() => undefined, (error: unknown) => error);
  if (error instanceof ConfigError) return error;
  throw error ?? new AssertionError("the configuration was accepted");
}

/** The problems that loading `document` ends in. */
export async function problemsOf(
  document: string | Uint8Array | Error,
  world: World = {},
): Promise<readonly string[]> {
  return (await errorOf(document, world)).problems;
}
