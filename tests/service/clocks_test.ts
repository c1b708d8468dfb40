import { assertEquals } from "@std/assert";
import { tellNotices } from "../../src/service/notices.ts";
import { captureLog } from "../support.ts";
import { cycleReport, exchange, toldService } from "./fixtures.ts";

/** A service that is told of answers, and what it says. */
function clocks() {
  const captured = captureLog();
  const { tell, follow, health } = toldService([]);
  follow(tellNotices(captured.log));
  tell({ kind: "cycle ended", report: cycleReport() });
  return {
    messages: captured.messages,
    /** What is said once an answer of a service differs from our clock by so many seconds. */
    after(service: "okta" | "grafana", clockOffsetSeconds: number | undefined): string {
      tell(exchange(service, clockOffsetSeconds));
      return health().message;
    },
  };
}

const FINE = "all teams are in sync";
const BEHIND = "this machine is 240 s behind Okta: correct its clock, for example with NTP";

Deno.test("a clock that is off is said with what to do, and in the log once, until it is right", () => {
  const { after, messages } = clocks();
  assertEquals(after("okta", 59), FINE);
  assertEquals(after("okta", 240), BEHIND);
  assertEquals(after("okta", 240), BEHIND);
  assertEquals(after("okta", undefined), BEHIND, "no answer says nothing about it");
  assertEquals(after("okta", 1), FINE);
  assertEquals(
    after("okta", -90),
    "this machine is 90 s ahead of Okta: correct its clock, for example with NTP",
  );
  assertEquals(messages().map((line) => line.slice(0, 43)), [
    "WARNING this machine is 240 s behind Okta: ",
    "WARNING this machine is 90 s ahead of Okta:",
  ]);
});

Deno.test("a clock at the border fills no log", () => {
  const { after, messages } = clocks();
  for (let i = 0; i < 10; i++) after("okta", 59 + i % 3);
  assertEquals(messages().length, 1);
});

Deno.test("where both services differ, it is our clock; where Okta agrees, it is Grafana's", () => {
  const { after } = clocks();
  after("okta", 240);
  assertEquals(
    after("grafana", 241),
    "this machine is 241 s behind Grafana and 240 s behind Okta: correct its clock, for example with NTP",
  );
  assertEquals(
    after("okta", 0),
    "this machine's clock is 241 s behind Grafana's, but agrees with Okta's: set that of Grafana",
  );
});
