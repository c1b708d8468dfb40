/** The dashboard shows what a real Prometheus knows of the real service, in the words that it promises. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { version } from "../../src/version.ts";
import {
  dashboard,
  legendOf,
  openDashboard,
  type Panel,
  panelCalled,
  panels,
  type Shown,
} from "./dashboard.ts";
import { mapping, toldService } from "../service/fixtures.ts";
import { misfits } from "./grafana_schema.ts";
import type { Series } from "./prometheus.ts";
import { lacks } from "./tool.ts";
import { MAPPINGS, recordService, SCRAPE_SECONDS } from "./recorded_service.ts";

const { registry } = toldService([mapping("A", "T")]).metrics;

/** What has no answer: the recorded service could write each line of its log. */
const NOTHING_LOST = "gots_audit_lines_lost_total";

/** The names of metrics in a query, without what a histogram puts behind its own. */
function metricsIn(query: string): string[] {
  return [...query.matchAll(/\b(?:gots|process)_\w+/g)].map(([name]) => {
    const family = name.replace(/_(bucket|sum|count)$/, "");
    return registry.getSingleMetric(family) ? family : name;
  });
}

const queries = [
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...dashboard.templating.list.map(({ query }) => query),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];

/** Units that are used, by the ids that Grafana gives them. */
const UNITS = ["bytes", "dateTimeFromNow", "none", "percentunit", "s", "short"];

/** The versions of Grafana between which the dashboard is at home. */
for (const grafana of ["10.0.3", "13.2.3"]) {
  Deno.test(`every field of the dashboard is one that Grafana ${grafana} knows`, async () => {
    assertEquals(await misfits(dashboard, grafana), "");
  });
}

Deno.test("the dashboard opens on the last day, again every minute, and under an address that stays", () => {
  const { uid, time, refresh } = dashboard;
  assertEquals({ uid, time, refresh }, {
    uid: "gots",
    time: { from: "now-24h", to: "now" },
    refresh: "1m",
  });
});

Deno.test("panels have ids and titles of their own", () => {
  assertEquals(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  assertEquals(new Set(dashboard.panels.map(({ title }) => title)).size, dashboard.panels.length);
});

Deno.test("no two panels lie on one place, and there is no place without one", () => {
  const taken = dashboard.panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => ({ title, place: `${x + i % w}|${y + Math.floor(i / w)}` }))
  );
  const places = new Set(taken.map(({ place }) => place));
  const height = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
  assertEquals(taken.length, places.size);
  assertEquals(places.size, 24 * height);
});

for (const { title, type, description = "", targets = [], fieldConfig } of panels) {
  Deno.test(`the panel "${title}" says what it means and what to do, and has a unit`, () => {
    assert(description.length > 80, `its description is short: ${description}`);
    assert(UNITS.includes(fieldConfig?.defaults.unit ?? ""), fieldConfig?.defaults.unit);
    for (const { properties } of fieldConfig?.overrides ?? []) {
      for (const { id, value } of properties) if (id === "unit") assert(UNITS.includes(String(value)));
    }
    assertEquals(new Set(targets.map(({ refId }) => refId)).size, targets.length);
    for (const { instant = false, range = false, format } of targets) {
      assert(instant !== range, "a query is either for a moment or for a range");
      assertEquals(format === "table", type === "table");
    }
  });
}

Deno.test("what panels call each other by is the title of one", () => {
  const titles = panels.map(({ title }) => title);
  const columns = panels.flatMap(({ transformations = [] }) =>
    transformations.flatMap(({ options }) => Object.values(options.renameByName ?? {}))
  );
  const legends = panels.flatMap(({ targets = [] }) => targets.map(({ legendFormat }) => legendFormat));
  for (const { title, description = "" } of panels) {
    for (const [, name = ""] of description.matchAll(/(?<!\*)\*([^*]+)\*(?!\*)/g)) {
      const known = [...titles, ...columns, ...legends, "success", "failure"];
      assert(known.includes(name), `"${title}" speaks of ${name}`);
    }
  }
});

