/** Makes metrics that all stand in one registry. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** A registry, and makers of what stands in it. */
export type Factory = ReturnType<typeof createFactory>;

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
    /** `collect` is called before the gauge is read. */
    gauge: <L extends string = never>(
      name: string,
      help: string,
      labelNames: readonly L[] = [],
      collect?: (gauge: Gauge<L>) => void,
    ) =>
      new Gauge<L>({
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
    histogram: <L extends string>(
      name: string,
      help: string,
      labelNames: readonly L[],
      buckets: readonly number[],
    ) => new Histogram<L>({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers }),
  };
}
