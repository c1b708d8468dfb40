/** A real Prometheus that has watched a gots: its database is made from samples of `/metrics`, so no time has to pass. */
import { assertEquals } from "@std/assert";
import { freePort } from "../support.ts";
import { call } from "./tool.ts";

/** A sample of `/metrics`. */
export interface Scrape {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
}

/** A series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** A Prometheus that runs. */
export interface Prometheus extends AsyncDisposable {
  /** Evaluates a query at `at`, in epoch seconds. Throws what Prometheus has to say against it. */
  instant(query: string, at: number): Promise<Series[]>;
  /** Evaluates a query at each step, in seconds, of a time. */
  range(query: string, start: number, end: number, step: number): Promise<Series[]>;
  /** The values that a label of the series has. */
  labelValues(selector: string, label: string): Promise<string[]>;
}

/** Writes scrapes as OpenMetrics, with the labels that Prometheus gives to what it scrapes. */
function toOpenMetrics(scrapes: readonly Scrape[], labels: string): string {
  const lines = scrapes.flatMap(({ at, text }) =>
    text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
      const space = line.lastIndexOf(" ");
      const [series, value] = [line.slice(0, space), line.slice(space + 1)];
      const labelled = series.endsWith("}") ? `${series.slice(0, -1)},${labels}}` : `${series}{${labels}}`;
      return `${labelled} ${value} ${at / 1_000}\n`;
    })
  );
  return `${lines.join("")}# EOF\n`;
}

async function ask(url: string, path: string, parameters: Record<string, string>) {
  const body = new URLSearchParams(parameters);
  const response = path.endsWith("/values")
    ? await fetch(`${url}${path}?${body}`)
    : await fetch(`${url}${path}`, { method: "POST", body });
  const { status, error, data } = await response.json();
  if (status !== "success") throw new Error(error);
  return data;
}

/** Starts a Prometheus with these scrapes as its history; each carries `labels`, such as `job="gots"`. */
export async function startPrometheus(scrapes: readonly Scrape[], labels: string): Promise<Prometheus> {
  const directory = await Deno.makeTempDir({ prefix: "gots-prometheus-" });
  await Deno.writeTextFile(`${directory}/history.txt`, toOpenMetrics(scrapes, labels));
  const create = ["tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"];
  const created = await call("promtool", create, { cwd: directory });
  assertEquals(created.code, 0, created.output);
  await Deno.writeTextFile(`${directory}/prometheus.yml`, "");
  const address = `127.0.0.1:${freePort()}`;
  const child = new Deno.Command("prometheus", {
    args: [
      "--storage.tsdb.path=data",
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=${address}`,
    ],
    cwd: directory,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ready = Promise.withResolvers<void>();
  const log = (async () => {
    let said = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("Server is ready")) ready.resolve();
    }
    ready.reject(new Error(`Prometheus ended:\n${said}`));
  })();
  await ready.promise;

  const url = `http://${address}`;
  return {
    async instant(query, at) {
      const { result } = await ask(url, "/api/v1/query", { query, time: String(at) });
      return result.map(({ metric, value }: { metric: Series["metric"]; value: [number, string] }) => ({
        metric,
        values: [Number(value[1])],
      }));
    },
    async range(query, start, end, step) {
      const parameters = { query, start: String(start), end: String(end), step: String(step) };
      const { result } = await ask(url, "/api/v1/query_range", parameters);
      return result.map(({ metric, values }: { metric: Series["metric"]; values: [number, string][] }) => ({
        metric,
        values: values.map(([, value]) => Number(value)),
      }));
    },
    labelValues: (selector, label) => ask(url, `/api/v1/label/${label}/values`, { "match[]": selector }),
    async [Symbol.asyncDispose]() {
      child.kill();
      await Promise.all([child.status, log]);
      await Deno.remove(directory, { recursive: true });
    },
  };
}
