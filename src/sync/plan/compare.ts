/** Compares a team with what its groups say. */
import { addressOf, createDirectory, type Directory } from "../../grafana/directory.ts";
import type { GrafanaUser } from "../../grafana/schema.ts";
import type { People, Team } from "../observe/world.ts";
import { type Ambiguous, type Change, nameGroups, type Pending, whyAdded } from "./actions.ts";
import type { DesiredMember, DesiredTeam } from "./desired.ts";

/** How a team differs from what its groups say. */
export interface Difference {
  readonly additions: readonly Change<"add">[];
  readonly removals: readonly Change<"remove">[];
  readonly unresolved: readonly (Pending | Ambiguous)[];
  /** Who is who among the members who were found: Okta's id to Grafana's. */
  readonly identities: ReadonlyMap<string, number>;
}

/** Why each member leaves: gone from the groups, or there with a status that does not make them a member. */
function removalReasons(desired: DesiredTeam, directory: Directory): (user: GrafanaUser) => string {
  const statuses = new Map<number, string>();
  for (const user of desired.excluded) {
    const match = directory.match(user.profile);
    if (match.kind === "found") statuses.set(match.user.userId, user.status);
  }
  const groups = new Set(desired.sources.map(({ mapping }) => mapping.okta_group));
  const gone = `not in ${nameGroups([...groups])}`;
  return ({ userId }) => statuses.has(userId) ? `${statuses.get(userId)} in Okta` : gone;
}

/**
 * Everyone Grafana knows: the organisation and the team's own members, so that someone missing
 * from the organisation's list is still recognised. The team was read later, so its record of a member wins.
 */
function directoryOf({ members }: Team, people: People): Directory {
  const fresher = members.flatMap(({ userId, email, login }) => {
    const listed = people.byId.get(userId);
    if (listed?.email === email && listed?.login === login) return [];
    // A record without an email knows less, not something newer.
    return [{ userId, email: email?.trim() ? email : listed?.email, login }];
  });
  return fresher.length === 0 ? people.directory : createDirectory(fresher, people.directory);
}

/**
 * Where several people have one email, one account is found for all of them. The accounts that their logins point to
 * stay: each may have one of their own.
 */
function ownAccounts(
  members: readonly DesiredMember[],
  identities: ReadonlyMap<string, number>,
  directory: Directory,
): number[] {
  if (new Set(identities.values()).size === identities.size) return [];
  const shared = new Set(
    [...Map.groupBy(identities, ([, userId]) => userId).values()]
      .filter((owners) => owners.length > 1).flatMap((owners) => owners.map(([oktaId]) => oktaId)),
  );
  return members.filter(({ user }) => shared.has(user.id)).flatMap(({ user: { profile } }) => {
    const match = directory.match({ login: profile.login });
    if (match.kind === "unknown") return [];
    return match.kind === "found" ? [match.user.userId] : match.users.map(({ userId }) => userId);
  });
}

/** The changes that would make `team` equal to `desired`. */
export function compare(desired: DesiredTeam, team: Team, people: People): Difference {
  const directory = directoryOf(team, people);
  const present = new Set(team.members.map(({ userId }) => userId));
  const staying = new Set<number>();
  const additions = new Map<number, Change<"add">>();
  const unresolved: (Pending | Ambiguous)[] = [];
  const identities = new Map<string, number>();

  for (const member of desired.members) {
    const match = directory.match(member.user.profile);
    if (match.kind === "unknown") unresolved.push({ kind: "pending", member });
    else if (match.kind === "ambiguous") {
      unresolved.push({ kind: "ambiguous", member, users: match.users });
      for (const { userId } of match.users) staying.add(userId);
    } else {
      const { user } = match;
      identities.set(member.user.id, user.userId);
      staying.add(user.userId);
      if (present.has(user.userId) || additions.has(user.userId)) continue;
      const { source } = member;
      const why = whyAdded(member);
      additions.set(user.userId, { kind: "add", user, address: addressOf(user), source, why });
    }
  }
  for (const userId of ownAccounts(desired.members, identities, directory)) staying.add(userId);

  const leaving = team.members.filter(({ userId }) => !staying.has(userId));
  const [source] = desired.sources;
  const why = leaving.length > 0 ? removalReasons(desired, directory) : () => "";
  const removals = leaving.map((user): Change<"remove"> => (
    { kind: "remove", user, address: addressOf(user), source, why: why(user) }
  ));
  return { additions: [...additions.values()], removals, unresolved, identities };
}
