/** The environment that counts: the process's own, over `.env` in the working directory. */
import { parseDotenv } from "./dotenv.ts";
import { type Environment, OVERRIDES } from "./environment.ts";
import { ConfigError } from "./error.ts";
import { describeReadFailure, isReadableByAll } from "./file.ts";
import type { Files } from "./overrides.ts";

/** The variables that count. */
export interface Variables {
  readonly environment: Environment;
  /** Why there is no `.env`, in a sentence; `undefined` if there is one. */
  readonly noDotenv: string | undefined;
}

/** `tcp://10.0.0.1:80`, as Kubernetes and Docker write the address of a service. */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\/\S+:\d+$/;

/**
 * Takes out what Kubernetes sets in every pod beside a service called `metrics`: its address, as `METRICS_PORT`.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function withoutServiceLinks(environment: Environment, warnings: string[]): Environment {
  const links = OVERRIDES.map(({ variable }) => variable)
    .filter((variable) => SERVICE_LINK.test(environment[variable] ?? ""));
  for (const variable of links) {
    const service = variable.replace(/_PORT$/, "").toLowerCase().replaceAll("_", "-");
    warnings.push(
      `${variable} is ignored: Kubernetes sets it in every pod to the address of the service called ${service}; ` +
        "set enableServiceLinks: false in the pod, or metrics.port in the configuration",
    );
  }
  return { ...environment, ...Object.fromEntries(links.map((variable) => [variable, undefined])) };
}

/** Overrides `.env` with the real environment: a credential set there, as value or file, ignores `.env`. */
function layEnvironments(dotenv: Environment, environment: Environment): Environment {
  const own = Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
  const other = (name: string) => name.endsWith("_FILE") ? name.slice(0, -5) : `${name}_FILE`;
  const below = Object.entries(dotenv).filter(([name]) => !Object.hasOwn(own, other(name)));
  return { ...environment, ...Object.fromEntries(below), ...own };
}

/**
 * Reads `.env`; variables of the real environment override it. Adds warnings to `warnings`.
 *
 * @throws {ConfigError} if there is a `.env` that cannot be read.
 */
export async function readVariables(
  own: Environment,
  { readFile, modeOf }: Files,
  warnings: string[],
): Promise<Variables> {
  const environment = withoutServiceLinks(own, warnings);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(".env"));
  } catch (error) {
    const isDirectory = error instanceof Deno.errors.IsADirectory || /is a directory/i.test(String(error));
    if (!isDirectory && !(error instanceof Deno.errors.NotFound)) {
      throw new ConfigError(".env", [describeReadFailure(error)]);
    }
    const what = isDirectory
      ? "its .env is a directory, which Docker creates when the file to mount is missing"
      : "it has no .env file";
    return { environment, noDotenv: `the working directory is ${Deno.cwd()}; ${what}` };
  }
  const { variables, malformedLines, valuelessLines } = parseDotenv(text, environment);
  for (const line of malformedLines) warnings.push(`.env: line ${line} is malformed and was skipped`);
  for (const line of valuelessLines) warnings.push(`.env: line ${line} has no = and sets nothing`);
  if (await isReadableByAll(".env", modeOf)) {
    warnings.push(".env: every user on this machine can read it; chmod 600 .env");
  }
  return { environment: layEnvironments(variables, environment), noDotenv: undefined };
}
