/** What other people do meanwhile, in Okta and in Grafana. */
import type { SimulatedGrafanaUser, SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import type { SimulatedOktaGroup } from "../../src/simulation/okta_state.ts";
import type { World } from "../../src/simulation/world.ts";
import type { Random } from "./random.ts";
import type { Person } from "./scene.ts";

/** Other hands; what they did is given in words. */
export interface Hands {
  /** Something happens in Okta. */
  inOkta(): string;
  /** Something happens in Grafana: to this team if it is a mapped one, or to one that is to be created if it is 0. */
  inGrafana(teamId?: number): string;
  /** A group gets wholly other members, as by a mistake. */
  replaceGroup(): string;
}

/** Whom and what hands can lay hold of. */
export interface Reach {
  readonly world: World;
  readonly people: readonly Person[];
  /** By the name that mappings know. One that was deleted stays here, until another one is made in its place. */
  readonly groups: SimulatedOktaGroup[];
  /** The mapped teams. */
  readonly teams: readonly string[];
  /** The accounts that there are. */
  accounts(): SimulatedGrafanaUser[];
  /** A team gets random members. */
  fill(team: SimulatedTeam): void;
}

type Acts = Readonly<Record<string, () => unknown>>;

const STATUSES = ["ACTIVE", "ACTIVE", "SUSPENDED", "STAGED", "DEPROVISIONED"] as const;

/** Okta may date a change so much earlier than it shows it, in milliseconds. */
const MOST_LAG_MS = 110_000;

/** Makes hands; they give everybody whom they rename a new address. */
export function createHands(random: Random, reach: Reach): Hands {
  const { world: { okta, grafana: { state } }, people, groups, teams, accounts, fill } = reach;
  let names = 0;

  const present = () => people.filter(({ okta: user }) => okta.users.includes(user));
  const anybody = () => random.pick(present()).okta;
  const members = () => random.pick(groups).members;
  const permission = () => random.chance(0.3) ? 4 : 0;

  const one = <T>(items: readonly T[]): T[] => items.length > 0 ? [random.pick(items)] : [];
  const some = <T>(items: readonly T[]): T[] => random.chance(0.5) ? one(items) : random.some(items, 0.5);

  function move(): void {
    const from = members();
    for (const user of one([...from])) {
      from.delete(user);
      members().add(user);
    }
  }

  function put({ members }: SimulatedTeam, accounts: readonly SimulatedGrafanaUser[]): void {
    for (const { id } of accounts) members.set(id, permission());
  }

  function renameGroup(): void {
    const group = random.pick(groups);
    if (group.name.startsWith("Old ")) group.name = group.name.slice(4);
    else if (random.chance(0.5)) group.name = `Old ${group.name}`;
  }

  function rename(person: Person): void {
    if (person.okta.email === null || !person.account) return;
    person.okta.email = person.okta.login = `renamed${++names}@example.com`;
    person.isRenamed = true;
  }

  function signIn(person: Person): void {
    const { login, email } = person.okta;
    if (
      !email || accounts().some((one) => one !== person.account && [one.login, one.email].includes(login))
    ) return;
    if (person.account) {
      Object.assign(person.account, { login, email });
      person.account.orgs.set(1, person.account.orgs.get(1) ?? "Viewer");
    } else person.account = state.addUser({ login, email });
    if (person.isRenamed) person.renewals++;
    person.isRenamed = false;
  }

  function deleteAccount(person: Person): void {
    const id = person.account?.id;
    if (id === undefined) return;
    state.users.delete(id);
    for (const { members } of state.teams.values()) members.delete(id);
    person.account = undefined;
    person.isRenamed = false;
    person.knownTo = undefined;
  }

  function createTeam(): void {
    const missing = teams.filter((name) => !state.team(name));
    if (missing.length > 0) fill(state.addTeam(random.pick(missing)));
  }

  /** Somebody takes everybody out of a team, or deletes it. */
  function emptyTeam(): void {
    for (const { id, members } of one(teams.flatMap((name) => state.team(name) ?? []))) {
      if (random.chance(0.3)) state.teams.delete(id);
      else members.clear();
    }
  }

  /** A group is deleted, of which Okta tells nobody, and perhaps a team is emptied for its sake; or one is made in its place. */
  function deleteGroup(): void {
    const [missing] = groups.filter((group) => !okta.groups.includes(group));
    if (!missing) {
      okta.groups.splice(okta.groups.indexOf(random.pick(groups)), 1);
      if (random.chance(0.6)) emptyTeam();
    } else {
      const name = missing.name.replace("Old ", "");
      groups[groups.indexOf(missing)] = okta.addGroup(
        name,
        random.some(present(), 0.6).map((one) => one.okta),
      );
    }
  }

  /** Somebody is deleted, without a trace in their groups, and perhaps taken out of their teams. */
  function deletePerson(): void {
    if (present().length < 4) return;
    const person = random.pick(present());
    okta.users.splice(okta.users.indexOf(person.okta), 1);
    for (const { members } of groups) Set.prototype.delete.call(members, person.okta);
    const id = person.account?.id;
    if (id === undefined || random.chance(0.4)) return;
    for (const { orgId, members } of state.teams.values()) if (orgId === 1) members.delete(id);
  }

  const inOkta: Acts = {
    "some join a group": () => {
      const group = members();
      for (const { okta } of some(present())) group.add(okta);
    },
    "somebody leaves a group": () => members().delete(anybody()),
    "somebody moves to another group": move,
    "somebody's status changes": () => anybody().status = random.pick(STATUSES),
    "somebody is renamed": () => random.chance(0.5) && rename(random.pick(present())),
    "a group is emptied": () => random.chance(0.3) && members().clear(),
    "a group is renamed": renameGroup,
    "a group is deleted": () => random.chance(0.5) && deleteGroup(),
    "somebody is deleted in Okta": () => random.chance(0.5) && deletePerson(),
  };
  const inGrafana: Acts = {
    "somebody signs in": () => signIn(random.pick(present())),
    "an account is deleted": () => random.chance(0.3) && deleteAccount(random.pick(people)),
    "a team is created": createTeam,
  };
  const toTeam: Readonly<Record<string, (team: SimulatedTeam) => unknown>> = {
    "somebody is put into a team": (team) => put(team, one(accounts())),
    "many are put into a team": (team) => put(team, random.some(accounts(), 0.5)),
    "some are taken out of a team": ({ members }) => {
      for (const id of some([...members.keys()])) members.delete(id);
    },
    "somebody takes another's place in a team": (team) => {
      const others = accounts().filter(({ id }) => !team.members.has(id));
      for (const id of one([...team.members.keys()])) team.members.delete(id);
      put(team, one(others));
    },
    "a member is promoted": ({ members }) => {
      for (const id of one([...members.keys()])) members.set(id, permission());
    },
    "a team is deleted": ({ id }) => random.chance(0.3) && state.teams.delete(id),
  };
  const actsOf = <T>(acts: Readonly<Record<string, T>>) => Object.entries(acts);

  return {
    inOkta() {
      const { clock } = okta;
      const lag = random.chance(0.5) ? random.int(MOST_LAG_MS) : 0;
      const [name, act] = random.pick(actsOf(inOkta));
      okta.clock = () => clock() - lag;
      act();
      okta.clock = clock;
      return name;
    },
    inGrafana(teamId) {
      if (teamId === 0) {
        createTeam();
        return "a team is created in the same moment";
      }
      const mapped = teams.flatMap((name) => state.team(name) ?? []);
      const other = mapped.length > 0 && random.chance(0.6) ? random.pick(mapped) : undefined;
      const team = mapped.find(({ id }) => id === teamId) ?? other;
      const [name, act] = team ? random.pick(actsOf(toTeam)) : random.pick(actsOf(inGrafana));
      act(team as SimulatedTeam);
      return name;
    },
    replaceGroup() {
      const group = members();
      const others = present().filter(({ okta }) => !group.has(okta));
      group.clear();
      for (const { okta } of others) group.add(okta);
      return "a group is replaced";
    },
  };
}
