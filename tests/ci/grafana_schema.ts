/** Holds a dashboard against the types that Grafana itself publishes for its dashboards and panels. */
import { call } from "./tool.ts";

/** A panel, as far as its types depend on it. */
interface TypedPanel {
  readonly type: string;
}

/** Panel types, and what their options and `custom` are called in `@grafana/schema`. */
const PANEL_TYPES: Readonly<Record<string, string>> = {
  bargauge: "PanelOf<'bargauge', bargauge.Options, object>",
  row: "Row",
  stat: "PanelOf<'stat', stat.Options, object>",
  "state-timeline": "PanelOf<'state-timeline', timeline.Options, timeline.FieldConfig>",
  table: "PanelOf<'table', table.Options, TableFieldOptions>",
  timeseries: "PanelOf<'timeseries', timeseries.Options, GraphFieldConfig>",
};

const moduleOf = (panel: string, name: string) =>
  `@grafana/schema/dist/esm/raw/composable/${panel}/panelcfg/x/${name}PanelCfg_types.gen`;

/** Fields may be left out, for Grafana fills in what it needs; whatever is there must be known and of its type. */
const TYPES = `
import type { AnnotationQuery, Dashboard, FieldConfig, GraphFieldConfig, Panel, RowPanel, TableFieldOptions, VariableModel }
  from "@grafana/schema";
import type * as bargauge from "${moduleOf("bargauge", "BarGauge")}";
import type * as stat from "${moduleOf("stat", "Stat")}";
import type * as table from "${moduleOf("table", "Table")}";
import type * as timeline from "${moduleOf("statetimeline", "StateTimeline")}";
import type * as timeseries from "${moduleOf("timeseries", "TimeSeries")}";

type Loose<T> = T extends string ? \`\${T}\`
  : T extends readonly (infer E)[] ? Loose<E>[]
  : T extends object ? { [K in keyof T]?: Loose<T[K]> }
  : T;
type Field = Omit<FieldConfig, "custom">;
type Property<C> =
  | { [K in keyof Field]: { id: K; value: Loose<NonNullable<Field[K]>> } }[keyof Field]
  | { [K in keyof C & string]: { id: \`custom.\${K}\`; value: Loose<NonNullable<C[K]>> } }[keyof C & string];
interface Query {
  refId: string;
  expr: string;
  instant?: true;
  range?: true;
  format?: "time_series" | "table";
  legendFormat?: string;
}
type PanelOf<T, O, C> =
  & Loose<Omit<Panel, "type" | "options" | "fieldConfig" | "targets">>
  & {
    type: T;
    targets: Query[];
    options: Loose<O>;
    fieldConfig: {
      defaults: Loose<Field> & { custom?: Loose<C> };
      overrides: { matcher: { id: "byName" | "byRegexp" | "byFrameRefID"; options: string }; properties: Property<C>[] }[];
    };
  };
type Row = Loose<RowPanel>;
// What a data source's own annotations hold stands in no schema.
type Annotation = Loose<AnnotationQuery> & {
  expr: string;
  useValueForTime: boolean;
  titleFormat: string;
  textFormat: string;
};
type Rest = Loose<Omit<Dashboard, "annotations" | "panels" | "templating">>;
// What Grafana 10.0 knows of variables with several values stands in its code, not yet in its schema.
type Variable = Loose<VariableModel> & { multi?: boolean; includeAll?: boolean; allValue?: string };
`;

/** Says in which fields `dashboard` is not what this version of Grafana expects; nothing if it fits. */
export async function misfits(
  { panels, annotations, templating, ...rest }: {
    readonly panels: readonly TypedPanel[];
    readonly annotations: { readonly list: readonly object[] };
    readonly templating: { readonly list: readonly object[] };
  },
  version: string,
): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "gots-grafana-schema-" });
  try {
    const install = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
    const installed = await call("npm", [...install, "--prefix", directory, `@grafana/schema@${version}`]);
    if (installed.code !== 0) return installed.output;
    const checked = [
      TYPES,
      `export const rest: Rest = ${JSON.stringify(rest)};`,
      `export const annotations: Annotation[] = ${JSON.stringify(annotations.list)};`,
      ...templating.list.map((one, i) => `export const variable${i}: Variable = ${JSON.stringify(one)};`),
      ...panels.map((one, i) =>
        `export const panel${i}: ${PANEL_TYPES[one.type] ?? "never"} = ${JSON.stringify(one, null, 1)};`
      ),
    ];
    await Deno.writeTextFile(`${directory}/deno.json`, '{ "nodeModulesDir": "manual" }');
    await Deno.writeTextFile(`${directory}/dashboard.ts`, checked.join("\n"));
    const { code, output } = await call(Deno.execPath(), ["check", "--quiet", "dashboard.ts"], {
      cwd: directory,
    });
    return code === 0 ? "" : output;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
