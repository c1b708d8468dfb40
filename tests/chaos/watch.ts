/** What must hold after every request, whatever happens: compares Grafana with what it was, and with the truth. */
import type { Logger } from "../../src/observability/log.ts";
import type { SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import type { CycleReport } from "../../src/sync/report.ts";
import type { Scene } from "./scene.ts";
import { listen } from "./told.ts";
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

/** Makes a watch over a scene. */
export function watch(scene: Scene, log: Logger): Watch {
  const { config: { sync }, world: { grafana: { state } } } = scene;
  const truth = followTruth(scene);
  const violations: string[] = [];
  const joined = new Set<number>();
  /** What the process was told, and the one beside it. */
  const ears = [listen(), listen()] as const;
  let told: readonly ReturnType<typeof listen>[] = ears;
  /** By team: who was removed in this cycle, of how many. */
  const removed = new Map<string, { readonly ids: Set<number>; readonly size: number }>();
  let requests = 0;
  let process: number | undefined;
  let ledger = snapshot(scene);
  /** The teams that were there when the cycle began. */
  let oldTeams: ReadonlySet<number> = new Set();

  function violate(what: string): void {
    log.error("this must not happen: {what}", { what });
    violations.push(`request ${requests}: ${what}`);
  }

  /** Each group must have been read so often, and once at least after somebody was seen in the team. */
  function checkReadings(team: string, who: string, least: number, seenAt: number): void {
    const [ear] = ears;
    for (const mapping of scene.mappingsOf(team)) {
      const groups = truth.foundBy(mapping).map(({ id }) => id);
      const readings = Math.max(0, ...groups.map(ear.readings));
      const fault = readings === 0
        ? "not read to its end in this cycle"
        : readings < least
        ? "read only once"
        : groups.every((id) => ear.readAt(id) < seenAt) && "not read since they were seen there";
      if (fault) violate(`${who} was removed from ${team} although ${mapping.okta_group} was ${fault}`);
    }
  }

  function checkLimit(team: string, id: number, seen: number): void {
    const { ids, size } = removed.get(team) ?? { ids: new Set(), size: seen };
    removed.set(team, { ids: ids.add(id), size });
    for (const { removal_limit: limit } of scene.mappingsOf(team)) {
      if (limit === "off" || size < limit.min_team_size || ids.size * 100 <= size * limit.percent) continue;
      violate(`${ids.size} of ${size} were removed from ${team} at ${limit.percent} %`);
    }
  }

  /** Whether somebody who belongs into a team was removed from it by a program that could know them. */
  function isWronged(team: string, id: number): boolean {
    const person = scene.people.find(({ account }) => account?.id === id);
    if (!person || !truth.alwaysBelonged(team, id) || truth.isRenewed(person)) return false;
    if (person.isRenamed && (process === undefined || person.knownTo !== process)) return false;
    const groups = scene.mappingsOf(team).flatMap(truth.foundBy);
    return told.every((one) => groups.some((group) => one.showed(group.id, person.okta.id)));
  }

  /** Whether anybody may be in a team, by the settings, whom its groups do not name. */
  function keepsSomebody(team: string): boolean {
    const isAddOnly = scene.mappingsOf(team).some(({ policy }) => policy === "add-only");
    return isAddOnly || sync.keep_team_admins || sync.protected_users.length > 0;
  }

  function checkRemoval({ id: teamId, name }: SimulatedTeam, id: number, permission: number): void {
    const user = state.users.get(id);
    const who = user?.email ?? `user ${id}`;
    const mappings = scene.mappingsOf(name);
    const seen = told.map((one) => one.members(teamId));
    const isSeen = seen.every((members) => members?.has(id));
    if (isSeen && isWronged(name, id)) violate(`${who} belongs into ${name} and was removed`);
    // Who came in the moment of a bulk write goes by it; but only where the groups alone decide who is in the team.
    if (!isSeen && process !== undefined) {
      if (keepsSomebody(name)) {
        violate(`${who} was removed from ${name} unseen, although the settings keep some`);
      }
      if (!ears[0].isFresh(teamId)) {
        violate(`${who} was removed from ${name} by a write that rests on an older reading`);
      }
    }
    if (!truth.isProvable(name)) violate(`${who} was removed from ${name} without proof`);
    if (mappings.some(({ policy }) => policy === "add-only")) {
      violate(`${who} was removed from add-only ${name}`);
    }
    const isProtected = sync.protected_users.some((one) =>
      [user?.email, user?.login].some((own) => own?.toLowerCase() === one.toLowerCase())
    );
    if (isProtected) violate(`${who} is protected and was removed from ${name}`);
    if (
      sync.keep_team_admins && seen.every((members) => (members?.get(id)?.permission ?? permission) === 4)
    ) {
      violate(`${who}, an admin of ${name}, was removed`);
    }
    if (process === undefined) return;
    // Who is in a team that came into another one's place may have been seen in that.
    const seenAt = oldTeams.has(teamId) ? seen[0]?.get(id)?.since ?? 0 : 0;
    checkReadings(name, who, isSeen ? 2 : 1, seenAt);
    if (isSeen) checkLimit(name, id, seen[0]?.size ?? 0);
  }

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
    // Who syncs a team shows in its members; an empty one does not tell.
    const isForeign = team.isProvisioned || (team.syncedBy && shown.every((members) => members?.size));
    const isOurs = team.orgId === 1 && scene.teams.includes(team.name) && !isForeign;
    if (!isOurs) violate(`the foreign team ${team.name} of organisation ${team.orgId} was touched`);
    if (sync.dry_run) violate(`a dry run wrote to ${team.name}`);
    // Whom hands promote in the moment of a bulk write, it makes a member again.
    const isKnown = ([user, was]: readonly [number, number]) =>
      shown.every((members) => !members || members.get(user)?.permission === was);
    if (turned.length > 0 && (keepsSomebody(team.name) || turned.some(isKnown))) {
      violate(`permissions in ${team.name} were changed`);
    }
    for (const user of gone) checkRemoval(team, user, before.get(user) ?? 0);
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
      removed.clear();
      oldTeams = new Set(state.teams.keys());
      truth.begin();
    },
    cycleEnded({ interrupted, mappings }) {
      // What is passed over has told its error before.
      const isTold = mappings.length === 0 || mappings.some(({ errors }) => errors.length > 0);
      if (interrupted || isTold || process === undefined) return;
      for (const list of ears[0].unread()) violate(`${list} was not read whole, and no error tells of it`);
    },
    async requestEnded(request, response, isWhole, by) {
      requests++;
      if (request.method !== "GET") check();
      await ears[by].note(request, response, isWhole);
    },
  };
}
