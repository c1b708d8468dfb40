/** Decides who stays although no group says so, because the configuration does. Pure: no fetch, no clock, no log. */
import { foldAddress } from "../grafana/directory.ts";
import { type GrafanaUser, TEAM_ADMIN } from "../grafana/schema.ts";
import type { DesiredTeam } from "./desired.ts";
import type { Change, CurrentTeam, TeamPlan } from "./plan.ts";

/** Why somebody is kept: a closed set of words. */
export const KEEPING_REASONS = ["add-only", "protected", "team-admin", "renamed"] as const;

/** Why somebody is kept. */
export type KeepingReason = (typeof KEEPING_REASONS)[number];

/** A removal that is not wanted, which is no failure. */
export interface Kept extends Change {
  readonly reason: KeepingReason;
}

/** A plan after the settings that keep people. */
export interface PolicedPlan extends TeamPlan {
  readonly kept: readonly Kept[];
}

/** Which Grafana user each Okta user was when their addresses were last equal. Okta's id to Grafana's. */
export type Identities = ReadonlyMap<string, number>;

/** What keeps people in their teams. */
export interface Keeping {
  /** Emails or logins of users who are never removed from any team. */
  readonly protected_users: readonly string[];
  /** Whether a team's admins stay although they are in none of its groups. */
  readonly keep_team_admins: boolean;
  /** Whoever was renamed in Okta alone stays until Grafana knows the new address. */
  readonly identities: Identities;
}

const WORDS: Readonly<Record<KeepingReason, string>> = {
  "add-only": "the policy of this team is add-only",
  protected: "named in sync.protected_users",
  "team-admin": "an admin of the team, and sync.keep_team_admins is true",
  renamed: "renamed in Okta; Grafana learns the new address when they sign in",
};

/**
 * Moves removals that the configuration does not want from `removals` to `kept`. A team that several mappings
 * feed is `add-only` if one of them is.
 */
export function keepPeople(
  plan: TeamPlan,
  desired: DesiredTeam,
  current: CurrentTeam,
  { protected_users, keep_team_admins, identities }: Keeping,
): PolicedPlan {
  const addOnly = desired.sources.some(({ mapping }) => mapping.policy === "add-only");
  const protectedAddresses = new Set(protected_users.map(foldAddress));
  const admins = new Set(
    current.members.filter(({ permission }) => permission >= TEAM_ADMIN).map(({ userId }) => userId),
  );
  const moved = desired.members.filter(({ user: { id } }) =>
    identities.has(id) && identities.get(id) !== plan.identities.get(id)
  );
  const formerly = Map.groupBy(moved, ({ user }) => identities.get(user.id));

  /** They are found nowhere now; or elsewhere, while this account still carries an address of theirs. */
  const isRenamed = (user: GrafanaUser): boolean =>
    (formerly.get(user.userId) ?? []).some((member) => {
      if (!plan.identities.has(member.user.id)) return true;
      const { email, login } = member.user.profile;
      const theirs = new Set([email ?? "", login].filter(Boolean).map(foldAddress));
      return [user.email ?? "", user.login].some((address) => theirs.has(foldAddress(address)));
    });

  const reasonFor = ({ user }: Change): KeepingReason | undefined => {
    if (addOnly) return "add-only";
    const addresses = [user.email ?? "", user.login].map(foldAddress);
    if (addresses.some((address) => address !== "" && protectedAddresses.has(address))) return "protected";
    if (keep_team_admins && admins.has(user.userId)) return "team-admin";
    return isRenamed(user) ? "renamed" : undefined;
  };

  const removals: Change[] = [];
  const kept: Kept[] = [];
  for (const removal of plan.removals) {
    const reason = reasonFor(removal);
    if (reason) kept.push({ ...removal, reason, why: `${WORDS[reason]}; ${removal.why}` });
    else removals.push(removal);
  }
  return { ...plan, removals, kept };
}
