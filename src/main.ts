/** The program: argv in, exit status out. */
import { main } from "./cli/program.ts";
import { createTerminal, wantsNoColor } from "./cli/terminal.ts";
import { ignoreDebugSignal } from "./service/shutdown.ts";

ignoreDebugSignal();
const environment = Deno.env.toObject();
const terminal = createTerminal({
  stdout: Deno.stdout,
  stderr: Deno.stderr,
  noColor: wantsNoColor(environment),
});
Deno.exit(await main(Deno.args, { terminal, environment }));
