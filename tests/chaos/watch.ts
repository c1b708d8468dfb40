/** What must hold after every request, whatever happens: compares Grafana with what it was, and with the truth. */
import type { Logger } from "../../src/observability/log.ts";
import type { SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import { type CycleReport, isSuccess } from "../../src/sync/report.ts";
import { watchRemovals } from "./removals.ts";
import type { Scene } from "./scene.ts";
import { listen, type Told } from "./told.ts";
import { followTruth } from "./truth.ts";

/** Follows a world; what must not happen is written into `violations`. */
export interface Watch {
  readonly violations: string[];
  /** Lets something happen by other hands: it is no doing of the program, but what changed before is. */
  meddle(act: () => void): void;
  /** A cycle begins, in this process; `undefined` if another one runs beside it. */
  cycleBegins(process: number | undefined): void;
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
  const { config: { sync }, world: { grafana: { state } } } = scene;
  const truth = followTruth(scene);
  const violations: string[] = [];
  const joined = new Set<number>();
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

  function checkTeam(team: SimulatedTeam, before: ReadonlyMap<number, number>): void {
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
    for (const user of gone) removals.check(team, user, before.get(user) ?? 0);
    for (const user of come) checkAddition(team, user);
  }

  function checkTeams(): void {
    for (const [id, team] of state.teams) {
      if (!ledger.teams.has(id)) { for (const one of told) one.noteCreated(id); }
      checkTeam(team, ledger.teams.get(id) ?? new Map());
    }
    for (const id of ledger.teams.keys()) if (!state.teams.has(id)) violate(`team ${id} was deleted`);
  }

  function checkUsers(): void {
    for (const id of ledger.users) if (!state.users.has(id)) violate(`the account ${id} was deleted`);
    for (const [id, { orgs, email }] of state.users) {
      if (!ledger.users.has(id)) violate(`an account was created: ${email}`);
      if (orgs.has(1) && !ledger.inOrg.has(id)) {
        joined.add(id);
        if (sync.dry_run) violate(`a dry run added ${email} to the organisation`);
      }
      if (!orgs.has(1) && ledger.inOrg.has(id) && !joined.delete(id)) {
        violate(`${email} was taken out of the organisation`);
      }
    }
  }

  function check(): void {
    checkTeams();
    checkUsers();
    ledger = snapshot(scene);
  }

  /** What Grafana asks to do later is to be decided anew by then. */
  function checkWait({ url }: Request, own: Told): void {
    const [, team] = url.match(/\/api\/teams\/(\d+)\/members/) ?? [];
    const seconds = own.waited(Number(team));
    if (seconds !== undefined) {
      violate(`team ${team} was written after ${seconds} s as it was decided before them`);
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
      removals.begin(now, told);
      truth.begin();
    },
    cycleEnded({ interrupted, mappings }) {
      // What is passed over has told its error before.
      const isTold = mappings.length === 0 || !mappings.every(isSuccess);
      if (interrupted || isTold || process === undefined) return;
      for (const page of ears[0].unread()) {
        violate(`${page} was not read whole, and all went well nevertheless`);
      }
    },
    async requestEnded(request, response, isWhole, by) {
      requests++;
      if (request.method !== "GET") {
        check();
        checkWait(request, ears[by]);
      }
      await ears[by].note(request, response, isWhole);
    },
  };
}
