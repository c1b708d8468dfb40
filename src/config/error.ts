/** What is wrong with a configuration. */
import { count } from "./count.ts";

/** How many problems are shown; a mistake in a template may be in every mapping. */
const MOST_SHOWN = 50;

/** What may be known of a configuration besides its problems. */
export interface ConfigErrorOptions extends ErrorOptions {
  /** What may explain the problems, a sentence each. @default {nothing} */
  readonly notes?: readonly string[];
}

/** A configuration that cannot be used. It lists every problem, not the first. */
export class ConfigError extends Error {
  /** The file it is about. */
  readonly file: string;
  /** One sentence a problem, each with the setting's path, what was found and what is expected. */
  readonly problems: readonly string[];
  /** What may explain the problems, a sentence each. */
  readonly notes: readonly string[];

  constructor(
    file: string,
    problems: readonly string[],
    { notes = [], ...options }: ConfigErrorOptions = {},
  ) {
    const shown = problems.slice(0, MOST_SHOWN).map((problem) => `  ${problem}`);
    if (problems.length > MOST_SHOWN) shown.push(`  and ${problems.length - MOST_SHOWN} more`);
    const others = notes.map((note) => `  Note: ${note}`);
    super(
      [`Configuration error in ${file}: ${count(problems.length, "problem")}`, ...shown, ...others].join(
        "\n",
      ),
      options,
    );
    this.name = "ConfigError";
    this.file = file;
    this.problems = problems;
    this.notes = notes;
  }
}
