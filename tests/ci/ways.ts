/** The ways in which the service can be broken, one at least for each alert, and what is said of it then. */
import { freePort } from "../support.ts";
import { refuse } from "../sync/cycle_world.ts";
import type { Fault, Service } from "./broken_service.ts";

/** A way to break it. Who looks at it must see the same everywhere. */
export interface Way extends Fault {
  readonly alert: string;
  /** In some words. */
  readonly how: string;
  /** Labels of the alert, as in a selector. @default {any} */
  readonly labels?: string;
  /** In the text of the status page; without it, only the metrics show it. */
  readonly page?: RegExp;
  /** In the word and the message of `/health`: `degraded: the last cycle was aborted`. */
  readonly health: RegExp;
  /** In lines of the log; without it, the log does not say it. */
  readonly log?: RegExp;
}

/** It does its work. */
const WELL = /^healthy: all teams are in sync$/;

/** Nobody listens there. */
const CLOSED = `http://127.0.0.1:${freePort()}`;

const badGateway = () => new Response("<html></html>", { status: 502 });

/** Everybody of this group leaves it but the first `left`. */
function leave({ world }: Service, group: string, left: number): void {
  const { members } = world.okta.group(group);
  for (const user of [...members].slice(left)) members.delete(user);
}

/** Each cycle takes so much longer, as if the list of teams had many pages. */
function slowDown({ world: { grafana }, pass }: Service, seconds: number): void {
  grafana.intercept = async (request, proceed) => {
    if (new URL(request.url).pathname === "/api/teams/search") await pass(seconds);
    return await proceed();
  };
}

/** Each answer of Okta takes a minute, and has one item; time passes so long. */
async function crawl({ world: { okta }, hang }: Service, minutes: number): Promise<void> {
  okta.pageSize = 1;
  let next = Promise.withResolvers<void>();
  okta.intercept = (_, proceed) => next.promise.then(proceed);
  for (let i = 0; i < minutes; i++) {
    await hang(1);
    next.resolve();
    next = Promise.withResolvers();
  }
}

/** Every answer of Okta has these headers of the rate limit. */
function limitTo({ world: { okta } }: Service, limit: number, remaining: number): void {
  okta.intercept = async (_, proceed) => {
    const answer = await proceed();
    answer.headers.set("x-rate-limit-limit", String(limit));
    answer.headers.set("x-rate-limit-remaining", String(remaining));
    return answer;
  };
}

/** Okta is down for these minutes, and then it is not. */
async function outage({ world: { okta }, minutes }: Service, count: number): Promise<void> {
  okta.intercept = badGateway;
  await minutes(count);
  okta.intercept = undefined;
}

