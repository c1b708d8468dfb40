/** However the service is broken: the status page, `/health`, the log and the alert say the same. */
import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { readRules } from "./alerts.ts";
import { hearOf, type Said } from "./broken_service.ts";
import { assertEvaluated, type History, repeatHour } from "./history.ts";
import { lacks } from "./tool.ts";
import { ordinaryLife, WAYS } from "./ways.ts";

/** The alerts that fire, with these labels or any. */
const firing = (labels = "") => `group by (alertname) (ALERTS{alertstate="firing",${labels}})`;

/** A history of days is evaluated every half hour, others every minute. */
const stepOf = ({ length }: History) => length > 24 * 60 ? 30 : 1;

Deno.test("each alert has a way to let it fire", async () => {
  const alerts = (await readRules()).flatMap(({ alert }) => alert ?? []);
  assertEquals(new Set(WAYS.map(({ alert }) => alert)), new Set(alerts));
});

/** The page, `/api/status` and `/health` have one word and one message. */
function assertAgree({ page, board, health: { status, message } }: Said): void {
  if (!status) return assertEquals([page, board], ["", {}], "nothing answers");
  assertEquals([board.status, board.message], [status, message]);
  assertMatch(page, new RegExp(`^${status} · gots `));
  assertStringIncludes(page, ` ${status} ${message} `);
}

for (const { alert, how, labels = "", page, health, log, ...fault } of WAYS) {
  Deno.test({
    name: `${alert}, because ${how}: page, /health, log and alert say the same`,
    ignore: lacks("promtool"),
    async fn() {
      const said = await hearOf(fault);
      assertAgree(said);
      const { status, message } = said.health;
      assertMatch(status ? `${status}: ${message}` : "nothing answers", health);
      if (page) assertMatch(said.page, page);
      if (log) assertMatch(said.log, log);
      const { history, brokenAt } = said;
      const end = history.length - 1;
      await assertEvaluated(history, stepOf(history), [
        { query: firing(), at: brokenAt, series: [] },
        { query: firing(`alertname="${alert}",${labels}`), at: end, series: [`{alertname="${alert}"}`] },
        // Whoever is woken must not read that all is well. That people were removed as Okta says is no fault.
        ...(status === "healthy"
          ? [{ query: firing('severity="critical",alertname!="GotsManyRemoved"'), at: end, series: [] }]
          : []),
      ]);
    },
  });
}

Deno.test("nothing of all that is said of a service that is well", async () => {
  const said = await hearOf({ run: ({ minutes }) => minutes(60) });
  assertAgree(said);
  for (const { alert, page, log } of WAYS) {
    if (page) assertNotMatch(said.page, page, alert);
    if (log) assertNotMatch(said.log, log, alert);
  }
});

Deno.test({
  name: "whatever happens every day alerts nobody, neither in hours nor in days",
  ignore: lacks("promtool"),
  async fn() {
    const { health, history, brokenAt, ...said } = await hearOf({ run: ordinaryLife });
    assertAgree({ health, history, brokenAt, ...said });
    assertEquals([health.status, health.message], ["healthy", "all teams are in sync"]);
    for (const all of [history, repeatHour(history, history.length - 1, 9 * 24)]) {
      const ever = 'group by (alertname) (max_over_time(ALERTS{alertstate="firing"}[10d]))';
      await assertEvaluated(all, stepOf(all), [{ query: ever, at: all.length - 1, series: [] }]);
    }
  },
});
