/** What is wrong with a configuration. */

/** A configuration that cannot be used. It lists every problem, not the first. */
export class ConfigError extends Error {
  /** The file it is about. */
  readonly file: string;
  /** One sentence a problem, each with the setting's path, what was found and what is expected. */
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly string[], options?: ErrorOptions) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super([`Configuration error in ${file}: ${count}`, ...problems.map((p) => `  ${p}`)].join("\n"), options);
    this.name = "ConfigError";
    this.file = file;
    this.problems = problems;
  }
}