/** The ways, in the order of the rules. */
export const WAYS: readonly Way[] = [
  {
    alert: "GotsDown",
    how: "it was stopped",
    async run({ stop, minutes }) {
      await stop();
      await minutes(7);
    },
    page: /^$/,
    health: /^nothing answers$/,
    log: /^INFO Shutdown complete\. Goodbye!$/m,
  },
  {
    alert: "GotsNoSync",
    how: "a request never ends",
    async run({ world, hang }) {
      world.okta.intercept = () => new Promise(() => {});
      await hang(18);
    },
    page: /unhealthy no progress for 1\d minutes: restart gots and check its log .* Last cycle 2\d min ago/,
    health: /^unhealthy: no progress for 1\d minutes: restart gots and check its log$/,
    log: /^WARNING The cycle takes longer than the interval of 300 s; this one is skipped$/m,
  },
  {
    alert: "GotsNoSync",
    how: "Okta answers so slowly that a cycle has no end",
    async run(service) {
      leave(service, "Engineering", 29);
      await crawl(service, 22);
    },
    page: /degraded no cycle has ended for 2\d minutes: see the log/,
    health: /^degraded: no cycle has ended for 2\d minutes: see the log$/,
    log: /^WARNING The cycle takes longer than the interval of 300 s; this one is skipped$/m,
  },
  {
    alert: "GotsRestarting",
    how: "its process ends every ten minutes",
    restarts: 3,
    run: ({ minutes }) => minutes(5),
    page: /up for 15 min/,
    health: WELL,
    log: /(?:^INFO gots \S+: 2 mappings, every 300 s$[^]*){3}/m,
  },
  {
    alert: "GotsSlow",
    how: "cycles take four and a half minutes",
    labels: 'kind="incremental"',
    async run(service) {
      slowDown(service, 270);
      await service.minutes(90);
    },
    page: /Last cycle \S+ \S+ ago number \d+, \w+, took 4 min/,
    health: WELL,
    log: /^WARNING The cycle took 270 s, the interval is 300 s: raise sync\.interval_seconds$/m,
  },
  {
    // Scrapes say so in place of a process that holds so much. It is for whoever runs processes: the page is silent.
    alert: "GotsMemoryHigh",
    how: "it holds 400 MiB",
    async run(service) {
      service.memory = 400 * 1_024 * 1_024;
      await service.minutes(32);
    },
    health: WELL,
  },
  {
    alert: "GotsAllFailing",
    how: "Okta's administrator role is gone",
    async run({ world, minutes }) {
      world.okta.adminRole = false;
      await minutes(21);
    },
    page: /failing nothing is synced, 2 of 2 mappings failed in their last sync: E0000006 .* In sync 0 of 2/,
    health:
      /^failing: nothing is synced, 2 of 2 mappings failed in their last sync: E0000006 .*: give the token's administrator/,
    log: /^ERROR Sync failed for 2 mappings .*: E0000006 .*: give the token's administrator/m,
  },
  {
    alert: "GotsSyncFailing",
    how: "a group was deleted",
    labels: 'okta_group="Science",grafana_team="Scientists"',
    async run({ world, minutes }) {
      world.okta.groups.splice(1, 1);
      await minutes(27);
    },
    page: /Science → into team Scientists failed out of sync for \d+ min .* Group not found: Science: check/,
    health: /^degraded: 1 of 2 mappings failed in their last sync \(Science->Scientists\): see the log$/,
    log: /^ERROR Sync failed for Science -> Scientists: Group not found: Science: check/m,
  },
  {
    alert: "GotsRemovalsOnHold",
    how: "a group is empty",
    labels: 'grafana_team="Scientists",reason="empty-group"',
    async run(service) {
      leave(service, "Science", 0);
      await service.minutes(27);
    },
    page:
      /Science → into team Scientists on hold out of sync for \d+ min .* 6 changes on hold \(empty-group\)/,
    health: /^degraded: 1 of 2 mappings waiting for your decision \(Science->Scientists\): see the log$/,
    log:
      /^ERROR Team Scientists: 6 removals on hold \(empty-group\): .*; if that is intended, set allow_empty/m,
  },
  {
    alert: "GotsDriftStays",
    how: "Grafana refuses to remove somebody",
    labels: 'grafana_team="Scientists",change="remove"',
    async run(service) {
      leave(service, "Science", 5);
      service.world.grafana.intercept = refuse("DELETE", /members/, 500, { message: "database is locked" });
      await service.minutes(70);
    },
    page:
      /Scientists failed out of sync for 1 h \d+ min .* could not remove p36@example\.com: database is locked/,
    health: /^degraded: 1 of 2 mappings failed in their last sync \(Science->Scientists\)/,
    log: /^ERROR Team Scientists: could not remove p36@example\.com: database is locked/m,
  },
  {
    alert: "GotsFreshnessBudgetBurnFast",
    how: "a group cannot be read for half an hour",
    async run({ world, minutes }) {
      world.okta.intercept = refuse(
        "GET",
        new RegExp(`/groups/${world.okta.group("Science").id}/users`),
        403,
      );
      world.okta.group("Science").members.add(world.okta.users[40] ?? world.addPerson("p67@example.com"));
      await minutes(32);
    },
    page: /Scientists failed out of sync for 3\d min/,
    health: /^degraded: 1 of 2 mappings failed in their last sync \(Science->Scientists\)/,
    log: /^ERROR Sync failed for Science -> Scientists: .*returned 403/m,
  },
  {
    // Three days, of which all but the last hours are the hour before, again and again.
    alert: "GotsFreshnessBudgetBurnSlow",
    how: "Okta is down for some time, and then again",
    hoursBefore: 72,
    async run(service) {
      await outage(service, 75);
      await service.minutes(80);
      service.world.okta.intercept = badGateway;
      await service.minutes(20);
    },
    page: /failing nothing is synced, 2 of 2 mappings failed .* out of sync for 2\d min/,
    health: /^failing: nothing is synced, 2 of 2 mappings failed in their last sync: .*returned 502/,
    log: /^ERROR Sync failed for 2 mappings .*: .*returned 502/m,
  },
  {
    alert: "GotsManyRemoved",
    how: "two fifths of a group are gone",
    labels: 'grafana_team="Engineers"',
    async run(service) {
      leave(service, "Engineering", 18);
      await service.minutes(10);
    },
    page: /Last hour \+0 −12 .* p30@example\.com removed from Engineers not in Okta group 'Engineering'/,
    health: WELL,
    log: /(?:^INFO Removed user \S+ from team Engineers\n){12}/m,
  },
  {
    alert: "GotsManyAdded",
    how: "a group is twice as large",
    labels: 'grafana_team="Engineers"',
    async run({ world: { okta }, minutes }) {
      for (const user of okta.users.slice(36)) okta.group("Engineering").members.add(user);
      await minutes(10);
    },
    page: /Last hour \+30 −0 .* p66@example\.com added to Engineers in Okta group 'Engineering'/,
    health: WELL,
    log: /(?:^INFO Added user \S+ to team Engineers\n){30}/m,
  },
  {
    alert: "GotsCredentialRefused",
    how: "Okta's token was revoked",
    labels: 'service="okta"',
    async run({ world, minutes }) {
      const body = { errorCode: "E0000011", errorSummary: "Invalid token provided" };
      world.okta.intercept = refuse("GET", /./, 401, body);
      await minutes(16);
    },
    page:
      /failing nothing is synced, 2 of 2 mappings failed in their last sync: Authentication failed - invalid API token; Okta says/,
    health:
      /^failing: nothing is synced, .*Authentication failed - invalid API token; .*: create a new token/,
    log: /^ERROR Sync failed for .*: Authentication failed - invalid API token; .*: create a new token/m,
  },
  {
    alert: "GotsCredentialRefused",
    how: "Grafana's token was revoked",
    labels: 'service="grafana"',
    async run({ world, minutes }) {
      world.grafana.state.tokens.clear();
      await minutes(16);
    },
    page:
      /failing nothing is synced, 2 of 2 mappings failed in their last sync: .*Authentication failed - Grafana rejected the token/,
    health:
      /^failing: nothing is synced, .*Authentication failed - Grafana rejected the token; .*set it as grafana\.api_key$/,
    log:
      /^ERROR Sync failed for .*: Authentication failed - Grafana rejected the token; .*set it as grafana\.api_key$/m,
  },
  {
    alert: "GotsOktaUnreachable",
    how: "nobody listens at its address",
    async run({ world, minutes }) {
      world.okta.intercept = () => fetch(CLOSED);
      await minutes(22);
    },
    page:
      /failing nothing is synced, 2 of 2 mappings failed in their last sync: cannot connect: .* No answer, or 5xx 5 of 7 .*: Okta/,
    health:
      /^failing: nothing is synced, .*: cannot connect: .*refused.* \(Okta GET .*: check the address, DNS, firewall/,
    log: /^ERROR Sync failed for .*: cannot connect: .*refused.* \(Okta GET .*: check the address/m,
  },
  {
    alert: "GotsGrafanaUnreachable",
    how: "the proxy before it answers 502",
    async run({ world, minutes }) {
      world.grafana.intercept = badGateway;
      await minutes(22);
    },
    page:
      /failing nothing is synced, 2 of 2 mappings failed in their last sync: the teams of Grafana could not be read: .* 502/,
    health:
      /^failing: nothing is synced, .*: the teams of Grafana could not be read: .*returned 502.*: check the proxy or gateway/,
    log: /^ERROR Sync failed for .*: the teams of Grafana could not be read: .*returned 502/m,
  },
  {
    alert: "GotsErrorRateHigh",
    how: "every fourth request to Okta gets a 502",
    labels: 'service="okta"',
    async run({ world, minutes }) {
      let requests = 0;
      world.okta.intercept = (_, proceed) => requests++ % 4 === 0 ? badGateway() : proceed();
      await minutes(40);
    },
    page: /healthy .* No answer, or 5xx [1-9]\d* of \d+ requests in the last cycle: Okta/,
    health: WELL,
    log: /^WARNING returned 502 \(Okta GET \S+\): waiting \S+ s, then attempt 2 of 5$/m,
  },
  {
    alert: "GotsRateLimitNear",
    how: "others use nearly all of it",
    labels: 'service="okta",family="groups"',
    async run(service) {
      limitTo(service, 600, 30);
      await service.minutes(22);
    },
    page: /Okta's limit left 5 % 30 of 600 \(groups\)/,
    health: WELL,
    log: /^INFO Okta: 30 of 600 requests are left in the rate limit for groups, shared by all programs$/m,
  },
  {
    alert: "GotsRateLimitNear",
    how: "gots waits for it in every cycle",
    labels: 'service="okta",family=""',
    async run({ world, minutes }) {
      world.okta.limitRate({ limit: 3, remaining: 3 });
      await minutes(90);
    },
    page: /Okta's limit left .* waited \d+ \w+ for it/,
    health: WELL,
    log: /^INFO Okta: gots has used its 50% share of the rate limit; waiting \d+ s for the reset$/m,
  },
  {
    alert: "GotsClockOff",
    how: "the machine is four minutes behind",
    labels: 'service="okta"',
    async run({ world, minutes }) {
      world.okta.clockOffsetMs = 240_000;
      await minutes(21);
    },
    page: /degraded this machine is 240 s behind Grafana and 240 s behind Okta: correct its clock/,
    health:
      /^degraded: this machine is 240 s behind Grafana and 240 s behind Okta: correct its clock, for example with NTP$/,
    log:
      /^WARNING this machine is 240 s behind Grafana and 240 s behind Okta: correct its clock, for example with NTP$/m,
  },
  {
    // A week and an hour, of which the last hour is repeated.
    alert: "GotsPendingLong",
    how: "somebody never signs in to Grafana",
    labels: 'okta_group="Science",grafana_team="Scientists"',
    hoursAfter: 7 * 24,
    async run({ world: { okta }, minutes }) {
      okta.group("Science").members.add(okta.addUser("newcomer@example.com"));
      await minutes(90);
    },
    page:
      /Pending 1 unknown to Grafana .* Scientists in sync .* 1 member pending: Grafana does not know them yet/,
    health: WELL,
    log:
      /^WARNING Team Scientists: 1 user is pending, .*They join the team in the first cycle after they have signed in/m,
  },
  {
    // Eight days of the first hour, then a day of the last one.
    alert: "GotsSlowGrowth",
    how: "cycles take a minute where they took none a week ago",
    hoursBefore: 8 * 24,
    hoursAfter: 24,
    async run(service) {
      slowDown(service, 60);
      await service.minutes(90);
    },
    page: /Last cycle \S+ \S+ ago number \d+, \w+, took 60 s/,
    health: WELL,
  },
];

/** Three hours in which people come and go, somebody waits to be known, requests fail, and one cycle does altogether. */
export async function ordinaryLife({ world, minutes }: Service): Promise<void> {
  const { okta, grafana } = world;
  const { members } = okta.group("Engineering");
  const newcomer = okta.addUser("newcomer@example.com");
  okta.group("Science").members.add(newcomer);
  for (const user of okta.users.slice(40, 44)) members.add(user);
  await minutes(30);
  for (const user of [...members].slice(0, 3)) members.delete(user);
  let requests = 0;
  okta.intercept = (_, proceed) => requests++ === 0 ? badGateway() : proceed();
  await minutes(20);
  grafana.intercept = badGateway;
  await minutes(5);
  grafana.intercept = undefined;
  grafana.state.addUser({ login: "newcomer", email: "newcomer@example.com" });
  await minutes(125);
}
