/** What a simulated Grafana remembers: users, organisations, teams, credentials. */
import { greaterOrEqual, parse } from "@std/semver";

/** A role in an organisation. */
export type OrgRole = "Viewer" | "Editor" | "Admin" | "None";

/** A user of the simulated server. */
export interface SimulatedGrafanaUser {
  readonly id: number;
  login: string;
  email: string;
  name: string;
  /** Their role in each organisation that they are in. */
  readonly orgs: Map<number, OrgRole>;
}

/** A team of the simulated server. */
export interface SimulatedTeam {
  readonly id: number;
  readonly orgId: number;
  name: string;
  /** Permission by user: 0 for a member, 4 for an admin. */
  readonly members: Map<number, number>;
  /** From Grafana 12 on: whether something else provisions the team; writes of members are refused then. */
  isProvisioned?: boolean;
  /** What syncs the memberships, such as `LDAP`, if something does. */
  syncedBy?: string;
}

/** A service account, which shares the ids of users. */
export interface ServiceAccount {
  readonly id: number;
  readonly orgId: number;
  readonly name: string;
  readonly role: OrgRole;
}

/** Who makes a request. */
export interface Actor {
  readonly orgId: number;
  readonly role: OrgRole;
  /** The server's administrator, who signs in with a password. */
  readonly isServerAdmin: boolean;
  readonly login: string;
  readonly name: string;
}

/** An invitation to an organisation. */
export interface Invite {
  readonly id: number;
  readonly orgId: number;
  readonly email: string;
  readonly role: OrgRole;
  readonly invitedBy: Actor;
}

/** Somebody as an identity provider shows them at sign-in. */
export interface SigningIn {
  readonly email: string;
  readonly login: string;
  readonly name: string;
  /** Their id at the identity provider. @default {the login} */
  readonly authId?: string;
}

/** Since this version an account is found by email only if a setting says so (CVE-2023-3128). */
const WITHOUT_EMAIL_LOOKUP = "9.5.4";

/** Everything that a simulated Grafana remembers. */
export class GrafanaState {
  version = "9.5.0";
  /** Whether `GET /api/health` leaves the version out. */
  hideVersion = false;
  /** `[auth] oauth_allow_insecure_email_lookup` */
  allowInsecureEmailLookup = false;
  /** `[users] auto_assign_org` and `auto_assign_org_role` */
  autoAssign: { org: boolean; role: OrgRole } = { org: true, role: "Viewer" };
  /** `[users] auto_assign_org_id` */
  autoAssignOrgId = 1;
  /** `[auth.okta] skip_org_role_sync` */
  skipOrgRoleSync = false;
  /** `[users] hidden_users`: logins that only a server administrator is shown. */
  readonly hiddenUsers = new Set<string>();
  /** The account of each identity that has signed in. */
  readonly identities = new Map<string, number>();
  readonly users = new Map<number, SimulatedGrafanaUser>();
  /** Where emails were found last: many users are looked up in a large organisation. */
  readonly #lastByEmail = new Map<string, SimulatedGrafanaUser>();
  readonly teams = new Map<number, SimulatedTeam>();
  readonly orgs = new Map<number, string>([[1, "Main Org."]]);
  readonly serviceAccounts = new Map<number, ServiceAccount>();
  /** The account of each token. */
  readonly tokens = new Map<string, ServiceAccount>();
  readonly invites: Invite[] = [];
  /** The last id of a user, of a team, and of a token made over HTTP; tests may set it. */
  readonly lastId = { user: 0, team: 0, token: 0 };

  /** The account of the server's administrator. */
  readonly adminId: number;

  constructor() {
    this.adminId = this.addUser({ login: "admin", email: "admin@localhost", name: "", role: "Admin" }).id;
  }