Deno.test("every metric in the dashboard is one of gots, and every metric of gots is in the dashboard", () => {
  const shown = new Set(queries.flatMap(metricsIn));
  const there = registry.getMetricsAsArray().map(({ name }) => name);
  assertEquals([...shown].sort(), there.sort());
});

/** Names that the overrides of a panel may match: legends, columns, or queries. */
function namesIn(panel: Panel, results: readonly (readonly Series[])[]): Record<string, string[]> {
  const { targets = [], transformations = [] } = panel;
  const legends = targets.flatMap(({ legendFormat = "" }, i) =>
    (results[i] ?? []).map((series) => legendOf(legendFormat, series))
  );
  const columns = transformations.flatMap(({ options }) => Object.values(options.renameByName ?? {}));
  return {
    byName: [...legends, ...columns],
    byRegexp: legends,
    byFrameRefID: targets.map(({ refId }) => refId),
  };
}

function assertOverridesMatch(panel: Panel, results: readonly (readonly Series[])[]): void {
  const names = namesIn(panel, results);
  for (const { matcher: { id, options } } of panel.fieldConfig?.overrides ?? []) {
    const pattern = id === "byRegexp" ? new RegExp(options.slice(1, -1)) : undefined;
    const isMatch = (name: string) => pattern ? pattern.test(name) : name === options;
    assert(names[id]?.some(isMatch), `${options} matches none of ${names[id]}`);
  }
}

/** A table's columns are the labels and values of its queries, and what it is sorted by is one of them. */
function assertColumns({ targets = [], transformations = [], options }: Panel, results: Series[][]): void {
  const labels = results.flatMap((all) => all.flatMap(({ metric }) => Object.keys(metric)));
  const given = [...new Set(labels), ...targets.map(({ refId }) => `Value #${refId}`)];
  const renamed = transformations.at(-1)?.options.renameByName ?? {};
  assertEquals(Object.keys(renamed).sort(), given.sort());
  for (const { displayName } of options?.sortBy ?? []) assert(Object.values(renamed).includes(displayName));
}

/** The text that a panel shows in place of a value. */
function textOf({ fieldConfig }: Panel, value: number): string | undefined {
  return fieldConfig?.defaults.mappings?.map(({ options }) => options[value]?.text).find(Boolean);
}

