/** Who hears of which alert, by the example for Alertmanager and Alertmanager itself. */
import { assertEquals } from "@std/assert";
import { FOLDER, type Labels, readCases, readRules } from "./alerts.ts";
import { call, lacks } from "./tool.ts";

const CONFIG = `${FOLDER}alertmanager-config-example.yaml`;
const cases = await readCases();
const severities = new Map(
  (await readRules()).flatMap(({ alert, labels }) => alert ? [[alert, labels?.severity]] : []),
);
const alerts = [...severities.keys()];

Deno.test({
  name: "amtool accepts the configuration",
  ignore: lacks("amtool"),
  async fn() {
    const { code, output } = await call("amtool", ["check-config", CONFIG]);
    assertEquals(code, 0, output);
  },
});

for (
  const [severity, receiver] of [["critical", "on-call"], ["warning", "team-channel"], ["info", "team-mail"]]
) {
  Deno.test({
    name: `what is ${severity} goes to ${receiver}`,
    ignore: lacks("amtool"),
    async fn() {
      const { code, output } = await call("amtool", [
        "config",
        "routes",
        "test",
        `--config.file=${CONFIG}`,
        `--verify.receivers=${receiver}`,
        `severity=${severity}`,
      ]);
      assertEquals(code, 0, output);
    },
  });
}

/** What an alert carries when it fires, by the first of its cases. */
function labelsOf(alertname: string, others: Labels): Labels {
  const firing = cases.find((one) => one.alertname === alertname && one.exp_alerts.length > 0);
  const own = firing?.exp_alerts[0]?.exp_labels ?? {};
  return { ...own, alertname, ...(own.instance && { instance: "gots:8000" }), ...others };
}

/** An Alertmanager on a free port, with nothing of what it is told sent on within the first ten seconds. */
async function startAlertmanager() {
  const directory = await Deno.makeTempDir({ prefix: "gots-alertmanager-" });
  const child = new Deno.Command("prometheus-alertmanager", {
    args: [
      `--config.file=${CONFIG}`,
      `--storage.path=${directory}`,
      "--web.listen-address=127.0.0.1:0",
      "--cluster.listen-address=",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let log = "";
  let address: string | undefined;
  while (!address) {
    const { value, done } = await reader.read();
    if (done) throw new Error(log);
    log += value;
    address = /address=(127\.0\.0\.1:\d+)/.exec(log)?.[1];
  }
  return {
    url: `http://${address}/api/v2/alerts`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await reader.cancel();
      await child.status;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/**
 * Lets all of these fire, and gives those that are suppressed.
 *
 * @param count so many are waited for, five seconds at most.
 */
async function findSuppressed(firing: readonly Labels[], count: number): Promise<Labels[]> {
  await using alertmanager = await startAlertmanager();
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(firing.map((labels) => ({ labels })));
  const posted = await fetch(alertmanager.url, { method: "POST", headers, body });
  assertEquals(posted.status, 200, await posted.text());
  const latest = Date.now() + 5_000;
  for (;;) {
    const found: { labels: Labels }[] = await (await fetch(`${alertmanager.url}?active=false`)).json();
    if (found.length >= count || Date.now() > latest) return found.map(({ labels }) => labels);
  }
}

const BUDGET = ["GotsFreshnessBudgetBurnFast", "GotsFreshnessBudgetBurnSlow"];
/** What has happened stays worth a look, and what grows slowly belongs to no process. */
const NEVER_SILENCED = ["GotsDown", "GotsManyAdded", "GotsManyRemoved", "GotsPendingLong", "GotsSlowGrowth"];

/** What each alert silences. */
const SILENCED: Readonly<Record<string, readonly string[]>> = {
  GotsAllFailing: ["GotsDriftStays", "GotsSyncFailing", ...BUDGET],
  GotsCredentialRefused: ["GotsAllFailing", "GotsDriftStays", "GotsSyncFailing", ...BUDGET],
  GotsDown: alerts.filter((name) => !NEVER_SILENCED.includes(name)),
  GotsFreshnessBudgetBurnFast: ["GotsFreshnessBudgetBurnSlow"],
  GotsGrafanaUnreachable: ["GotsDriftStays", "GotsErrorRateHigh", "GotsSyncFailing"],
  GotsNoSync: [
    ...["GotsAllFailing", "GotsDriftStays", "GotsErrorRateHigh", "GotsSlow", "GotsSyncFailing"],
    ...BUDGET,
  ],
  GotsOktaUnreachable: ["GotsDriftStays", "GotsErrorRateHigh", "GotsSyncFailing"],
  GotsRemovalsOnHold: ["GotsDriftStays"],
  GotsSyncFailing: ["GotsDriftStays"],
};
const silences = Object.entries(SILENCED).flatMap(([cause, names]) =>
  names.map((name) => `${cause} silences ${name}`)
);

Deno.test({
  name: "an alert silences what follows from it, and nothing else",
  ignore: lacks("prometheus-alertmanager"),
  async fn() {
    // Each pair has a job of its own, so that no third alert has a hand in it.
    const pairs = alerts.flatMap((one, index) => alerts.slice(index + 1).map((other) => [one, other]));
    const firing = pairs.flatMap((pair) =>
      pair.map((name) => labelsOf(name, { job: pair.join(), cause: pair.find((one) => one !== name) ?? "" }))
    );
    const suppressed = await findSuppressed(firing, silences.length);
    const found = suppressed.map(({ alertname, cause }) => `${cause} silences ${alertname}`);
    assertEquals(found.sort(), silences.toSorted());
  },
});

Deno.test("no warning silences what is critical", () => {
  for (const [cause, names] of Object.entries(SILENCED)) {
    if (severities.get(cause) === "critical") continue;
    assertEquals(names.filter((name) => severities.get(name) === "critical"), [], cause);
  }
});

Deno.test({
  name: "an alert silences nothing of another gots, nor of another team",
  ignore: lacks("prometheus-alertmanager"),
  async fn() {
    const elsewhere = silences.flatMap((job) => {
      const [cause = "", , name = ""] = job.split(" ");
      const other = labelsOf(name, { job });
      return [
        labelsOf(cause, { job, instance: "gots-2:8000" }),
        "instance" in other ? other : { ...other, job: `other ${job}` },
      ];
    });
    const otherTeam = ["GotsRemovalsOnHold", "GotsSyncFailing"].flatMap((cause) => [
      labelsOf(cause, { job: cause, grafana_team: "Scientists" }),
      labelsOf("GotsDriftStays", { job: cause }),
    ]);
    const proof = [labelsOf("GotsDown", { job: "gots" }), labelsOf("GotsSlow", { job: "gots" })];
    const suppressed = await findSuppressed([...elsewhere, ...otherTeam, ...proof], 1);
    assertEquals(suppressed.map(({ job, alertname }) => `${job}: ${alertname}`), ["gots: GotsSlow"]);
  },
});
