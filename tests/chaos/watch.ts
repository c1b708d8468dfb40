/** What must hold after every request, whatever happens: compares Grafana with what it was, and with the truth. */
import type { SimulatedOktaGroup } from "../../src/simulation/okta_state.ts";
import type { Person, Scene } from "./scene.ts";

/** Follows a world; what must not happen is written into `violations`. */
export interface Watch {
  readonly violations: string[];
  /** Lets something happen by other hands: it is no doing of the program, but what changed before is. */
  meddle(act: () => void): void;
  /** A cycle begins, in this process; `undefined` if several run at once. */
  cycleBegins(process: number | undefined): void;
  /** A request was answered, as it is or by a fault: what changed since is the program's doing. */
  requestEnded(request: Request, response: Response | undefined, isWhole: boolean): void;
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
export function watch(scene: Scene): Watch {
  const { config: { sync }, world: { grafana: { state } } } = scene;
  const violations: string[] = [];
  const joined = new Set<number>();
  const teamNames = [...new Set(sync.mappings.map(({ grafana_team }) => grafana_team))];
  /** By team and account: the request since which somebody belongs, or after which they ceased to. */
  const since = new Map<string, number>();
  const ceased = new Map<string, number>();
  /** By team: the request since which some group cannot prove that anybody is gone. */
  const unprovable = new Map<string, number>();
  let [requests, cycleBegan] = [0, 0];
  let process: number | undefined;
  /** Who signs in with a new address while a cycle runs, may be taken for a stranger by that cycle alone. */
  let renewals = new Map<Person, number>();
  let ledger = snapshot(scene);
  /** The accounts that were there when the cycle began. */
  let accounts: ReadonlySet<number> = ledger.users;
  /** In this cycle, by team: its members with their permissions when it was read last, and how many were removed. */
  let lastRead = new Map<number, ReadonlyMap<number, number>>();
  let removed = new Map<number, number>();

  /** By team: the groups that a mapping found at any moment of this cycle; they are found before they are read. */
  let found = new Map<string, Set<SimulatedOktaGroup>>();
  /** By team: the accounts of whoever was in one of these groups at any moment of this cycle. */
  let wereIn = new Map<string, Set<number | undefined>>();

  /** By group: whether the last answer about its members was whole. */
  const lastWhole = new Map<string, boolean>();

  const violate = (what: string) => violations.push(`request ${requests}: ${what}`);

  function follow(): void {
    for (const team of teamNames) {
      const groups = found.get(team) ?? new Set();
      found.set(team, groups);
      for (const group of scene.mappingsOf(team).flatMap(scene.groupsOf)) groups.add(group);
      const present = [...groups].flatMap(scene.countingMembers).map(({ account }) => account?.id);
      wereIn.set(team, new Set([...wereIn.get(team) ?? [], ...present]));
      const proof = scene.mappingsOf(team).every((mapping) => {
        const groups = scene.groupsOf(mapping);
        const [group] = groups;
        return group && groups.length === 1 &&
          (mapping.allow_empty || scene.countingMembers(group).length > 0);
      });
      if (proof) unprovable.delete(team);
      else if (!unprovable.has(team)) unprovable.set(team, requests);
      for (const id of state.users.keys()) {
        const key = `${team} ${id}`;
        if (!scene.belongs(id, team)) {
          if (since.delete(key)) ceased.set(key, requests);
        } else if (!since.has(key)) since.set(key, requests);
      }
    }
    for (const person of scene.people) {
      const id = person.account?.id;
      if (!teamNames.some((team) => since.has(`${team} ${id}`))) person.knownTo = undefined;
    }
  }

  function checkRemoval(team: string, teamId: number, id: number): void {
    const who = state.users.get(id)?.email;
    const person = scene.people.find(({ account }) => account?.id === id);
    const isForgotten = person?.isRenamed && (process === undefined || person.knownTo !== process);
    const isRenewed = person && person.renewals !== renewals.get(person);
    if ((since.get(`${team} ${id}`) ?? Infinity) <= cycleBegan && !isForgotten && !isRenewed) {
      violate(`${who} belongs into ${team} and was removed`);
    }
    if ((unprovable.get(team) ?? Infinity) <= cycleBegan) {
      violate(`${who} was removed from ${team} without proof`);
    }
    const mappings = scene.mappingsOf(team);
    const cutShort = mappings.flatMap(scene.groupsOf).filter((group) => lastWhole.get(group.id) === false);
    if (cutShort.length > 0 && process !== undefined) {
      violate(`${who} was removed from ${team} although ${cutShort[0]?.name} was not read to its end`);
    }
    if (mappings.some(({ policy }) => policy === "add-only")) {
      violate(`${who} was removed from add-only ${team}`);
    }
    const address = state.users.get(id);
    const isProtected = sync.protected_users.some((one) =>
      [address?.email, address?.login].some((own) => own?.toLowerCase() === one.toLowerCase())
    );
    if (isProtected) violate(`${who} is protected and was removed from ${team}`);
    if (sync.keep_team_admins && lastRead.get(teamId)?.get(id) === 4) {
      violate(`${who}, an admin of ${team}, was removed`);
    }
    const count = (removed.get(teamId) ?? 0) + 1;
    removed.set(teamId, count);
    const size = lastRead.get(teamId)?.size ?? 0;
    for (const { removal_limit: limit } of process === undefined ? [] : mappings) {
      if (limit === "off" || size < limit.min_team_size || count * 100 <= size * limit.percent) continue;
      violate(`${count} of ${size} were removed from ${team} at ${limit.percent} %`);
    }
  }

  function checkAddition(team: string, id: number): void {
    const key = `${team} ${id}`;
    if (since.has(key) || (ceased.get(key) ?? -1) >= cycleBegan) return;
    // Whoever came into a group that was renamed after it was found.
    if (wereIn.get(team)?.has(id)) return;
    // Who left the group after it was read, and got an account after that, belonged when it was read.
    if (!accounts.has(id)) return;
    violate(`${state.users.get(id)?.email} was added to ${team} without being in a group`);
  }

  function checkTeams(): void {
    for (const [id, team] of state.teams) {
      const before = ledger.teams.get(id);
      const members = before ?? new Map<number, number>();
      // Whoever came into the organisation by the program, and leaves it again, leaves the teams as well.
      const hasLeft = (user: number) => joined.has(user) && !state.users.get(user)?.orgs.has(1);
      const gone = [...members.keys()].filter((user) => !team.members.has(user) && !hasLeft(user));
      const come = [...team.members.keys()].filter((user) => !members.has(user));
      const turned = [...members].filter(([user, was]) => (team.members.get(user) ?? was) !== was);
      if (before && gone.length + come.length + turned.length === 0) continue;
      // Who syncs a team shows in its members; an empty one does not tell.
      const isForeign = team.isProvisioned || (team.syncedBy && (lastRead.get(id)?.size ?? 0) > 0);
      const isOurs = team.orgId === 1 && teamNames.includes(team.name) && !isForeign;
      if (!isOurs) violate(`the foreign team ${team.name} of organisation ${team.orgId} was touched`);
      if (sync.dry_run) violate(`a dry run wrote to ${team.name}`);
      if (turned.length > 0) violate(`permissions in ${team.name} were changed`);
      for (const user of gone) checkRemoval(team.name, id, user);
      for (const user of come) checkAddition(team.name, user);
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

  follow();
  return {
    violations,
    meddle(act) {
      check();
      act();
      follow();
      ledger = snapshot(scene);
    },
    cycleBegins(now) {
      process = now;
      accounts = ledger.users;
      cycleBegan = requests;
      renewals = new Map(scene.people.map((person) => [person, person.renewals]));
      found = new Map();
      wereIn = new Map();
      follow();
      lastRead = new Map();
      removed = new Map();
    },
    requestEnded(request, response, isWhole) {
      requests++;
      check();
      const [, group] = new URL(request.url).pathname.match(/^\/api\/v1\/groups\/(\w+)\/users$/) ?? [];
      if (group) lastWhole.set(group, isWhole);
      const [, id] = new URL(request.url).pathname.match(/^\/api\/teams\/(\d+)\/members$/) ?? [];
      if (request.method === "GET" && id && response?.ok) {
        lastRead.set(Number(id), new Map(state.teams.get(Number(id))?.members));
      }
    },
  };
}
