/** Commands of `gots` as a shell takes them, for messages that say what to do. */

function shellQuote(text: string): string {
  return /^[\w@%+:,./][\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The command that lets a team's removals through once. `config` is the path of the configuration; empty for the default. */
export function allowCommand(team: string, config = ""): string {
  const option = team.startsWith("-")
    ? `--allow-removals=${shellQuote(team)}`
    : `--allow-removals ${shellQuote(team)}`;
  return `gots sync ${option}${config && ` ${shellQuote(config)}`}`;
}
