/** `gots run`: the service. */
import { runService } from "../service/service.ts";
import { createStore } from "../service/store.ts";
import { createContext, type Io, load, STATUS, tellLost } from "./context.ts";

/** Runs the service until a signal comes. */
export async function run(file: string, io: Io): Promise<number> {
  const loaded = await load(file, io);
  const store = createStore({ now: Date.now, monotonic: () => performance.now() });
  const context = createContext(loaded, io, {
    onAudit: (line) => store.tell({ kind: "audit line", line }),
    onWritten: (isWritten, isAudit) => store.tell({ kind: "log line", isWritten, isAudit }),
  });
  try {
    await runService({ ...context, config: context.loaded.config, cron: Deno.cron, store });
    tellLost(io);
    return STATUS.fine;
  } finally {
    context.release();
  }
}
