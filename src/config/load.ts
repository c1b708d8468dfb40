/** Loads the configuration: file, `.env`, environment; checked before anything else happens. */
import { parse } from "@std/yaml";
import { parseDotenv } from "./dotenv.ts";
import { type Environment, OVERRIDES } from "./environment.ts";
import { readAuthorities, type TrustedAuthorities } from "./certificates.ts";
import { ConfigError } from "./error.ts";
import { expandVariables, isMap } from "./expand.ts";
import { describeReadFailure, type ReadFile, readText } from "./file.ts";
import { describeIssues, describeUnset } from "./problems.ts";
import { type Config, configSchema, type Mapping } from "./schema.ts";
import { REDACTED } from "./secret.ts";

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
  /** What is odd but usable, in sentences for the log. */
  readonly warnings: readonly string[];
}

/** The parser's own words show the line, which may hold a credential: keep the reason and the place. */
function describeSyntaxError(error: Error): string {
  const [place = ""] = error.message.match(/ at line \d+, column \d+/) ?? [];
  const [reason = ""] = error.message.split(/ at line|["!<]/);
  return `not valid YAML: ${reason.trimEnd()}${place} (a value with special characters needs quotes)`;
}

function parseYaml(text: string, file: string, warnings: string[]): Record<string, unknown> {
  const read = (allowDuplicateKeys: boolean): unknown => {
    try {
      return parse(text, { allowDuplicateKeys });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "YamlSyntaxError") throw error;
      if (!allowDuplicateKeys && error.message.includes("duplicated key")) {
        warnings.push(`${file}: ${describeSyntaxError(error).replace(/ \(.*/, "")}; the last one counts`);
        return read(true);
      }
      throw new ConfigError(file, [describeSyntaxError(error)]);
    }
  };
  const document = read(false);
  if (document === null || document === undefined) {
    throw new ConfigError(file, ["this file is empty; copy config.example.yaml"]);
  }
  if (!isMap(document)) {
    const kind = Array.isArray(document) ? "a list" : "a single value";
    throw new ConfigError(file, [`expected settings at the top (okta:, grafana:, sync:), found ${kind}`]);
  }
  return Object.fromEntries(Object.entries(document).filter(([key]) => !key.startsWith("x-")));
}

/** The bit of a file's mode that lets everybody read it. */
const OTHERS_READ = 0o004;

async function modeOfFile(path: string): Promise<number | null> {
  return await Deno.stat(path).then(({ mode }) => mode, () => null);
}

/** Reads the file of a credential, without the end of its last line; `undefined` if that fails. */
async function readSecretFile(
  setting: string,
  file: string,
  { readFile = Deno.readFile, modeOf = modeOfFile }: LoadOptions,
  warnings: string[],
  problems: string[],
): Promise<string | undefined> {
  try {
    const text = (await readText(file, readFile)).replace(/\r?\n$/, "");
    const mode = await modeOf(file) ?? 0;
    if (mode & OTHERS_READ) {
      warnings.push(`${setting}: every user of this machine can read ${file}; chmod o= ${file}`);
    }
    return text;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const shown = /[/\\.]/.test(file) ? file : `a text of ${file.length} characters`;
    problems.push(`${setting} names ${shown}: ${error.problems[0]?.split(";")[0]}`);
    return undefined;
  }
}

/** Reads the private key of the service app, if that is how `gots` signs in and the configuration names its file. */
async function readPrivateKeyFile(
  document: Record<string, unknown>,
  options: LoadOptions,
  warnings: string[],
  problems: string[],
): Promise<void> {
  const okta = document.okta;
  if (!isMap(okta) || !/^oauth$/i.test(String(okta.auth_method))) return;
  const { oauth } = okta;
  if (!isMap(oauth) || !oauth.private_key_path || typeof oauth.private_key_path !== "string") return;
  if (oauth.private_key) {
    problems.push("okta.oauth.private_key and okta.oauth.private_key_path are both set; keep one of them");
    return;
  }
  const setting = "okta.oauth.private_key_path";
  const text = await readSecretFile(setting, oauth.private_key_path, options, warnings, problems);
  if (text !== undefined) oauth.private_key = text;
}

/** Lays the variables of {@linkcode OVERRIDES} over the file's settings. */
async function applyOverrides(
  document: Record<string, unknown>,
  environment: Environment,
  options: LoadOptions,
  warnings: string[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const { variable, path, secret } of OVERRIDES) {
    const file = secret ? environment[`${variable}_FILE`] : undefined;
    if (file && environment[variable]) {
      problems.push(`${variable} and ${variable}_FILE are both set; keep one of them`);
    }
    let value = environment[variable];
    if (!value && file) value = await readSecretFile(`${variable}_FILE`, file, options, warnings, problems);
    if (value) setAt(document, path, value);
  }
  return problems;
}

function setAt(document: Record<string, unknown>, path: readonly string[], value: string): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) document[key] = value;
  else {
    const section = document[key] ?? {};
    if (!isMap(section)) return;
    document[key] = section;
    setAt(section, rest, value);
  }
}