Deno.test({
  name: "the dashboard in front of a Prometheus",
  ignore: lacks("prometheus") || lacks("promtool"),
  async fn(t) {
    const { prometheus, early, refused, hangs, end } = await recordService();
    await using _ = prometheus;
    const view = (shown: Partial<Shown> = {}) =>
      openDashboard(prometheus, { end, rangeSeconds: 86_400, scrapeSeconds: SCRAPE_SECONDS, ...shown });
    const all = await view();

    await t.step("every variable has its values", () => {
      assertEquals(all.valuesOf("instance"), ["gots-0:8000"]);
      assertEquals(all.valuesOf("okta_group"), MAPPINGS.map(({ okta_group }) => okta_group).sort());
      assertEquals(all.valuesOf("grafana_team"), ["Data Scientists", "Engineers", "Finance", "Sales"]);
    });

    await t.step("the annotation is at the start of the process", async () => {
      const [query = ""] = dashboard.annotations.list.map(({ expr }) => expr);
      const [series] = await all.evaluate(query);
      assertEquals(series?.values, [Date.UTC(2026, 0, 1)]);
    });

    for (const panel of panels) {
      await t.step(`every query of "${panel.title}" has an answer`, async () => {
        const { targets = [], type } = panel;
        const results = await all.show(panel);
        for (const [i, series] of results.entries()) {
          const { expr = "", legendFormat = "" } = targets[i] ?? {};
          assertEquals(series.length === 0, expr.includes(NOTHING_LOST), `nothing for ${expr}`);
          assert(series.every(({ values }) => values.every((value) => !isNaN(value))), `NaN in ${expr}`);
          for (const one of series) assert(!legendOf(legendFormat, one).includes("no label"), expr);
        }
        if (type === "table") assertColumns(panel, results);
        assertOverridesMatch(panel, results);
      });
    }

    /** What a panel shows for a moment, as Grafana would write it: legends, and values or the texts for them. */
    const shows = async (title: string, shown: Partial<Shown> = {}) => {
      const panel = panelCalled(title);
      const results = await (await view(shown)).show(panel);
      return Object.fromEntries(results.flatMap((series, i) =>
        series.map((one) => {
          const legend = legendOf(panel.targets?.[i]?.legendFormat ?? "value", one);
          const last = one.values.at(-1) ?? NaN;
          return [legend, textOf(panel, last) ?? last];
        })
      ));
    };
    const later = end + 600;

    await t.step("the state is the worst of what there is", async () => {
      const states = [early, hangs, end, later].map((end) => shows("State", { end }));
      const seen = (await Promise.all(states)).map(({ value }) => value);
      assertEquals(seen, ["Healthy", "Degraded", "Unhealthy", "Down"]);
    });

    await t.step(
      "mappings that are out of sync are counted, and have a row that says what is wrong",
      async () => {
        assertEquals(await shows("In sync or not", { end: early }), { "in sync": 5, "out of sync": 0 });
        assertEquals(await shows("In sync or not", { end: hangs }), { "in sync": 3, "out of sync": 2 });
        const [notRightFor = []] = await all.show(panelCalled("Mappings"));
        const late = notRightFor.filter(({ values: [seconds = 0] }) => seconds > 0);
        assertEquals(late.map(({ metric }) => metric.okta_group).sort(), ["Finance", "Sales (EU)"]);
      },
    );

    await t.step(
      "each change is counted once, also around a gap, before the first scrape, and of a process that ended",
      async () => {
        for (const end of [early, hangs, later]) {
          assertEquals(await shows("Changes", { end }), { added: 12, removed: 1 });
        }
        const [added, removed] = await all.show(panelCalled("Added and removed"));
        const sumOf = (series?: Series[]) => series?.[0]?.values.reduce((sum, value) => sum + value, 0);
        assertEquals([sumOf(added), sumOf(removed)], [12, 1]);
      },
    );

    await t.step(
      "the next cycle is due within the interval, and overdue when the service hangs",
      async () => {
        assertEquals(await shows("Next cycle", { end: hangs }), { value: 240 });
        assertEquals(await shows("Next cycle"), { value: -900 });
      },
    );

    await t.step("the time that spends the error budget has names", async () => {
      const spent = await shows("Time out of bounds by mapping", { end: hangs });
      assertEquals(Object.keys(spent).sort(), ["Finance → Finance", "Sales (EU) → Sales"]);
      assertEquals(await shows("Time out of bounds by mapping", { end: early }), {});
    });

    await t.step("the objective is kept, missed, and missed further while the service is down", async () => {
      const shares = await Promise.all([early, hangs, end, later].map(async (end) => {
        const { value: share } = await shows("In time, last 30 days", { end });
        const { value: left } = await shows("Error budget left", { end });
        assertAlmostEquals(Number(left), 1 - (1 - Number(share)) / 0.01);
        return Number(share);
      }));
      assertEquals(shares[0], 1);
      assertEquals(shares.toSorted((a, b) => b - a), shares);
      assertEquals(new Set(shares).size, 4);
    });

    await t.step("a choice of a mapping leaves that mapping alone", async () => {
      const chosen = { okta_group: "Sales (EU)" };
      const viewer = await view({ end: hangs, chosen });
      assertEquals(viewer.valuesOf("grafana_team"), ["Sales"]);
      assertEquals(await shows("In sync or not", { end: hangs, chosen }), { "in sync": 0, "out of sync": 1 });
      assertEquals(await shows("Not carried out, by team", { end: hangs, chosen }), {
        "Sales: remove": 7,
        "Sales: on hold, removal-limit": 7,
      });
    });

    await t.step("the version, the mode and a credential that was refused are there by name", async () => {
      assertEquals(await shows("Version"), { [version]: 1 });
      assertEquals(await shows("Mode"), { value: "writes" });
      assertEquals(await shows("Credentials", { end: refused }), { grafana: "refused", okta: "accepted" });
      assertEquals(await shows("Credentials"), { grafana: "accepted", okta: "accepted" });
    });
  },
});
