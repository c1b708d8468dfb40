/** What must hold when the program has removed somebody from a team. */
import type { SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import type { Scene } from "./scene.ts";
import type { Told } from "./told.ts";
import type { Truth } from "./truth.ts";

/** Checks removals. */
export interface Removals {
  /** A cycle begins, in this process; `undefined` if another one runs beside it. `told` is what each of them hears. */
  begin(process: number | undefined, told: readonly Told[]): void;
  /** Somebody with this permission is not in a team any more. */
  check(team: SimulatedTeam, id: number, permission: number): void;
  /** Whether anybody may be in a team, by the settings, whom its groups do not name. */
  keepsSomebody(team: string): boolean;
}

/** Checks removals in a scene; what must not happen is given to `violate`. */
export function watchRemovals(scene: Scene, truth: Truth, violate: (what: string) => void): Removals {
  const { config: { sync }, world: { grafana: { state } } } = scene;
  /** By team: who was removed, of how many, since its groups were read at these moments. */
  const removed = new Map<
    string,
    { readonly ids: Set<number>; readonly size: number; readonly at: string }
  >();
  let process: number | undefined;
  let told: readonly Told[] = [];
  /** The teams that were there when the cycle began. */
  let oldTeams: ReadonlySet<number> = new Set();

  function keepsSomebody(team: string): boolean {
    const isAddOnly = scene.mappingsOf(team).some(({ policy }) => policy === "add-only");
    return isAddOnly || sync.keep_team_admins || sync.protected_users.length > 0;
  }

  /** Whether somebody belonged into a team all the time, and every process could know that. */
  function isWronged(team: string, id: number): boolean {
    const person = scene.people.find(({ account }) => account?.id === id);
    if (!person || !truth.alwaysBelonged(team, id) || truth.isRenewed(person)) return false;
    if (person.isRenamed && (process === undefined || person.knownTo !== process)) return false;
    const groups = scene.mappingsOf(team).flatMap(truth.foundBy);
    return told.every((one) => groups.some((group) => one.showed(group.id, person.okta.id)));
  }

  function checkSettings(who: string, { id: teamId, name }: SimulatedTeam, id: number, permission: number) {
    if (scene.mappingsOf(name).some(({ policy }) => policy === "add-only")) {
      violate(`${who} was removed from add-only ${name}`);
    }
    const { email, login } = state.users.get(id) ?? {};
    const isProtected = sync.protected_users.some((one) =>
      [email, login].some((own) => own?.toLowerCase() === one.toLowerCase())
    );
    if (isProtected) violate(`${who} is protected and was removed from ${name}`);
    const isAdmin = told.every((one) => (one.members(teamId)?.get(id)?.permission ?? permission) === 4);
    if (sync.keep_team_admins && isAdmin) violate(`${who}, an admin of ${name}, was removed`);
  }

  /** Each group must have been read twice, and once at least after somebody was seen in the team. */
  function checkReadings(who: string, team: string, own: Told, seenAt: number): void {
    for (const mapping of scene.mappingsOf(team)) {
      const groups = truth.foundBy(mapping).map(({ id }) => id);
      const readings = Math.max(0, ...groups.map(own.readings));
      const fault = readings === 0
        ? "not read to its end in this cycle"
        : readings < 2
        ? "read only once"
        : groups.every((id) => own.readAt(id) < seenAt) && "not read since they were seen there";
      if (fault) violate(`${who} was removed from ${team} although ${mapping.okta_group} was ${fault}`);
    }
  }

  /** The limit counts for each decision: after a wait everything is read and decided anew. */
  function checkLimit(team: string, id: number, own: Told, seen: number): void {
    const at = scene.mappingsOf(team).flatMap(truth.foundBy).map((group) => own.readAt(group.id)).join();
    const before = removed.get(team);
    const { ids, size } = before?.at === at ? before : { ids: new Set<number>(), size: seen };
    removed.set(team, { ids: ids.add(id), size, at });
    for (const { removal_limit: limit } of scene.mappingsOf(team)) {
      if (limit === "off" || size < limit.min_team_size || ids.size * 100 <= size * limit.percent) continue;
      violate(`${ids.size} of ${size} were removed from ${team} at ${limit.percent} %`);
    }
  }

  /** Who came in the moment of a bulk write goes by it; but only where the groups alone decide who is in the team. */
  function checkUnseen(who: string, { name }: SimulatedTeam, own: Told): void {
    if (keepsSomebody(name)) {
      violate(`${who} was removed from ${name} unseen, although the settings keep some`);
    }
    for (const mapping of scene.mappingsOf(name)) {
      if (truth.foundBy(mapping).some((group) => own.wasRead(group.id))) continue;
      violate(`${who} was removed from ${name} although ${mapping.okta_group} was not read in this cycle`);
    }
  }

  return {
    keepsSomebody,
    begin(...now) {
      [process, told] = now;
      removed.clear();
      oldTeams = new Set(state.teams.keys());
    },
    check(team, id, permission) {
      const { name } = team;
      const who = state.users.get(id)?.email ?? `user ${id}`;
      const isSeen = told.every((one) => one.members(team.id)?.has(id));
      if (isSeen && isWronged(name, id)) violate(`${who} belongs into ${name} and was removed`);
      if (!truth.isProvable(name)) violate(`${who} was removed from ${name} without proof`);
      checkSettings(who, team, id, permission);
      const [own] = told;
      if (told.every((one) => !one.members(team.id)?.has(id) && !one.isFresh(team.id))) {
        return violate(`${who} was removed from ${name} by a write that rests on an older reading`);
      }
      // With another process beside it, it cannot be told which of them did it.
      if (!own || process === undefined) return;
      if (!isSeen) return checkUnseen(who, team, own);
      // Who is in a team that came into another one's place may have been seen in that.
      const seenAt = oldTeams.has(team.id) ? own.members(team.id)?.get(id)?.since ?? 0 : 0;
      checkReadings(who, name, own, seenAt);
      checkLimit(name, id, own, own.members(team.id)?.size ?? 0);
    },
  };
}