/** Lays the real environment over `.env`: a credential that it gives, as value or as file, is given by it alone. */
function layEnvironments(dotenv: Environment, environment: Environment): Environment {
  const own = Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
  const other = (name: string) => name.endsWith("_FILE") ? name.slice(0, -5) : `${name}_FILE`;
  const below = Object.entries(dotenv).filter(([name]) => !Object.hasOwn(own, other(name)));
  return { ...Object.fromEntries(below), ...own };
}

async function readDotenv(
  environment: Environment,
  readFile: ReadFile,
  warnings: string[],
): Promise<Environment> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(".env"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /is a directory/i.test(String(error))) return environment;
    throw new ConfigError(".env", [describeReadFailure(error)]);
  }
  const { variables, malformedLines } = parseDotenv(text, environment);
  for (const line of malformedLines) warnings.push(`.env: line ${line} is malformed and was passed over`);
  return layEnvironments(variables, environment);
}

/** A credential is not shown even if it stands in the wrong place. */
function redact(problems: readonly string[], secrets: readonly string[]): string[] {
  const known = secrets.filter(({ length }) => length >= 6);
  return problems.map((problem) =>
    known.reduce((text, secret) => text.replaceAll(secret, REDACTED), problem)
  );
}

/** Two mappings are told apart in logs and metrics by their group and team. */
function mergeSameMappings(
  mappings: readonly Mapping[],
  warnings: string[],
  problems: string[],
): Mapping[] {
  const seen = new Map<string, Mapping>();
  for (const [i, mapping] of mappings.entries()) {
    const key = JSON.stringify([mapping.okta_group, mapping.grafana_team]);
    const same = seen.get(key);
    if (same && JSON.stringify(same) !== JSON.stringify(mapping)) {
      problems.push(
        `sync.mappings[${i}]: '${mapping.okta_group}' -> '${mapping.grafana_team}' is there before with other ` +
          "settings; keep one of them, or give the two different names if their okta_group_id differs",
      );
    } else if (same) {
      warnings.push(
        `sync.mappings[${i}]: '${mapping.okta_group}' -> '${mapping.grafana_team}' is there twice; once is enough`,
      );
    } else seen.set(key, mapping);
  }
  return [...seen.values()];
}

/**
 * Loads and checks the configuration in `file`, with `.env` of the working directory and the environment
 * laid over it. Nothing is sent anywhere.
 *
 * @throws {ConfigError} listing everything that is wrong.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<Loaded> {
  const readFile = options.readFile ?? Deno.readFile;
  const warnings: string[] = [];
  const document = parseYaml(await readText(file, readFile), file, warnings);
  const environment = await readDotenv(options.environment, readFile, warnings);
  const expanded = expandVariables(document, environment);
  const settings = expanded.value as Record<string, unknown>;
  const problems = await applyOverrides(settings, environment, options, warnings);
  await readPrivateKeyFile(settings, options, warnings, problems);
  const authorities = await readAuthorities(settings, environment, problems);

  const secrets = OVERRIDES.filter(({ secret }) => secret).flatMap(({ variable, path }) => {
    const inFile = path.reduce<unknown>((value, key) => isMap(value) ? value[key] : undefined, settings);
    return [environment[variable], inFile].filter((value) => typeof value === "string" && value !== "");
  }) as string[];
  const unset = describeUnset(expanded, environment);
  problems.push(...unset.problems);
  warnings.push(...unset.warnings);
  const parsed = configSchema.safeParse(settings);
  if (!parsed.success) problems.push(...describeIssues(parsed.error.issues, expanded));
  if (!parsed.success || problems.length > 0) throw new ConfigError(file, redact(problems, secrets));
  const mappings = mergeSameMappings(parsed.data.sync.mappings, warnings, problems);
  if (problems.length > 0) throw new ConfigError(file, problems);
  return { config: { ...parsed.data, sync: { ...parsed.data.sync, mappings } }, authorities, warnings };
}