  /** Adds a user to the server and, unless `orgId` is `null`, to an organisation. */
  addUser(
    { login, email, name, role = "Viewer", orgId = 1 }: {
      login: string;
      email: string;
      name?: string;
      role?: OrgRole;
      orgId?: number | null;
    },
  ): SimulatedGrafanaUser {
    const id = ++this.lastId.user;
    const orgs = new Map(orgId === null ? [] : [[orgId, role] as const]);
    const user = { id, login, email, name: name ?? login, orgs };
    this.users.set(id, user);
    // Deleted users are not kept forever.
    if (this.#lastByEmail.size > 2 * this.users.size) this.#lastByEmail.clear();
    if (!this.#lastByEmail.has(email)) this.#lastByEmail.set(email, user);
    return user;
  }

  /** Whether this version is that one, or a later one. */
  isSince(since: string): boolean {
    return greaterOrEqual(parse(this.version), parse(since));
  }

  /** Whether this version has the setting, and looks accounts up by email only with it. */
  get hasEmailLookupSetting(): boolean {
    return this.isSince(WITHOUT_EMAIL_LOOKUP);
  }

  /**
   * Somebody signs in by OAuth: into the account of their identity, else by email where Grafana allows that,
   * else into a new one. Unless `skipOrgRoleSync`, they are in the organisation of `autoAssignOrgId` alone from then on.
   *
   * @throws {Error} `user already exists` if that one's email or login is taken: they are locked out.
   */
  signIn({ email, login, name, authId = login }: SigningIn): SimulatedGrafanaUser {
    const ownId = this.identities.get(authId);
    const own = ownId === undefined ? undefined : this.users.get(ownId);
    const byEmail = !this.hasEmailLookupSetting || this.allowInsecureEmailLookup
      ? [...this.users.values()].find((user) => user.email === email)
      : undefined;
    const known = own ?? byEmail;
    const taken = [...this.users.values()].some((user) => user.email === email || user.login === login);
    if (!known && taken) throw new Error("user already exists");
    const { autoAssignOrgId: orgId, autoAssign: { role } } = this;
    const user = known ?? this.addUser({ email, login, name, role, orgId });
    Object.assign(user, { email, login, name });
    if (!this.skipOrgRoleSync) this.#moveTo(orgId, user);
    this.identities.set(authId, user.id);
    return user;
  }

  /** Takes a user out of all organisations but one, and out of their teams there. */
  #moveTo(orgId: number, { id, orgs }: SimulatedGrafanaUser): void {
    const role = orgs.get(orgId) ?? this.autoAssign.role;
    orgs.clear();
    orgs.set(orgId, role);
    for (const team of this.teams.values()) if (team.orgId !== orgId) team.members.delete(id);
  }

  addTeam(name: string, orgId = 1): SimulatedTeam {
    const team: SimulatedTeam = { id: ++this.lastId.team, orgId, name, members: new Map() };
    this.teams.set(team.id, team);
    return team;
  }

  addServiceAccount(name: string, role: OrgRole, orgId = 1): ServiceAccount {
    const account = { id: ++this.lastId.user, orgId, name, role };
    this.serviceAccounts.set(account.id, account);
    return account;
  }

  /** Whether the caller is shown this user. */
  isShownTo({ isServerAdmin }: Actor, { login }: Pick<SimulatedGrafanaUser, "login">): boolean {
    return isServerAdmin || !this.hiddenUsers.has(login);
  }

  /** The users of an organisation, in the order in which Grafana lists them. */
  usersOf(orgId: number): SimulatedGrafanaUser[] {
    return sortByName([...this.users.values()].filter((user) => user.orgs.has(orgId)), ({ login }) => login);
  }

  /** Finds a user of the server by their email, whose case counts. */
  findByEmail(email: string): SimulatedGrafanaUser | undefined {
    const last = this.#lastByEmail.get(email);
    if (last?.email === email && this.users.get(last.id) === last) return last;
    const user = this.users.values().find((one) => one.email === email);
    if (user) this.#lastByEmail.set(email, user);
    return user;
  }

  /** Finds a user of the server: an email goes before a login, and case counts. */
  lookUp(loginOrEmail: string): SimulatedGrafanaUser | undefined {
    return this.findByEmail(loginOrEmail) ??
      this.users.values().find(({ login }) => login === loginOrEmail);
  }

  /** The team with this name in an organisation, the first unless another is named. */
  team(name: string, orgId = 1): SimulatedTeam | undefined {
    return [...this.teams.values()].find((team) => team.name === name && team.orgId === orgId);
  }

  /** The emails of a team's members, sorted; empty if there is no such team. */
  membersOf(name: string, orgId = 1): string[] {
    return [...this.team(name, orgId)?.members.keys() ?? []].map((id) =>
      this.users.get(id)?.email ?? `user ${id}`
    )
      .sort();
  }
}

/** Sorts by code points, as SQLite does. */
export function sortByName<T>(items: T[], nameOf: (item: T) => string): T[] {
  return items.sort((a, b) => nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0);
}
