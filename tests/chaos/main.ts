/**
 * Runs many random worlds: `deno task test:chaos [--worlds N] [--seed N]`. It ends with 1 if any world broke a
 * promise, and prints its seed; `--worlds 1 --seed N` replays it with its log.
 */
import { parseArgs } from "node:util";
import { runWorld } from "./run.ts";

const { values } = parseArgs({
  options: { worlds: { type: "string", default: "500" }, seed: { type: "string" } },
});
const worlds = Number(values.worlds);
const first = values.seed === undefined
  ? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
  : Number(values.seed);
const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const happened = new Map<string, number>();
let [failed, requests, incrementalCycles, bulkWrites] = [0, 0, 0, 0];
print(`${worlds} worlds from seed ${first}`);
for (let i = 0; i < worlds; i++) {
  const outcome = await runWorld((first + i) >>> 0);
  requests += outcome.requests;
  incrementalCycles += outcome.incrementalCycles;
  bulkWrites += outcome.bulkWrites;
  for (const [name, count] of outcome.happened) happened.set(name, (happened.get(name) ?? 0) + count);
  if (outcome.violations.length === 0) continue;
  failed++;
  print(`world ${i + 1}, seed ${outcome.seed}:\n  ${outcome.violations.slice(0, 5).join("\n  ")}`);
  if (worlds === 1) print(outcome.log.join("\n"));
}
const counts = [...happened].sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) =>
  `  ${count} × ${name}`
);
print(`happened:\n${counts.join("\n")}`);
print(
  `${worlds - failed} worlds held, ${failed} did not; ${requests} requests, ${bulkWrites} bulk writes, ` +
    `${incrementalCycles} incremental cycles`,
);
Deno.exit(failed === 0 ? 0 : 1);
