/** `gots validate`: reads and checks the configuration, and asks nobody. */
import { count } from "../config/count.ts";
import { type Io, load, STATUS } from "./context.ts";

/** Says that the configuration is valid, and what it amounts to. */
export async function validate(file: string, io: Io): Promise<number> {
  const { config, warnings } = await load(file, io);
  const { mappings, interval_seconds, dry_run } = config.sync;
  const teams = new Set(mappings.map(({ grafana_team }) => grafana_team)).size;
  for (const warning of warnings) io.terminal.note(`Warning: ${warning}\n`);
  const amount = `${count(mappings.length, "mapping")} into ${
    count(teams, "team")
  }, every ${interval_seconds} s`;
  io.terminal.print(`${file} is valid: ${amount}${dry_run ? ", dry run" : ""}\n`);
  return STATUS.fine;
}
