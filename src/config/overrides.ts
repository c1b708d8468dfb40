/** Overrides the settings of the file with the environment and the files of credentials. */
import { type Environment, OVERRIDES } from "./environment.ts";
import { ConfigError } from "./error.ts";
import { type Expanded, isMap } from "./expand.ts";
import { describePath, isReadableByAll, type ModeOf, type ReadFile, readText } from "./file.ts";

/** How files are read. */
export interface Files {
  readonly readFile: ReadFile;
  readonly modeOf: ModeOf;
}

/** What is found while a configuration is read, in sentences. */
export interface Findings {
  /** What makes it unusable. */
  readonly problems: string[];
  /** Warnings: unusual, but usable. */
  readonly warnings: string[];
}

/** Reads the file of a credential, without the end of its last line: `""` if it is empty, `undefined` if that fails. */
async function readSecretFile(
  setting: string,
  file: string,
  { readFile, modeOf }: Files,
  { problems, warnings }: Findings,
): Promise<string | undefined> {
  try {
    const text = (await readText(file, readFile)).replace(/\r?\n$/, "");
    if (text.trim() === "") return "";
    if (await isReadableByAll(file, modeOf)) {
      warnings.push(`${setting}: every user on this machine can read ${file}; chmod o= ${file}`);
    }
    return text;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(`${setting} points to ${describePath(file)}: ${error.problems[0]?.split(";")[0]}`);
    return undefined;
  }
}

/** Reads the private key of the service app, if that is how `gots` signs in and the configuration names its file. */
export async function readPrivateKeyFile(
  document: Record<string, unknown>,
  files: Files,
  findings: Findings,
): Promise<void> {
  const okta = document.okta;
  if (!isMap(okta) || !/^oauth$/i.test(String(okta.auth_method))) return;
  const { oauth } = okta;
  if (!isMap(oauth) || !oauth.private_key_path || typeof oauth.private_key_path !== "string") return;
  if (oauth.private_key) {
    findings.problems.push(
      "okta.oauth.private_key and okta.oauth.private_key_path are both set; keep one of them",
    );
    return;
  }
  const text = await readSecretFile("okta.oauth.private_key_path", oauth.private_key_path, files, findings);
  if (text === "") {
    findings.problems.push(
      `okta.oauth.private_key_path points to ${describePath(oauth.private_key_path)}: this file is empty`,
    );
  }
  if (text) oauth.private_key = text;
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

/** Overrides the file's settings with the variables of {@linkcode OVERRIDES}; records where each came from in `expanded`. */
export async function applyOverrides(
  document: Record<string, unknown>,
  environment: Environment,
  files: Files,
  findings: Findings,
  { sources, emptyFiles }: Expanded,
): Promise<void> {
  for (const { variable, path, secret } of OVERRIDES) {
    const file = secret ? environment[`${variable}_FILE`] : undefined;
    if (file && environment[variable]) {
      findings.problems.push(`${variable} and ${variable}_FILE are both set; keep one of them`);
    }
    const given = environment[variable];
    const written = path.join(".");
    const text = given || !file ? given : await readSecretFile(`${variable}_FILE`, file, files, findings);
    if (file && text === "") emptyFiles.set(written, `${variable}_FILE points to ${describePath(file)}`);
    if (!text) continue;
    setAt(document, path, text);
    sources.set(written, given ? variable : `the file of ${variable}_FILE`);
  }
}
