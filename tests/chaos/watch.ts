/** What must hold after every request, whatever happens: compares Grafana with what it was, and with the truth. */
import type { AuditLine } from "../../src/observability/audit.ts";
import type { Logger } from "../../src/observability/log.ts";
import type { SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import { type CycleReport, isSuccess } from "../../src/sync/tell/report.ts";
import { createBooks } from "./books.ts";
import { watchRemovals } from "./removals.ts";
import type { Scene } from "./scene.ts";
import { listen, type Told } from "./told.ts";
import { followTruth } from "./truth.ts";

/** Follows a world; what must not happen is written into `violations`. */
export interface Watch {
  readonly violations: string[];
  /** Lets something happen by someone else: the program did not do it, but what changed before is. */
  meddle(act: () => void): void;
  /** A cycle begins, in this process; `undefined` if another one runs beside it. */
  cycleBegins(process: number | undefined): void;
  /** The program says that it did something. */
  told(line: AuditLine): void;
  /** The cycle of the process is over. */
  cycleEnded(report: CycleReport): void;
  /**
   * A request of the process, or of the one beside it, was answered, as it is or by a fault: what changed since is
   * the program's doing.
   */
  requestEnded(request: Request, response: Response | undefined, isWhole: boolean, by: 0 | 1): Promise<void>;
}

/** The members of every team, and the organisations of every user, as plain texts and numbers. */
function snapshot({ world: { grafana: { state } } }: Scene) {
  return {
    teams: new Map(Array.from(state.teams, ([id, { members }]) => [id, new Map(members)])),
    inOrg: new Set([...state.users.values()].filter(({ orgs }) => orgs.has(1)).map(({ id }) => id)),
    users: new Set(state.users.keys()),
  };
}

/** Makes a watch over a scene; `now` tells the true time in milliseconds. */
export function watch(scene: Scene, log: Logger, now: () => number): Watch {
  const { config, world: { grafana: { state } } } = scene;
  const { sync } = config;
  const truth = followTruth(scene);
  const violations: string[] = [];
  const joined = new Set<number>();
  const books = createBooks(state.adminId);
  /** The teams that this cycle created, with the program's own account in them. */
  const created = new Set<number>();
  /** Those that its account is not an admin of, as far as it was told: hands take it out too, and bring it back. */
  const left = new Set<number>();
  /** What the process was told, and the one beside it. */
  const ears = [listen(scene.keysOf, now), listen(scene.keysOf, now)] as const;
  let told: readonly Told[] = ears;
  /** The teams that were written in this cycle. */
  const written = new Set<number>();
  let requests = 0;
  let process: number | undefined;
  let ledger = snapshot(scene);

  function violate(what: string): void {
    log.error("this must not happen: {what}", { what });
    violations.push(`request ${requests}: ${what}`);
  }

  const removals = watchRemovals(scene, truth, violate);

  function checkAddition({ id: teamId, name }: SimulatedTeam, id: number): void {
    // Who left the group after it was read, and got an account after that, belonged when it was read.
    if (truth.everBelonged(name, id) || !truth.isOld(id)) return;
    // Who was taken out in the moment of a bulk write is put back by it.
    if (told.some((one) => one.members(teamId)?.has(id))) return;
    violate(`${state.users.get(id)?.email} was added to ${name} without being in a group`);
  }

  /** Grafana puts an account that creates a team into it, and it is to go again at once. */
  const isCreator = ({ id }: SimulatedTeam, user: number) => created.has(id) && user === state.adminId;

  function checkTeam(team: SimulatedTeam, before: ReadonlyMap<number, number>, set: number): void {
    // Whoever came into the organisation by the program, and leaves it again, leaves the teams as well; by another
    // process they may be back already.
    const hasLeft = (user: number) =>
      joined.has(user) && (process === undefined || !state.users.get(user)?.orgs.has(1));
    const gone = [...before.keys()].filter((user) => !team.members.has(user) && !hasLeft(user));
    const come = [...team.members.keys()].filter((user) => !before.has(user));
    const turned = [...before].filter(([user, was]) => (team.members.get(user) ?? was) !== was);
    if (ledger.teams.has(team.id) && gone.length + come.length + turned.length === 0) return;
    const shown = told.map((one) => one.members(team.id));
    // Who syncs a team shows in its members; one that was empty before the first write did not tell.
    const isSynced = team.syncedBy && !written.has(team.id) && shown.every((members) => members?.size);
    const isForeign = team.isProvisioned || isSynced;
    written.add(team.id);
    const isOurs = team.orgId === 1 && scene.teams.includes(team.name) && !isForeign;
    if (!isOurs) violate(`the foreign team ${team.name} of organisation ${team.orgId} was touched`);
    if (sync.dry_run) violate(`a dry run wrote to ${team.name}`);
    // Whom hands promote in the moment of a bulk write, it makes a member again.
    const isKnown = ([user, was]: readonly [number, number]) =>
      shown.every((members) => !members || members.get(user)?.permission === was);
    if (turned.length > 0 && (removals.keepsSomebody(team.name) || turned.some(isKnown))) {
      violate(`permissions in ${team.name} were changed`);
    }
    for (const user of gone) if (!isCreator(team, user)) removals.check(team, user, before.get(user) ?? 0);
    for (const user of come) if (!isCreator(team, user)) checkAddition(team, user);
    if (team.id !== set) return;
    const known = ears[0].members(team.id);
    for (const user of gone) if (known?.has(user)) books.wrote("remove", team.id, user);
    for (const user of come) if (!known?.has(user)) books.wrote("add", team.id, user);
  }

  function checkTeams(set: number): void {
    for (const [id, team] of state.teams) {
      if (!ledger.teams.has(id)) {
        created.add(id);
        for (const one of told) one.noteCreated(id);
      }
      checkTeam(team, ledger.teams.get(id) ?? new Map(), set);
    }
    for (const id of ledger.teams.keys()) if (!state.teams.has(id)) violate(`team ${id} was deleted`);
  }

  /** Only with a password can an account be made, of somebody who has none. */
  function checkAccount(id: number): void {
    const user = state.users.get(id);
    const owner = user?.email ? truth.ownerOf(user.email) : undefined;
    if (!owner || config.grafana.api_key || sync.dry_run) violate(`an account was created: ${user?.email}`);
    if (!owner) return;
    owner.account = user;
    owner.isRenamed = false;
    truth.follow();
  }

  function checkUsers(): void {
    for (const id of ledger.users) if (!state.users.has(id)) violate(`the account ${id} was deleted`);
    for (const [id, { orgs, email }] of state.users) {
      if (orgs.has(1) && !ledger.inOrg.has(id)) {
        joined.add(id);
        if (sync.dry_run) violate(`a dry run added ${email} to the organisation`);
      }
      if (!orgs.has(1) && ledger.inOrg.has(id) && !joined.delete(id)) {
        violate(`${email} was taken out of the organisation`);
      }
    }
  }

  /** `set` is the team of which Grafana has just said that its whole membership is set. */
  function check(set = 0): void {
    for (const id of state.users.keys()) if (!ledger.users.has(id)) checkAccount(id);
    checkTeams(set);
    checkUsers();
    ledger = snapshot(scene);
  }

  /** Writes down what Grafana says to have done for somebody in a team, and gives the team that was set as a whole. */
  async function noteWrite(request: Request): Promise<number> {
    const { method, url } = request;
    const [, team = "0", user] = url.match(/\/api\/teams\/(\d+)\/members(?:\/(\d+))?$/) ?? [];
    if (method === "PUT") return Number(team);
    if (method === "DELETE" && user) books.wrote("remove", Number(team), Number(user));
    if (method === "POST" && team !== "0") {
      books.wrote("add", Number(team), (await request.clone().json()).userId);
    }
    return 0;
  }

  /** Our own account was taken out of a team, or some proxy says so. */
  function noteLeft({ method, url }: Request): void {
    const [, team, user] = url.match(/\/api\/teams\/(\d+)\/members\/(\d+)$/) ?? [];
    if (method === "DELETE" && Number(user) === state.adminId) left.add(Number(team));
  }

  function noteShown({ url }: Request, own: Told): void {
    const [, team] = url.match(/\/api\/teams\/(\d+)\/members$/) ?? [];
    if (team === undefined) return;
    const members = own.members(Number(team));
    books.showed(Number(team), new Set(members?.keys()));
    if (created.has(Number(team)) && members?.get(state.adminId)?.permission !== 4) left.add(Number(team));
  }

  /** What Grafana asks to do later is to be decided anew by then. */
  function checkWait({ url }: Request, own: Told): void {
    const [, team] = url.match(/\/api\/teams\/(\d+)\/members/) ?? [];
    const seconds = own.waited(Number(team));
    if (seconds !== undefined) {
      violate(`team ${team} was written after ${seconds} s as it was decided before them`);
    }
  }

  /** Whoever creates a team does not stay in it. */
  function checkCreated({ interrupted, mappings }: CycleReport): void {
    for (const id of created) {
      const { name = "", members } = state.teams.get(id) ?? {};
      const isAdmin = !left.has(id) && members?.get(state.adminId) === 4;
      const isWell = mappings.filter(({ mapping }) => mapping.grafana_team === name).every(isSuccess);
      if (!interrupted && isWell && isAdmin) violate(`our own account was left in ${name}`);
    }
  }

  return {
    violations,
    meddle(act) {
      check();
      act();
      truth.follow();
      ledger = snapshot(scene);
    },
    cycleBegins(now) {
      process = now;
      told = now === undefined ? ears : ears.slice(0, 1);
      for (const one of ears) one.forget();
      written.clear();
      created.clear();
      left.clear();
      books.begin();
      removals.begin(now, told);
      truth.begin();
    },
    told: (line) => books.read(line),
    cycleEnded(report) {
      const { interrupted, mappings } = report;
      if (process !== undefined && !sync.dry_run) {
        for (const fault of books.settle(report, created)) {
          violate(fault);
        }
      }
      for (const { mapping, durationSeconds } of mappings) {
        if (durationSeconds < 0) violate(`${mapping.okta_group} took ${durationSeconds} s`);
      }
      checkCreated(report);
      // What is skipped has told its error before.
      const isTold = mappings.length === 0 || !mappings.every(isSuccess);
      if (interrupted || isTold || process === undefined) return;
      for (const page of ears[0].unread()) {
        violate(`${page} was not read whole, and all went well nevertheless`);
      }
    },
    async requestEnded(request, response, isWhole, by) {
      requests++;
      if (response?.ok) noteLeft(request);
      if (request.method !== "GET") {
        check(isWhole && response?.ok ? await noteWrite(request) : 0);
        // While another process waits, no time passes for this one's writes that are under way.
        if (process !== undefined) checkWait(request, ears[by]);
      }
      await ears[by].note(request, response, isWhole);
      if (request.method === "GET" && isWhole && response?.ok) noteShown(request, ears[by]);
    },
  };
}
