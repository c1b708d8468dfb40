/** What Prometheus has of a target, minute by minute, and what it makes of it by the alert rules. */
import { assertEquals } from "@std/assert";
import { FOLDER, readRules } from "./alerts.ts";
import { call } from "./tool.ts";

/** A scrape: the values of the series. One that failed has `up` alone. */
export type Scrape = ReadonlyMap<string, number>;

/** Scrapes from minute 0 of the epoch on, one a minute. */
export type History = readonly Scrape[];

/** A query that must give these series, by their labels, each with the value 1. */
export interface Expectation {
  readonly query: string;
  /** In the minute of the history. */
  readonly at: number;
  readonly series: readonly string[];
}

/** Grows as long as the service runs: counters, and moments that lie in the past by about the same time. */
const GROWING = /_(?:total|sum|count)(?:\{|$)|timestamp/;

/**
 * Repeats the hour before a minute, so often: what is constant stays so, what grows goes on growing as in that hour.
 * Counts stay whole and times right where each cycle of that hour was like the others.
 */
export function repeatHour(history: History, end: number, times: number): History {
  const [first, last] = [history[end - 60], history[end]];
  const later = (scrape: Scrape, repetition: number): Scrape =>
    new Map(
      scrape.entries().map(([series, value]) => {
        const growth = GROWING.test(series) ? (last?.get(series) ?? 0) - (first?.get(series) ?? 0) : 0;
        return [series, value + repetition * growth];
      }),
    );
  const hour = history.slice(end - 60, end);
  return [
    ...history.slice(0, end),
    ...Array.from({ length: times }, (_, i) => hour.map((scrape) => later(scrape, i + 1))).flat(),
    ...history.slice(end).map((scrape) => later(scrape, times)),
  ];
}

/** The metrics that the rules name. */
const named = new Set(
  (await readRules()).flatMap(({ expr }) => expr.match(/\b(?:up|(?:gots|process)_\w+)\b/g) ?? []),
);

/** The series in the form of `promtool test rules`, one value in `step` minutes. What the rules do not name is left out. */
function toInput(history: History, step: number) {
  const scrapes = history.filter((_, i) => i % step === 0);
  const all = new Set(scrapes.flatMap((scrape) => [...scrape.keys()]));
  return [...all].flatMap((series) => {
    const [, name = "", labels] = series.match(/^(\w+)(?:\{(.*)\})?$/) ?? [];
    if (!named.has(name)) return [];
    const target = ['job="gots"', 'instance="gots:8000"', ...(labels ? [labels] : [])];
    const valueIn = (scrape: Scrape, i: number) =>
      scrape.get(series) ?? (scrapes[i - 1]?.has(series) ? "stale" : "_");
    return { series: `${name}{${target}}`, values: scrapes.map(valueIn).join(" ") };
  });
}

/**
 * Lets Prometheus's own program evaluate the rules, the recording ones among them, once in `step` minutes of the history.
 */
export async function assertEvaluated(
  history: History,
  step: number,
  expectations: readonly Expectation[],
): Promise<void> {
  const tests = [{
    interval: `${step}m`,
    input_series: toInput(history, step),
    promql_expr_test: expectations.map(({ query, at, series }) => ({
      expr: query,
      eval_time: `${at - at % step}m`,
      exp_samples: series.map((labels) => ({ labels, value: 1 })),
    })),
  }];
  const rule_files = [`${FOLDER}prometheus-alerts.yaml`];
  const file = await Deno.makeTempFile({ prefix: "gots-history-", suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ rule_files, evaluation_interval: `${step}m`, tests }));
    const { code, output } = await call("promtool", ["test", "rules", file]);
    assertEquals(code, 0, output);
  } finally {
    await Deno.remove(file);
  }
}
