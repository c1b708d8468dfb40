/** `gots run`: the service. */
import { runService } from "../service/service.ts";
import { createContext, type Io, load, STATUS } from "./context.ts";

/** Runs the service until a signal comes. */
export async function run(file: string, io: Io): Promise<number> {
  const context = createContext(await load(file, io), io);
  try {
    await runService({ ...context, config: context.loaded.config, cron: Deno.cron });
    return STATUS.fine;
  } finally {
    context.release();
  }
}
