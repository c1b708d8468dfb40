/** What `gots plan` prints: a table for people, JSON for machines. */
import { addressOf, emailOf } from "../grafana/directory.ts";
import { plainLine } from "../observability/log.ts";
import type { GrafanaUser } from "../grafana/schema.ts";
import { type Action, type Change, type Hold, whyAdded } from "../sync/plan/actions.ts";
import type { DesiredMember } from "../sync/plan/desired.ts";
import { partsOf, type TeamPlan } from "../sync/plan/team.ts";
import { allowCommand } from "../sync/tell/command.ts";
import type { CycleReport } from "../sync/tell/report.ts";
import { formatTable } from "./table.ts";

/** The version of the JSON form; it rises when a field changes its meaning or goes away. */
export const PLAN_VERSION = 1;

const COLOURS: Readonly<Record<string, string>> = {
  "+": "\x1b[32m",
  "-": "\x1b[31m",
  "!": "\x1b[33m",
  "~": "\x1b[33m",
};

/** The rows of what is to be done. */
function actionRow(team: string, action: Action): string[] {
  switch (action.kind) {
    case "create_team":
      return [team, "+ create", "the team", "Grafana has no team with this name"];
    case "add":
      return [team, "+ add", action.address, action.why];
    case "remove":
    case "remove_creator":
      return [team, "- remove", action.address, action.why];
    case "join_organisation":
    case "create_user":
    case "set_role":
      return [team, "+ join", action.address, action.why];
    case "leave_organisation":
      return [team, "- leave", action.address, action.why];
  }
}

/** The rows of what is not done, and why. */
function holdRows(team: string, hold: Hold, joins: CycleReport["joins"]): string[][] {
  switch (hold.kind) {
    case "pending": {
      const { user } = hold.member;
      const next = joins.get(user.id)?.outlook;
      const why = `${whyAdded(hold.member)}, but not in this Grafana organisation${next ? `; ${next}` : ""}`;
      return [[team, "~ pending", addressOf(user.profile), why]];
    }
    case "ambiguous": {
      const why = hold.users.length > 1
        ? `${hold.users.length} Grafana users could be this person`
        : "only the login matches this person; the emails differ";
      return [[team, "! ambiguous", addressOf(hold.member.user.profile), why]];
    }
    case "kept":
      return [[team, "= keep", hold.change.address, hold.change.why]];
    case "on_hold":
      return [
        ...hold.removals.map(({ address }) => [team, "! on hold", address, hold.explanation]),
        ...hold.additions.map((
          { address },
        ) => [team, "! on hold", address, "removals from this team are on hold"]),
      ];
  }
}

function rowsOf({ team, actions, holds }: TeamPlan, joins: CycleReport["joins"]): string[][] {
  return [
    ...actions.map((action) => actionRow(team, action)),
    ...holds.flatMap((hold) => holdRows(team, hold, joins)),
  ];
}

/** The table. */
export function formatPlanTable(
  { plans, mappings, interrupted, joins }: CycleReport,
  hasColour: boolean,
): string {
  const rows = plans.flatMap((plan) => rowsOf(plan, joins));
  const failed = mappings.filter(({ errors }) => errors.length > 0);
  if (rows.length === 0) {
    if (interrupted) return plans.length > 0 ? "No changes so far." : "Nothing was compared.";
    if (failed.length === 0) return "No changes.";
    return plans.length > 0
      ? "No changes in the teams that could be compared; see the errors."
      : "No team could be compared; see the errors.";
  }
  const lines = formatTable(["TEAM", "CHANGE", "WHO", "WHY"], rows);
  if (!hasColour) return lines.join("\n");
  return lines.map((line, i) => {
    const colour = COLOURS[rows[i - 1]?.[1]?.charAt(0) ?? ""];
    return colour ? line.replace(/^.+$/gm, `${colour}$&\x1b[0m`) : line;
  }).join("\n");
}

/** The commands that let through what the removal limit holds, under a line that says so; empty if there are none. */
export function formatAllowCommands({ plans }: CycleReport, config: string): string {
  const limited = plans.filter((plan) => partsOf(plan).onHold?.reason === "removal-limit");
  if (limited.length === 0) return "";
  const commands = limited.map(({ team }) => `  ${plainLine(allowCommand(team, config))}\n`);
  return `To remove them anyway, run once:\n${commands.join("")}`;
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

function teamJson(plan: TeamPlan, config: string) {
  const { team, teamId, size } = plan;
  const { additions, removals, pending, ambiguous, kept, onHold } = partsOf(plan);
  return {
    name: team,
    id: teamId ?? null,
    members: size,
    add: additions.map(changeJson),
    remove: removals.map(changeJson),
    keep: kept.map(({ change, reason }) => ({ ...changeJson(change), reason })),
    pending: pending.map(({ member }) => ({ ...memberJson(member), groups: member.groups })),
    ambiguous: ambiguous.map(({ member, users }) => ({
      ...memberJson(member),
      candidates: users.map(userJson),
    })),
    on_hold: onHold
      ? {
        reason: onHold.reason,
        explanation: onHold.explanation,
        command: onHold.reason === "removal-limit" ? allowCommand(team, config) : null,
        remove: onHold.removals.map(changeJson),
        add: onHold.additions.map(changeJson),
      }
      : null,
  };
}

/** The JSON form, as the README documents it. `config` is for the commands in it; empty for the default. */
export function formatPlanJson({ plans, mappings, interrupted, startedAt }: CycleReport, config = "") {
  return {
    version: PLAN_VERSION,
    created_at: new Date(startedAt).toISOString(),
    complete: !interrupted && mappings.every(({ errors }) => errors.length === 0),
    teams: plans.map((plan) => teamJson(plan, config)),
    errors: mappings.flatMap(({ mapping, errors }) =>
      errors.map(({ message }) => ({
        okta_group: mapping.okta_group,
        grafana_team: mapping.grafana_team,
        message,
      }))
    ),
  };
}
