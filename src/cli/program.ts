/** The command line: which command, which configuration, and the exit status. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../config/error.ts";
import { ListenError } from "../service/listen.ts";
import { commit, version } from "../version.ts";
import { DEFAULT_CONFIG, type Io, STATUS, UsageError } from "./context.ts";
import { OutputError } from "./terminal.ts";
import type { CheckOptions } from "./check.ts";
import type { DemoOptions } from "./demo.ts";
import type { PlanOptions, SyncOptions } from "./sync.ts";

const EXAMPLES = `
Examples:
  gots                              run the service with ./config.yaml
  gots check                        check that gots will work
  gots plan /etc/gots/config.yaml   show what would change, write nothing
  gots sync --config prod.yaml      run one cycle and exit
  gots demo                         try it, with nothing to set up

Exit status: 0 success, 1 something failed, 2 changes (plan --detailed-exitcode),
64 usage error, 78 configuration error, 130 or 143 interrupted.`;

/** Collects every `--config`, so that two different ones are noticed. */
function gather(file: string, before: readonly string[] = []): string[] {
  if (file === "" || file.startsWith("-")) throw new InvalidArgumentError("A file name is required.");
  return [...before, file];
}

/** The one configuration that the argument and the options name. */
function configFile(argument: string | undefined, command: Command): string {
  const { config = [] } = command.optsWithGlobals<{ config?: string[] }>();
  if (argument === "") command.error("error: the name of the configuration file is empty");
  const named = new Set([...config, ...(argument === undefined ? [] : [argument])]);
  if (named.size > 1) command.error(`error: got two configuration files: ${[...named].join(" and ")}`);
  return [...named][0] ?? DEFAULT_CONFIG;
}

function createProgram(io: Io, end: (status: number) => void): Command {
  const program = new Command("gots")
    .description("Keeps Grafana teams in sync with Okta groups.")
    .version(
      `gots ${version} (${commit}, Deno ${Deno.version.deno}, ${Deno.build.target})`,
      "-V, --version",
      "show the version",
    )
    .addOption(
      new Option("--config <file>", `configuration file (default: "${DEFAULT_CONFIG}")`).argParser(gather),
    )
    .addHelpText("after", EXAMPLES)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.terminal.print(text),
      writeErr: (text) => io.terminal.note(text),
    })
    .showHelpAfterError("(gots --help lists all commands, gots --version shows the version)")
    .exitOverride();

  const add = <Options>(
    name: string,
    summary: string,
    example: string,
    act: (file: string, options: Options) => Promise<number>,
  ) =>
    program.command(name, { isDefault: name === "run" })
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .argument("[config]", `configuration file (default: "${DEFAULT_CONFIG}")`)
      .addHelpText("after", `\nExample:\n  ${example}`)
      .action(async (file: string | undefined, options: Options, command: Command) =>
        end(await act(configFile(file, command), options))
      );

  add(
    "run",
    "run the service: one cycle right away, then on a schedule",
    "gots run /etc/gots/config.yaml",
    async (file) => (await import("./run.ts")).run(file, io),
  );
  add(
    "sync",
    "run one cycle, then exit",
    "gots sync --allow-removals Engineers prod.yaml",
    async (file, options: SyncOptions) => (await import("./sync.ts")).sync(file, options, io),
  )
    .addOption(
      new Option("--allow-removals <team>", "ignore the removal_limit for this team, once (repeatable)")
        .argParser((team: string, before: readonly string[] = []) => [...before, team]),
    );
  add(
    "plan",
    "show what a cycle would change, without writing anything",
    "gots plan --format json prod.yaml | jq '.teams[].remove'",
    async (file, options: PlanOptions) => (await import("./sync.ts")).plan(file, options, io),
  )
    .addOption(new Option("--format <format>", "output format").choices(["table", "json"]).default("table"))
    .option("--detailed-exitcode", "exit with status 2 if there are changes");
  add(
    "check",
    "check credentials, permissions, groups and teams, without writing anything",
    "gots check prod.yaml",
    async (file, options: CheckOptions) => (await import("./check.ts")).check(file, options, io),
  ).addOption(new Option("--format <format>", "output format").choices(["text", "json"]).default("text"));
  add(
    "validate",
    "check the configuration file, without using the network",
    "gots validate prod.yaml",
    async (file) => (await import("./validate.ts")).validate(file, io),
  );
  add(
    "healthcheck",
    "ask the running service for its health, for containers (status 0 or 1)",
    "gots healthcheck /app/config.yaml",
    async (file) => (await import("./healthcheck.ts")).healthcheck(file, io),
  );
  program.command("demo").summary("run the service against a simulated Okta and Grafana")
    .description("Runs the service against a simulated Okta and Grafana, until Ctrl-C.")
    .option("--once", "stop after the second cycle")
    .addHelpText("after", "\nExample:\n  gots demo --once")
    .action(async (options: DemoOptions) => end(await (await import("./demo.ts")).demo(options, io)));
  return program;
}

/** Runs the program with these arguments and gives its exit status. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let status: number = STATUS.fine;
  try {
    await createProgram(io, (value) => status = value).parseAsync([...args], { from: "user" });
    // What was done is in the log, or nowhere.
    return status === STATUS.fine && io.terminal.lost() ? STATUS.failed : status;
  } catch (error) {
    io.terminal.progress("");
    if (error instanceof CommanderError) return error.exitCode === 0 ? STATUS.fine : STATUS.usage;
    if (error instanceof UsageError) {
      io.terminal.note(`error: ${error.message}\n`);
      return STATUS.usage;
    }
    if (error instanceof ConfigError) {
      io.terminal.note(`${error.message}\n`);
      return STATUS.config;
    }
    const isExpected = error instanceof ListenError || error instanceof OutputError;
    const shown = isExpected || !(error instanceof Error) ? error : error.stack;
    io.terminal.note(`gots: ${isExpected ? error.message : shown}\n`);
    return STATUS.failed;
  }
}
