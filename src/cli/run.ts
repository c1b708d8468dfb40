/** `gots run`: the service. */
import { runService } from "../service/service.ts";
import { createRecent } from "../service/recent.ts";
import { createContext, type Io, load, STATUS, tellLost } from "./context.ts";

/** Runs the service until a signal comes. */
export async function run(file: string, io: Io): Promise<number> {
  const recent = createRecent();
  const context = createContext(await load(file, io), io, {
    onAudit: recent.add,
    onWritten: recent.written,
  });
  try {
    await runService({ ...context, config: context.loaded.config, cron: Deno.cron, recent });
    tellLost(io);
    return STATUS.fine;
  } finally {
    context.release();
  }
}
