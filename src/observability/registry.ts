/** Creates metrics in one registry. */
import { Counter, Gauge, Histogram, type LabelValues, Registry } from "prom-client";

/** A registry, with functions that add metrics to it. */
export type Factory = ReturnType<typeof createFactory>;

/** A value of a gauge, behind its labels. */
export type Sample<L extends string> = readonly [labels: LabelValues<L>, value: number];

/** Makes an empty registry. */
export function createFactory() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    /** `collect` is called before the counter is read. */
    counter: <L extends string = never>(
      name: string,
      help: string,
      labelNames: readonly L[] = [],
      collect?: (counter: Counter<L>) => void,
    ) =>
      new Counter<L>({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        ...(collect && {
          collect() {
            collect(this);
          },
        }),
      }),
    /** `read` is asked for all its samples whenever the gauge is read: those that it leaves out have ended. */
    gauge: <L extends string = never>(
      name: string,
      help: string,
      labelNames: readonly L[],
      read: () => Iterable<Sample<L>>,
    ) =>
      new Gauge<L>({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.set(labels, value);
        },
      }),
    histogram: <L extends string>(
      name: string,
      help: string,
      labelNames: readonly L[],
      buckets: readonly number[],
    ) => new Histogram<L>({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers }),
  };
}
