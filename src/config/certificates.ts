/** The operator's own certificate authorities. */
import type { Environment } from "./environment.ts";
import { isMap } from "./expand.ts";
import { describePath, describeReadFailure } from "./file.ts";

/** Certificate authorities to trust in addition to the built-in ones, in PEM format. */
export interface TrustedAuthorities {
  /** For both services, from `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE`. */
  readonly both: readonly string[];
  /** From `okta.ca_file`. */
  readonly okta: readonly string[];
  /** From `grafana.ca_file`. */
  readonly grafana: readonly string[];
}

/** Reads the PEM certificates in a file or directory; adds what is wrong to `problems`. */
async function readBundle(setting: string, path: unknown, problems: string[]): Promise<string[]> {
  if (typeof path !== "string" || path === "") return [];
  try {
    const files = (await Deno.stat(path)).isDirectory
      ? Array.from(Deno.readDirSync(path), ({ name }) => `${path}/${name}`)
        .filter((file) => Deno.statSync(file).isFile)
      : [path];
    const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
    const found = texts.filter((text) => text.includes("-----BEGIN CERTIFICATE-----"));
    if (found.length === 0) problems.push(`${setting}: ${describePath(path)} contains no PEM certificate`);
    return found;
  } catch (error) {
    problems.push(`${setting}: ${describePath(path)}: ${describeReadFailure(error).split(";")[0]}`);
    return [];
  }
}

/** Reads the authorities that the environment and the document name; adds what is wrong to `problems`. */
export async function readAuthorities(
  document: Record<string, unknown>,
  environment: Environment,
  problems: string[],
): Promise<TrustedAuthorities> {
  const own = async (section: "okta" | "grafana") => {
    const settings = document[section];
    return await readBundle(`${section}.ca_file`, isMap(settings) ? settings.ca_file : undefined, problems);
  };
  const both = [];
  for (const variable of ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]) {
    both.push(...await readBundle(variable, environment[variable], problems));
  }
  return { both, okta: await own("okta"), grafana: await own("grafana") };
}
