/** Loads the configuration: file, `.env`, environment; checked before anything else happens. */
import { readAuthorities, type TrustedAuthorities } from "./certificates.ts";
import { readVariables } from "./dotenv_file.ts";
import { type Environment, OVERRIDES } from "./environment.ts";
import { ConfigError } from "./error.ts";
import { type Expanded, expandVariables } from "./expand.ts";
import { isReadableByAll, modeOfFile, type ReadFile, readText } from "./file.ts";
import { applyOverrides, type Files, type Findings, readPrivateKeyFile } from "./overrides.ts";
import { describeIssues, describeUnset, isAboutVariables } from "./problems.ts";
import { type Proxies, readProxies } from "./proxies.ts";
import { type Config, configSchema } from "./schema.ts";
import { REDACTED } from "./secret.ts";
import { emptyVariables, literalCredentials, mergeSameMappings, oddAddresses, valueAt } from "./warnings.ts";
import { parseYaml } from "./yaml.ts";

/** Where a configuration comes from. */
export interface LoadOptions {
  /** The process's own environment. */
  readonly environment: Environment;
  /** Reads a file, whole; rejects with the errors of `Deno.readFile`. @default {Deno.readFile} */
  readonly readFile?: ReadFile;
  /** The permissions of a file, as in `chmod`; `null` where the system has none. @default {Deno.stat(path).mode} */
  readonly modeOf?: (path: string) => Promise<number | null>;
}

/** A configuration that was loaded. */
export interface Loaded {
  readonly config: Config;
  readonly authorities: TrustedAuthorities;
  readonly proxies: Proxies;
  /** Warnings, as sentences for the log. */
  readonly warnings: readonly string[];
}

/** A credential is not shown, even in the wrong place. */
function redact(sentences: readonly string[], settings: unknown, environment: Environment): string[] {
  const secrets = OVERRIDES.filter(({ secret }) => secret)
    .flatMap(({ variable, path }) => [environment[variable], valueAt(settings, path)])
    .filter((value): value is string => typeof value === "string" && value.length >= 6);
  return sentences.map((sentence) =>
    secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), sentence)
  );
}

/** Reads the document in `file`, and warns where everybody can read the credentials in it. */
async function readDocument(file: string, { readFile, modeOf }: Files, warnings: string[]) {
  const document = parseYaml(await readText(file, readFile), file);
  const [credential] = literalCredentials(document);
  if (credential && await isReadableByAll(file, modeOf)) {
    warnings.push(
      `${file}: every user on this machine can read ${credential} in it; chmod o= ${file}, or keep the credential ` +
        "in the environment",
    );
  }
  return document;
}

/** Checks the settings; what is wrong goes to `problems`, and the result is `undefined` then. */
function check(
  settings: Record<string, unknown>,
  expanded: Expanded,
  environment: Environment,
  { problems, warnings }: Findings,
): Config | undefined {
  const unset = describeUnset(expanded, environment);
  problems.push(...unset.problems);
  warnings.push(...unset.warnings);
  const parsed = configSchema.safeParse(settings);
  if (!parsed.success) {
    for (const problem of describeIssues(parsed.error.issues, expanded, environment)) problems.push(problem);
    return undefined;
  }
  warnings.push(
    ...emptyVariables(settings, environment, parsed.data),
    ...oddAddresses(settings, parsed.data),
  );
  const mappings = mergeSameMappings(parsed.data.sync.mappings, warnings, problems);
  return problems.length > 0 ? undefined : { ...parsed.data, sync: { ...parsed.data.sync, mappings } };
}

/**
 * Loads and checks the configuration in `file`, with `.env` of the working directory and the environment
 * laid over it. Nothing is sent anywhere.
 *
 * @throws {ConfigError} listing everything that is wrong.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<Loaded> {
  const files = { readFile: options.readFile ?? Deno.readFile, modeOf: options.modeOf ?? modeOfFile };
  const findings: Findings = { problems: [], warnings: [] };
  const document = await readDocument(file, files, findings.warnings);
  const { environment, noDotenv } = await readVariables(options.environment, files, findings.warnings);
  const expanded = expandVariables(document, environment);
  const settings = expanded.value as Record<string, unknown>;
  await applyOverrides(settings, environment, files, findings, expanded);
  await readPrivateKeyFile(settings, files, findings);
  const authorities = await readAuthorities(settings, environment, findings.problems);
  const proxies = readProxies(environment, findings.warnings);
  const config = check(settings, expanded, environment, findings);
  const { problems, warnings } = findings;
  if (config) return { config, authorities, proxies, warnings: redact(warnings, settings, environment) };
  const notes = noDotenv && problems.some(isAboutVariables) ? [...warnings, noDotenv] : warnings;
  throw new ConfigError(file, redact(problems, settings, environment), {
    notes: redact(notes, settings, environment),
  });
}
