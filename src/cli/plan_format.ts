/** What `gots plan` prints: a table for people, JSON for machines. */
import { addressOf, emailOf } from "../grafana/directory.ts";
import { plainLine } from "../observability/log.ts";
import type { GrafanaUser } from "../grafana/schema.ts";
import type { DesiredMember } from "../sync/desired.ts";
import { allowCommand, type GuardedPlan } from "../sync/guard.ts";
import { type Change, whyAdded } from "../sync/plan.ts";
import type { CycleReport } from "../sync/report.ts";
import { formatTable } from "./table.ts";

/** The version of the JSON form; it rises when a field changes its meaning or goes away. */
export const PLAN_VERSION = 1;

const COLOURS: Readonly<Record<string, string>> = {
  "+": "\x1b[32m",
  "-": "\x1b[31m",
  "!": "\x1b[33m",
  "~": "\x1b[33m",
};

function changeRow(team: string, sign: string, { address, why }: Change): string[] {
  return [team, sign, address, why];
}

function rowsOf(
  { team, teamId, additions, removals, kept, pending, ambiguous, withheld }: GuardedPlan,
  outlook: CycleReport["outlook"],
): string[][] {
  return [
    ...(teamId === undefined ? [[team, "+ create", "the team", "Grafana has none of this name"]] : []),
    ...additions.map((change) => changeRow(team, "+ add", change)),
    ...removals.map((change) => changeRow(team, "- remove", change)),
    ...pending.map((member) => {
      const next = outlook?.get(member.user.id);
      const why = `${whyAdded(member)}, but not known in this organisation${next ? `; ${next}` : ""}`;
      return [team, "~ pending", addressOf(member.user.profile), why];
    }),
    ...ambiguous.map(({ member: { user }, users }) => {
      const why = users.length > 1
        ? `${users.length} Grafana users answer to this address`
        : "only a login speaks for this user, and the emails differ";
      return [team, "! unclear", addressOf(user.profile), why];
    }),
    ...kept.map((change) => changeRow(team, "= keep", change)),
    ...(withheld?.removals ?? []).map((change) =>
      changeRow(team, "! withheld", { ...change, why: withheld?.explanation ?? "" })
    ),
    ...(withheld?.additions ?? []).map((change) =>
      changeRow(team, "! waiting", { ...change, why: "the removals of this team are withheld" })
    ),
  ];
}

/** The table. */
export function formatPlanTable(
  { plans, mappings, interrupted, outlook }: CycleReport,
  hasColour: boolean,
): string {
  const rows = plans.flatMap((plan) => rowsOf(plan, outlook));
  const failed = mappings.filter(({ errors }) => errors.length > 0);
  if (rows.length === 0) {
    if (interrupted) return plans.length > 0 ? "No changes so far." : "Nothing was compared.";
    if (failed.length === 0) return "No changes.";
    return plans.length > 0
      ? "No changes where it could be compared; see the errors."
      : "Nothing could be compared for certain; see the errors.";
  }
  const lines = formatTable(["TEAM", "CHANGE", "WHO", "WHY"], rows);
  if (!hasColour) return lines.join("\n");
  return lines.map((line, i) => {
    const colour = COLOURS[rows[i - 1]?.[1]?.charAt(0) ?? ""];
    return colour ? line.replace(/^.+$/gm, `${colour}$&\x1b[0m`) : line;
  }).join("\n");
}

/** The commands that let through what the removal limit withholds, under a line that says so; empty if there are none. */
export function formatAllowCommands({ plans }: CycleReport, config: string): string {
  const limited = plans.filter(({ withheld }) => withheld?.reason === "removal-limit");
  if (limited.length === 0) return "";
  const commands = limited.map(({ team }) => `  ${plainLine(allowCommand(team, config))}\n`);
  return `To remove them nevertheless, run once:\n${commands.join("")}`;
}

function userJson(user: GrafanaUser) {
  return { user_id: user.userId, email: emailOf(user) || null, login: user.login };
}

function memberJson({ user: { id, profile } }: DesiredMember) {
  return { okta_id: id, email: emailOf(profile) || null, login: profile.login };
}

function changeJson({ user, why }: Change) {
  return { ...userJson(user), why };
}

/** The JSON form, as the README documents it. `config` is for the commands in it; empty for the default. */
export function formatPlanJson({ plans, mappings, interrupted, startedAt }: CycleReport, config = "") {
  return {
    version: PLAN_VERSION,
    created_at: new Date(startedAt).toISOString(),
    complete: !interrupted && mappings.every(({ errors }) => errors.length === 0),
    teams: plans.map(({ team, teamId, size, additions, removals, kept, pending, ambiguous, withheld }) => ({
      name: team,
      id: teamId ?? null,
      members: size,
      add: additions.map(changeJson),
      remove: removals.map(changeJson),
      keep: kept.map((one) => ({ ...changeJson(one), reason: one.reason })),
      pending: pending.map((member) => ({ ...memberJson(member), groups: member.groups })),
      unclear: ambiguous.map(({ member, users }) => ({
        ...memberJson(member),
        candidates: users.map(userJson),
      })),
      withheld: withheld
        ? {
          reason: withheld.reason,
          explanation: withheld.explanation,
          command: withheld.reason === "removal-limit" ? allowCommand(team, config) : null,
          remove: withheld.removals.map(changeJson),
          add: withheld.additions.map(changeJson),
        }
        : null,
    })),
    errors: mappings.flatMap(({ mapping, errors }) =>
      errors.map(({ message }) => ({
        okta_group: mapping.okta_group,
        grafana_team: mapping.grafana_team,
        message,
      }))
    ),
  };
}
