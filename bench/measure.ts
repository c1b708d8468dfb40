/** What every measured program needs: its phases, the world's control, and what the system says of it. */
import { parseArgs } from "node:util";

/** One thing that a program does: a first cycle, one after a change, one without. */
export type Phase = "first" | "idle" | "one change" | "5 % churn";

/** Where the simulated services are, and what is to be done with them. */
export interface Task {
  readonly okta: string;
  readonly grafana: string;
  readonly oktaToken: string;
  readonly grafanaToken: string;
  /** Where the world is told what to change, and asked what it received. */
  readonly control: string;
  /** Each group `group-N` feeds the team of the same name. */
  readonly mappings: number;
  readonly phases: readonly Phase[];
}

/** What a phase took. */
export interface Measured {
  readonly phase: Phase;
  readonly oktaRequests: number;
  readonly grafanaRequests: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** The longest time for which nothing else could run, such as an answer to `/health`. */
  readonly holdMilliseconds: number;
}

/** What a program took in all. */
export interface Result {
  readonly phases: readonly Measured[];
  readonly peakMegabytes: number;
}

/** The task that the program was started with. */
export function readTask(): Task {
  const { values } = parseArgs({ options: { task: { type: "string", default: "{}" } }, strict: false });
  return JSON.parse(String(values.task));
}

/** CPU time of this process so far, user and system, in seconds. Linux counts it in hundredths. */
function cpuSeconds(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A line of `/proc/self/status`, such as `VmHWM`, in megabytes. */
export function memoryMegabytes(line: "VmHWM" | "VmRSS"): number {
  const text = Deno.readTextFileSync("/proc/self/status");
  return Number(text.match(new RegExp(`^${line}:\\s*(\\d+) kB`, "m"))?.[1] ?? 0) / 1_024;
}

/** Prints a result for whoever started the program. */
export function report(result: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}

/** Lets the world change as a phase wants it. */
async function prepare(control: string, phase: Phase): Promise<void> {
  await (await fetch(`${control}/change/${encodeURIComponent(phase)}`)).text();
}

/** What the world received since it was last asked. */
async function takeCounts(control: string): Promise<{ okta: number; grafana: number }> {
  return await (await fetch(`${control}/take`)).json();
}

/** Watches how long the event loop is held. */
function watchHold(): () => number {
  const EVERY_MS = 2;
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - EVERY_MS);
    last = now;
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    return Math.max(longest, performance.now() - last);
  };
}

/** Runs `cycle` once a phase and prints what that took. */
export async function measure(
  { control, phases }: Task,
  cycle: (phase: Phase) => Promise<void>,
): Promise<void> {
  const measured: Measured[] = [];
  for (const phase of phases) {
    await prepare(control, phase);
    await takeCounts(control);
    const [cpu, started] = [cpuSeconds(), performance.now()];
    const endHold = watchHold();
    await cycle(phase);
    const holdMilliseconds = endHold();
    const wallSeconds = (performance.now() - started) / 1_000;
    const cpuUsed = cpuSeconds() - cpu;
    const { okta: oktaRequests, grafana: grafanaRequests } = await takeCounts(control);
    measured.push({
      phase,
      oktaRequests,
      grafanaRequests,
      wallSeconds,
      cpuSeconds: cpuUsed,
      holdMilliseconds,
    });
  }
  report({ phases: measured, peakMegabytes: memoryMegabytes("VmHWM") } satisfies Result);
}
