/** A random world: people, groups, teams, a configuration, and what may happen to them meanwhile. */
import { type Config, configSchema, type Mapping } from "../../src/config/schema.ts";
import type { SimulatedGrafanaUser, SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import type { SimulatedOktaGroup, SimulatedOktaUser } from "../../src/simulation/okta_state.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import type { Random } from "./random.ts";

/** Somebody, in Okta and perhaps in Grafana. The program does not know this; it has to find out. */
export interface Person {
  readonly okta: SimulatedOktaUser;
  account: SimulatedGrafanaUser | undefined;
  /** Okta knows a new address, Grafana does not yet. */
  isRenamed: boolean;
  /** How often they signed in with a new address. */
  renewals: number;
  /** The process that saw them under equal addresses; it may remember them when they are renamed. */
  knownTo: number | undefined;
}

/** A world with its truth. */
export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly config: Config;
  readonly people: readonly Person[];
  /** Accounts of nobody in Okta; some carry somebody's address as their login. */
  readonly strangers: readonly SimulatedGrafanaUser[];
  readonly foreign: SimulatedTeam;
  /** The groups that a mapping finds. */
  groupsOf(mapping: Mapping): SimulatedOktaGroup[];
  /** The mappings that feed a team. */
  mappingsOf(team: string): Mapping[];
  /** The members of a group who count. */
  countingMembers(group: SimulatedOktaGroup): Person[];
  /** Whether an account is of somebody who belongs into a team. */
  belongs(account: number, team: string): boolean;
  /** Something happens in Okta or Grafana, by other hands. */
  disturb(): void;
  /** A group gets wholly other members, as by a mistake. */
  replaceGroup(): void;
}

function settings(random: Random, world: World, groups: readonly SimulatedOktaGroup[]) {
  const limits = [undefined, undefined, "off", { percent: 30, min_team_size: 2 }, { percent: 100 }] as const;
  const own = () => {
    const removal_limit = random.pick(limits);
    return {
      allow_empty: random.chance(0.2),
      ...(random.chance(0.1) ? { policy: "add-only" } : {}),
      ...(removal_limit ? { removal_limit } : {}),
    };
  };
  const teams = ["Engineers", "Data", "Ops"].slice(0, 1 + random.int(3));
  const mappings = groups.flatMap(({ id, name }) =>
    random.some(teams, 0.6).map((grafana_team) => ({
      ...(random.chance(0.2) ? { okta_group_id: id } : {}),
      okta_group: name,
      grafana_team,
      ...own(),
    }))
  );
  const [group] = groups;
  if (mappings.length === 0 && group) {
    mappings.push({ okta_group: group.name, grafana_team: "Engineers", ...own() });
  }
  const { OKTA_DOMAIN, OKTA_API_TOKEN, GRAFANA_URL, GRAFANA_API_KEY } = world.environment;
  return {
    okta: { domain: OKTA_DOMAIN, api_token: OKTA_API_TOKEN },
    grafana: { url: GRAFANA_URL, api_key: GRAFANA_API_KEY },
    sync: {
      mappings,
      dry_run: random.chance(0.05),
      incremental: random.chance(0.8),
      full_refresh_seconds: random.pick([900, 900, 1_800]),
      keep_team_admins: random.chance(0.3),
      protected_users: random.chance(0.3) ? ["p1@example.com", "STRANGER-0"] : [],
    },
  };
}

