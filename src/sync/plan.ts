/** Compares the desired membership of a team with the present one. Pure: no fetch, no clock, no log. */
import type { Mapping } from "../config/schema.ts";
import { addressOf, createDirectory, type Directory } from "../grafana/directory.ts";
import type { GrafanaUser, OrgUser, TeamMember } from "../grafana/schema.ts";
import type { DesiredMember, DesiredTeam } from "./desired.ts";

/** A team as Grafana has it. */
export interface CurrentTeam {
  /** `undefined` if the team does not exist yet. */
  readonly id: number | undefined;
  /** How many members Grafana counts; it may show fewer. */
  readonly memberCount: number;
  readonly members: readonly TeamMember[];
}

/** The users of the organisation, and how to find people among them. */
export interface Organisation {
  readonly byId: ReadonlyMap<number, OrgUser>;
  readonly directory: Directory;
  /** How many more users Grafana counts than it lists: who they are, and in which teams, is not known. */
  readonly hidden: number;
}

/** One change to a team. */
export interface Change {
  readonly action: "add" | "remove";
  readonly user: GrafanaUser;
  /** How the user is named in logs: their email, or their login if they have none. */
  readonly address: string;
  /** The mapping on which the change is counted. */
  readonly mapping: Mapping;
  /** Why, in words. */
  readonly why: string;
}

/** A member of the groups who cannot be put into the team, and why. */
export interface Ambiguity {
  readonly member: DesiredMember;
  readonly users: readonly GrafanaUser[];
}

/** What is to be done with one team. */
export interface TeamPlan {
  readonly team: string;
  /** `undefined` if the team is to be created. */
  readonly teamId: number | undefined;
  /** How many members it has now. */
  readonly size: number;
  readonly additions: readonly Change[];
  readonly removals: readonly Change[];
  /** Members of the groups whom this organisation does not know. */
  readonly pending: readonly DesiredMember[];
  readonly ambiguous: readonly Ambiguity[];
  /** Who is who: Okta's id to Grafana's, of the members who were found. */
  readonly identities: ReadonlyMap<string, number>;
}

/** Makes an organisation of its users. */
export function createOrganisation(users: readonly OrgUser[], hidden = 0): Organisation {
  return {
    hidden,
    byId: new Map(users.map((user) => [user.userId, user])),
    directory: createDirectory(users),
  };
}

/** Groups by their names, as log lines have them. */
export function nameGroups(groups: readonly string[]): string {
  return `Okta group${groups.length === 1 ? "" : "s"} ${groups.map((group) => `'${group}'`).join(", ")}`;
}

/** Why somebody gets into a team, or for its sake into Grafana, in words. */
export function whyAdded({ groups }: Pick<DesiredMember, "groups">): string {
  return `in ${nameGroups(groups)}`;
}

/** Tells for each removal whether the person is gone from the groups, or there with a status that does not count. */
function removalReasons(desired: DesiredTeam, directory: Directory): (user: GrafanaUser) => string {
  const statuses = new Map<number, string>();
  for (const user of desired.excluded) {
    const match = directory.match(user.profile);
    if (match.kind === "found") statuses.set(match.user.userId, user.status);
  }
  const groups = [...new Set(desired.sources.map(({ mapping }) => mapping.okta_group))];
  const gone = `not in ${nameGroups(groups)}`;
  return (user) => statuses.has(user.userId) ? `${statuses.get(user.userId)} in Okta` : gone;
}

/**
 * Where several people have one email, one account is found for all of them. Whom their logins point to
 * stays: each may have an account of their own.
 */
function keepOwnAccounts(
  members: readonly DesiredMember[],
  identities: ReadonlyMap<string, number>,
  directory: Directory,
  staying: Set<number>,
): void {
  if (new Set(identities.values()).size === identities.size) return;
  const owners = Map.groupBy(identities, ([, userId]) => userId);
  for (const { user: { id, profile } } of members) {
    if ((owners.get(identities.get(id) ?? NaN)?.length ?? 0) < 2) continue;
    const match = directory.match({ login: profile.login });
    if (match.kind === "found") staying.add(match.user.userId);
    if (match.kind === "ambiguous") { for (const { userId } of match.users) staying.add(userId); }
  }
}

/**
 * The changes that make `current` equal to `desired`.
 *
 * Who stays is decided by everyone whom Grafana knows: the organisation and the team's own members, so
 * that somebody whom the list of the organisation misses is not taken for a stranger. The team was read
 * later, so its record of a member counts.
 */
export function planTeam(desired: DesiredTeam, current: CurrentTeam, organisation: Organisation): TeamPlan {
  const fresher = current.members.flatMap(({ userId, email, login }) => {
    const listed = organisation.byId.get(userId);
    if (listed?.email === email && listed?.login === login) return [];
    // A record without an email knows less, not something newer.
    return [{ userId, email: email?.trim() ? email : listed?.email, login }];
  });
  const directory = fresher.length === 0
    ? organisation.directory
    : createDirectory(fresher, organisation.directory);
  const present = new Set(current.members.map(({ userId }) => userId));
  const staying = new Set<number>();
  const additions = new Map<number, Change>();
  const pending: DesiredMember[] = [];
  const ambiguous: Ambiguity[] = [];
  const identities = new Map<string, number>();

  for (const member of desired.members) {
    const match = directory.match(member.user.profile);
    if (match.kind === "unknown") pending.push(member);
    else if (match.kind === "ambiguous") {
      ambiguous.push({ member, users: match.users });
      for (const { userId } of match.users) staying.add(userId);
    } else {
      const { user } = match;
      identities.set(member.user.id, user.userId);
      staying.add(user.userId);
      if (present.has(user.userId) || additions.has(user.userId)) continue;
      const { mapping } = member;
      const address = addressOf(user);
      additions.set(user.userId, { action: "add", user, address, mapping, why: whyAdded(member) });
    }
  }

  keepOwnAccounts(desired.members, identities, directory, staying);

  const leaving = current.members.filter(({ userId }) => !staying.has(userId));
  const [first] = desired.sources;
  if (!first) throw new TypeError(`team '${desired.name}' has no mapping`);
  const why = leaving.length > 0 ? removalReasons(desired, directory) : () => "";
  return {
    team: desired.name,
    teamId: current.id,
    size: current.members.length,
    additions: [...additions.values()],
    removals: leaving.map((user) => ({
      action: "remove",
      user,
      address: addressOf(user),
      mapping: first.mapping,
      why: why(user),
    })),
    pending,
    ambiguous,
    identities,
  };
}
