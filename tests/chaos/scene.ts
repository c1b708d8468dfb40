/** A random world: people, groups, teams, a configuration, and the truth about them. */
import { type Config, configSchema, type Mapping } from "../../src/config/schema.ts";
import type { SimulatedGrafanaUser, SimulatedTeam } from "../../src/simulation/grafana_state.ts";
import type { SimulatedOktaGroup, SimulatedOktaUser } from "../../src/simulation/okta_state.ts";
import { startWorld, type World } from "../../src/simulation/world.ts";
import { createHands, type Hands } from "./hands.ts";
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
  /** There is one group, of more people than one page holds. */
  readonly isCrowd: boolean;
  /** The groups that a mapping finds. */
  groupsOf(mapping: Mapping): SimulatedOktaGroup[];
  /** By how many keys the mappings find a group: its id, its name. */
  keysOf(group: string): number;
  /** The mappings that feed a team. */
  mappingsOf(team: string): Mapping[];
  /** The members of a group who count. */
  countingMembers(group: SimulatedOktaGroup): Person[];
  /** The accounts of those who belong into a team. */
  belonging(team: string): Set<number>;
  /** The teams that are mapped. */
  readonly teams: readonly string[];
  readonly hands: Hands;
}

function settings(random: Random, world: World, groups: readonly SimulatedOktaGroup[]) {
  const limits = [undefined, undefined, "off", { percent: 30, min_team_size: 2 }, { percent: 100 }] as const;
  const own = () => {
    const removal_limit = random.pick(limits);
    return {
      allow_empty: random.chance(0.2),
      ...(random.chance(0.05) ? { policy: "add-only" } : {}),
      ...(removal_limit ? { removal_limit } : {}),
    };
  };
  const names = ["Engineers", "Data", "Ops"].slice(0, 1 + random.int(3));
  const mappings = groups.flatMap(({ id, name }) =>
    random.some(names, 0.7).map((grafana_team) => ({
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
    grafana: {
      url: GRAFANA_URL,
      ...random.chance(0.15) ? { username: "admin", password: "admin" } : { api_key: GRAFANA_API_KEY },
    },
    sync: {
      mappings,
      dry_run: random.chance(0.05),
      incremental: random.chance(0.9),
      full_refresh_seconds: random.pick([900, 900, 1_800]),
      keep_team_admins: random.chance(0.15),
      protected_users: random.chance(0.15) ? ["p1@example.com", "STRANGER-0"] : [],
    },
  };
}

/** Most of them set a team's members at once. */
const VERSIONS = ["9.5.0", "11.0.0", "11.1.0", "11.1.0", "11.6.2", "11.6.2", "12.1.0", "12.1.0"];

/** Puts people, groups and teams into a world whose time is `now`, in epoch milliseconds. */
export function createScene(random: Random, now: () => number): Scene {
  const world = startWorld({ version: random.pick(VERSIONS) });
  const { okta, grafana: { state } } = world;
  okta.clock = now;
  okta.limitRate({ limit: Number.MAX_SAFE_INTEGER, remaining: Number.MAX_SAFE_INTEGER });
  const isCrowd = random.chance(0.04);
  okta.pageSize = isCrowd ? 1_000 : 1 + random.int(8);

  const size = isCrowd ? 220 + random.int(60) : 4 + random.int(random.pick([9, 25]));
  const people: Person[] = Array.from({ length: size }, (_, i) => {
    const email = `p${i + 1}@example.com`;
    const user = okta.addUser(email, random.chance(0.2) ? { login: `login-${i + 1}` } : {});
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
    const login = random.chance(0.7) || !address ? `stranger-${i}` : address;
    return state.addUser({
      login,
      email: `stranger-${i}@elsewhere.example`,
      orgId: random.chance(0.3) ? null : 1,
    });
  });
  const groups = ["Alpha", "Beta", "Gamma"].slice(0, isCrowd ? 1 : random.pick([1, 2, 3, 3])).map((name) =>
    okta.addGroup(name, random.some(people, isCrowd ? 0.97 : 0.6).map((person) => person.okta))
  );
  const config = configSchema.parse(settings(random, world, groups));
  const teams = [...new Set(config.sync.mappings.map(({ grafana_team }) => grafana_team))];
  const accounts = () =>
    [...people.flatMap(({ account }) => account ?? []), ...strangers].filter(({ id }) => state.users.has(id));
  const fill = (team: SimulatedTeam) => {
    for (const account of random.some(accounts(), 0.5)) {
      if (account.orgs.has(1)) team.members.set(account.id, random.chance(0.15) ? 4 : 0);
    }
  };
  for (const name of random.some(teams, 0.8)) {
    const team = state.addTeam(name);
    fill(team);
    if (random.chance(0.04)) team.isProvisioned = true;
    if (random.chance(0.04)) team.syncedBy = "LDAP";
  }
  const foreign = state.addTeam("Foreign");
  fill(foreign);
  state.orgs.set(2, "Other");
  for (const name of teams) state.addTeam(name, 2);

  const groupsOf = ({ okta_group, okta_group_id }: Mapping) =>
    okta.groups.filter(({ id, name }) => okta_group_id ? id === okta_group_id : name === okta_group);
  const mappingsOf = (team: string) =>
    config.sync.mappings.filter(({ grafana_team }) => grafana_team === team);
  const countingMembers = ({ members }: SimulatedOktaGroup) =>
    people.filter((person) =>
      members.has(person.okta) && config.okta.member_statuses.includes(person.okta.status)
    );

  return {
    world,
    config,
    teams,
    people,
    isCrowd,
    strangers,
    foreign,
    groupsOf,
    keysOf: (group) => {
      const { name = "" } = groups.find(({ id }) => id === group) ?? {};
      const mapped = config.sync.mappings.filter(({ okta_group }) => name.endsWith(okta_group));
      return new Set(mapped.map(({ okta_group_id }) => okta_group_id)).size;
    },
    mappingsOf,
    countingMembers,
    belonging: (team) =>
      new Set(
        mappingsOf(team).flatMap(groupsOf).flatMap(countingMembers).flatMap(({ account }) =>
          account?.id ?? []
        ),
      ),
    hands: createHands(random, { world, people, groups, teams, accounts, fill }),
    [Symbol.asyncDispose]: () => world.close(),
  };
}
