/** The dashboard in `deploy/grafana`, and what Grafana makes of its queries before Prometheus gets them. */
import type { Prometheus, Series } from "./prometheus.ts";

/** A query of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly format?: string;
  readonly legendFormat?: string;
}

/** A panel; a row has no targets. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly interval?: string;
  readonly targets?: readonly Target[];
  readonly transformations?: readonly {
    readonly id: string;
    readonly options: { readonly renameByName?: Readonly<Record<string, string>> };
  }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly mappings?: readonly {
        readonly options: Readonly<Record<string, { readonly text: string }>>;
      }[];
    };
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly options?: { readonly sortBy?: readonly { readonly displayName: string }[] };
}

/** A variable of the dashboard. */
export interface Variable {
  readonly type: string;
  readonly name: string;
  readonly query: string;
  readonly allValue?: string;
}

/** The dashboard. */
export interface Dashboard {
  readonly uid: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh: string;
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
}

/** The dashboard as it is in the repository. */
export const dashboard: Dashboard = JSON.parse(
  await Deno.readTextFile(new URL("../../deploy/grafana/dashboard.json", import.meta.url)),
);

/** Panels that show something; the others are rows. */
export const panels = dashboard.panels.filter(({ type }) => type !== "row");

/** The panel of this title. */
export function panelCalled(title: string): Panel {
  const panel = panels.find((one) => one.title === title);
  if (!panel) throw new TypeError(`the dashboard has no panel "${title}"`);
  return panel;
}

/** How a series is called where the legend is `format`. */
export function legendOf(format: string, { metric }: Series): string {
  return format.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? `no label ${label}`);
}

/** The time that is shown, and how often Prometheus took samples. */
export interface Shown {
  /** Epoch seconds. */
  readonly end: number;
  readonly rangeSeconds: number;
  readonly scrapeSeconds: number;
  /** The choices of variables that are not left at All. */
  readonly chosen?: Readonly<Record<string, string>>;
}

/** How many points a graph has at most. */
const MOST_POINTS = 1_000;

/** Grafana's escaping of values in regular expressions, inside the quotes of PromQL. */
function escaped(value: string): string {
  return value.replace(/[$^*{}[\]'+?.()|\\]/g, "\\\\$&");
}

/** Puts values in the places of variables, as Grafana does with those that have several. */
function fill(query: string, variables: ReadonlyMap<string, string>): string {
  return query.replace(/\$(\w+)/g, (_, name) => {
    const value = variables.get(name);
    if (value === undefined) throw new Error(`no variable ${name} for ${query}`);
    return value;
  });
}

/** Grafana in front of a Prometheus. */
export interface Viewer {
  /** What each query of a panel gives. */
  show(panel: Panel): Promise<Series[][]>;
  /** What a query by itself gives at the end of the time shown. */
  evaluate(query: string): Promise<Series[]>;
  /** The values of a variable. */
  valuesOf(variable: string): readonly string[];
}

/** Opens the dashboard: asks for the values of its variables, one after the other. */
export async function openDashboard(prometheus: Prometheus, shown: Shown): Promise<Viewer> {
  const { end, rangeSeconds, scrapeSeconds, chosen = {} } = shown;
  const values = new Map<string, readonly string[]>();
  const variables = new Map([["__range", `${rangeSeconds}s`], ["__range_s", String(rangeSeconds)]]);
  for (const { type, name, query, allValue } of dashboard.templating.list) {
    if (type !== "query") continue;
    const [, selector = "", label = ""] = query.match(/^label_values\((.+), (\w+)\)$/) ?? [];
    const all = await prometheus.labelValues(fill(selector, variables), label);
    values.set(name, all);
    const one = chosen[name];
    variables.set(name, one ? escaped(one) : allValue ?? `(${all.map(escaped).join("|")})`);
  }
  return {
    show({ interval, targets = [] }) {
      const least = Math.max(scrapeSeconds, rangeSeconds / MOST_POINTS);
      const step = Math.ceil(Math.max(least, parseInt(interval ?? "0") * 60));
      const rate = Math.max(step + scrapeSeconds, 4 * scrapeSeconds);
      const steps = new Map([["__interval", `${step}s`], ["__rate_interval", `${rate}s`]]);
      const known = new Map([...variables, ...steps]);
      return Promise.all(targets.map(({ expr, instant }) => {
        const query = fill(expr, known);
        return instant
          ? prometheus.instant(query, end)
          : prometheus.range(query, end - rangeSeconds, end, step);
      }));
    },
    evaluate: (query) => prometheus.instant(fill(query, variables), end),
    valuesOf: (variable) => values.get(variable) ?? [],
  };
}
