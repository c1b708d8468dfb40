/** What `deploy/prometheus` says, read for tests. */
import { parse } from "@std/yaml";

/** The folder, with a slash at its end. */
export const FOLDER = new URL("../../deploy/prometheus/", import.meta.url).pathname;

/** The files for `promtool test rules`. */
export const TEST_FILES = ["alerts_test.yaml", "alerts_days_test.yaml"] as const;

/** Labels of an alert or a series. */
export type Labels = Readonly<Record<string, string>>;

/** An alert, or a recording rule: it has `alert` or `record`. */
export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

/** One expectation of a file for `promtool test rules`. */
export interface Case {
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Labels }[];
}

async function read<T>(name: string): Promise<T> {
  return parse(await Deno.readTextFile(FOLDER + name)) as T;
}

/** Every rule. */
export async function readRules(): Promise<Rule[]> {
  const { groups } = await read<{ groups: { rules: Rule[] }[] }>("prometheus-alerts.yaml");
  return groups.flatMap(({ rules }) => rules);
}

/** Every expectation. */
export async function readCases(): Promise<Case[]> {
  const files = await Promise.all(
    TEST_FILES.map((name) => read<{ tests: { alert_rule_test: Case[] }[] }>(name)),
  );
  return files.flatMap(({ tests }) => tests).flatMap((test) => test.alert_rule_test);
}
