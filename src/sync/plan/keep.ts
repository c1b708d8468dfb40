/** Decides who stays although no group says so, because the configuration does. */
import { foldAddress } from "../../grafana/directory.ts";
import { type GrafanaUser, TEAM_ADMIN } from "../../grafana/schema.ts";
import type { Team } from "../observe/world.ts";
import type { Change, KeepReason, Kept } from "./actions.ts";
import type { Difference } from "./compare.ts";
import type { DesiredTeam } from "./desired.ts";

/** Which Grafana user each Okta user was when their addresses were last equal. */
export interface Identities {
  /** Grafana's id for an Okta id. */
  get(oktaId: string): number | undefined;
}

/** What keeps people in their teams. */
export interface Keeping {
  /** Emails or logins of users who are never removed from any team. */
  readonly protected_users: readonly string[];
  /** Whether a team's admins stay although they are in none of its groups. */
  readonly keep_team_admins: boolean;
  /** Somebody who was renamed in Okta alone stays until Grafana knows the new address. */
  readonly identities: Identities;
}

const WORDS: Readonly<Record<KeepReason, string>> = {
  "add-only": "the policy of this team is add-only",
  protected: "named in sync.protected_users",
  "team-admin": "an admin of the team, and sync.keep_team_admins is true",
  renamed: "renamed in Okta; Grafana learns the new address when they sign in",
};

/** Whether an account is that of a member who was renamed: nobody answers to their new address, or this one still has it. */
function renamedIn(
  { members }: DesiredTeam,
  found: Difference["identities"],
  identities: Identities,
): (user: GrafanaUser) => boolean {
  const moved = members.filter(({ user: { id } }) => {
    const before = identities.get(id);
    return before !== undefined && before !== found.get(id);
  });
  const formerly = Map.groupBy(moved, ({ user }) => identities.get(user.id));
  return (user) =>
    (formerly.get(user.userId) ?? []).some((member) => {
      if (!found.has(member.user.id)) return true;
      const { email, login } = member.user.profile;
      const theirs = new Set([email ?? "", login].filter(Boolean).map(foldAddress));
      return [user.email ?? "", user.login].some((address) => theirs.has(foldAddress(address)));
    });
}

/**
 * Splits removals into those that are wanted and those that the configuration does not want. A team that several
 * mappings feed is `add-only` if one of them is.
 */
export function keepPeople(
  { removals, identities: found }: Difference,
  desired: DesiredTeam,
  team: Team,
  { protected_users, keep_team_admins, identities }: Keeping,
): { readonly removals: readonly Change<"remove">[]; readonly kept: readonly Kept[] } {
  const isAddOnly = desired.sources.some(({ mapping }) => mapping.policy === "add-only");
  const isProtected = new Set(protected_users.map(foldAddress));
  const admins = new Set(
    team.members.filter(({ permission }) => permission >= TEAM_ADMIN).map(({ userId }) => userId),
  );
  const isRenamed = renamedIn(desired, found, identities);

  const reasonFor = ({ user }: Change): KeepReason | undefined => {
    if (isAddOnly) return "add-only";
    const addresses = [user.email ?? "", user.login].map(foldAddress);
    if (addresses.some((address) => address !== "" && isProtected.has(address))) return "protected";
    if (keep_team_admins && admins.has(user.userId)) return "team-admin";
    return isRenamed(user) ? "renamed" : undefined;
  };

  const wanted: Change<"remove">[] = [];
  const kept: Kept[] = [];
  for (const removal of removals) {
    const reason = reasonFor(removal);
    if (!reason) wanted.push(removal);
    else {
      kept.push({
        kind: "kept",
        reason,
        change: { ...removal, why: `${WORDS[reason]}; ${removal.why}` },
      });
    }
  }
  return { removals: wanted, kept };
}