/** Puts people, groups and teams into a world whose time is `now`, in epoch milliseconds. */
export function createScene(random: Random, now: () => number): Scene {
  const world = startWorld({ version: random.pick(["9.5.0", "11.0.0", "11.1.0", "11.6.2", "12.1.0"]) });
  const { okta, grafana: { state } } = world;
  okta.clock = now;
  okta.limitRate({ limit: Number.MAX_SAFE_INTEGER, remaining: Number.MAX_SAFE_INTEGER });
  okta.pageSize = 1 + random.int(4);
  let names = 0;

  const people: Person[] = Array.from({ length: 4 + random.int(random.pick([9, 9, 25])) }, () => {
    const email = `p${++names}@example.com`;
    const user = okta.addUser(email, random.chance(0.2) ? { login: `login-${names}` } : {});
    if (random.chance(0.05)) user.email = null;
    const shown = random.chance(0.2) ? email.toUpperCase() : email;
    const orgId = random.chance(0.15) ? null : 1;
    const account = random.chance(0.85)
      ? state.addUser({ login: user.login, email: shown, orgId })
      : undefined;
    return { okta: user, account, isRenamed: false, renewals: 0, knownTo: undefined };
  });
  const strangers = Array.from({ length: random.int(4) }, (_, i) => {
    const victim = random.pick(people).okta;
    // Where Okta has no email and a login that is none, nothing but the login can tell who somebody is.
    const address = victim.email ?? (victim.login.includes("@") ? victim.login : undefined);
    const login = random.chance(0.5) || !address ? `stranger-${i}` : address;
    return state.addUser({
      login,
      email: `stranger-${i}@elsewhere.example`,
      orgId: random.chance(0.3) ? null : 1,
    });
  });
  const groups = ["Alpha", "Beta", "Gamma"].slice(0, 1 + random.int(3))
    .map((name) => okta.addGroup(name, random.some(people, 0.6).map((person) => person.okta)));
  const config = configSchema.parse(settings(random, world, groups));
  const teamNames = [...new Set(config.sync.mappings.map(({ grafana_team }) => grafana_team))];
  const accounts = () =>
    [...people.flatMap(({ account }) => account ?? []), ...strangers].filter(({ id }) => state.users.has(id));
  const fill = (team: SimulatedTeam) => {
    for (const account of random.some(accounts(), 0.5)) {
      if (account.orgs.has(1)) team.members.set(account.id, random.chance(0.15) ? 4 : 0);
    }
  };
  for (const name of random.some(teamNames, 0.8)) {
    const team = state.addTeam(name);
    fill(team);
    if (random.chance(0.04)) team.isProvisioned = true;
    if (random.chance(0.04)) team.syncedBy = "LDAP";
  }
  const foreign = state.addTeam("Foreign");
  fill(foreign);
  state.orgs.set(2, "Other");
  for (const name of teamNames) state.addTeam(name, 2);

  const groupsOf = ({ okta_group, okta_group_id }: Mapping) =>
    okta.groups.filter(({ id, name }) => okta_group_id ? id === okta_group_id : name === okta_group);
  const mappingsOf = (team: string) =>
    config.sync.mappings.filter(({ grafana_team }) => grafana_team === team);
  const countingMembers = ({ members }: SimulatedOktaGroup) =>
    people.filter((person) =>
      members.has(person.okta) && config.okta.member_statuses.includes(person.okta.status)
    );

  const disturbances: readonly (() => void)[] = [
    () => random.pick(groups).members.add(random.pick(people).okta),
    () => random.pick(groups).members.add(random.pick(people).okta),
    () => random.pick(groups).members.delete(random.pick(people).okta),
    () => random.pick(groups).members.delete(random.pick(people).okta),
    () => random.pick(people).okta.status = random.pick(["ACTIVE", "SUSPENDED", "STAGED"]),
    () => random.chance(0.3) && random.pick(groups).members.clear(),
    () => {
      const group = random.pick(groups);
      group.name = group.name.startsWith("Old ") ? group.name.slice(4) : `Old ${group.name}`;
    },
    () => rename(random.pick(people)),
    () => signIn(random.pick(people)),
    () => signIn(random.pick(people)),
    () => team((one) => one.members.set(random.pick(accounts()).id, random.chance(0.2) ? 4 : 0)),
    () => team((one) => one.members.delete(random.pick([...one.members.keys(), 0]))),
    () => random.chance(0.3) && team(({ id }) => state.teams.delete(id)),
    () => random.chance(0.3) && deleteAccount(random.pick(people)),
  ];

  function replaceGroup(): void {
    const { members } = random.pick(groups);
    const others = people.filter(({ okta }) => !members.has(okta));
    members.clear();
    for (const { okta } of others) members.add(okta);
  }

  function team(change: (one: SimulatedTeam) => unknown): void {
    const mapped = teamNames.flatMap((name) => state.team(name) ?? []);
    if (mapped.length > 0) change(random.pick(mapped));
  }

  function rename(person: Person): void {
    if (person.okta.email === null || !person.account) return;
    person.okta.email = person.okta.login = `p${++names}@example.com`;
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

  return {
    world,
    config,
    people,
    strangers,
    foreign,
    groupsOf,
    mappingsOf,
    countingMembers,
    belongs: (account, name) =>
      mappingsOf(name).some((mapping) =>
        groupsOf(mapping).some((group) =>
          countingMembers(group).some((person) => person.account?.id === account)
        )
      ),
    replaceGroup,
    disturb: () => void random.pick(disturbances)(),
    [Symbol.asyncDispose]: () => world.close(),
  };
}
