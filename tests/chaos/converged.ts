/** What must hold when everything has been calm for a while: every team equals its groups, or there is a true reason. */
import { foldAddress } from "../../src/grafana/directory.ts";
import { partsOf, type TeamPlan } from "../../src/sync/plan/team.ts";
import type { CycleReport } from "../../src/sync/tell/report.ts";
import type { Scene } from "./scene.ts";

/** Whether every group of a team can be found, so that the team can be compared. */
function isReadable(scene: Scene, team: string): boolean {
  return scene.mappingsOf(team).every((mapping) => scene.groupsOf(mapping).length === 1);
}

/** Whether one of the team's groups is empty, and may not be. */
function hasEmptyGroup(scene: Scene, team: string): boolean {
  return scene.mappingsOf(team).some((mapping) =>
    !mapping.allow_empty &&
    scene.groupsOf(mapping).every(({ members }) => members.size === 0)
  );
}

/** Reasons of the plan that are not true. */
function untrueReasons(scene: Scene, plan: TeamPlan): string[] {
  const { sync } = scene.config;
  const { kept, onHold } = partsOf(plan);
  const mappings = scene.mappingsOf(plan.team);
  const untrue = kept.filter(({ reason, change: { user } }) => {
    if (reason === "add-only") return mappings.every(({ policy }) => policy !== "add-only");
    if (reason === "team-admin") return !sync.keep_team_admins;
    if (reason === "protected") return sync.protected_users.length === 0;
    return !scene.people.some(({ account, isRenamed }) => isRenamed && account?.id === user.userId);
  }).map(({ reason, change: { address } }) =>
    `${address} is kept in ${plan.team} as ${reason}, which is not true`
  );
  const reason = onHold?.reason;
  const isTrue = reason === undefined ||
    (reason === "incomplete-read" && !isReadable(scene, plan.team)) ||
    (reason === "empty-group" && hasEmptyGroup(scene, plan.team)) ||
    (reason === "removal-limit" && mappings.some(({ removal_limit }) => removal_limit !== "off"));
  return isTrue
    ? untrue
    : [...untrue, `removals of ${plan.team} are on hold as ${reason}, which is not true`];
}

/** Everybody who is where they should not be, or not where they should be, without a reason. */
function strays(scene: Scene, plan: TeamPlan): string[] {
  const { kept, ambiguous, onHold } = partsOf(plan);
  const { world: { grafana: { state } }, people } = scene;
  const members = state.team(plan.team)?.members ?? new Map<number, number>();
  const belonging = scene.belonging(plan.team);
  const idsOf = (changes: readonly { user: { userId: number } }[] = []) =>
    changes.map(({ user }) => user.userId);
  const waiting = new Set(idsOf(onHold?.additions));
  const staying = new Set([
    ...idsOf(onHold?.removals),
    ...idsOf(kept.map(({ change }) => change)),
    ...ambiguous.flatMap(({ users }) => users.map(({ userId }) => userId)),
  ]);
  const emails = [...state.users.values()].map(({ email }) => foldAddress(email));
  const missing = people.flatMap(({ okta, account, isRenamed }) => {
    if (!account || isRenamed || !account.orgs.has(1) || okta.email === null) return [];
    const email = foldAddress(okta.email);
    if (foldAddress(account.email) !== email || emails.filter((one) => one === email).length > 1) return [];
    if (members.has(account.id) || waiting.has(account.id) || !belonging.has(account.id)) {
      return [];
    }
    return [`${account.email} is missing in ${plan.team}`];
  });
  const surplus = [...members.keys()]
    .filter((id) => !belonging.has(id) && !staying.has(id))
    .map((id) => `${state.users.get(id)?.email} is in ${plan.team} without a reason`);
  return [...missing, ...surplus];
}

/** What is wrong at the end, in sentences. */
export function findStrays(scene: Scene, { plans, mappings, dryRun }: CycleReport): string[] {
  if (dryRun) return [];
  const { state } = scene.world.grafana;
  return scene.teams.flatMap((name) => {
    const team = state.team(name);
    if (team?.isProvisioned || team?.syncedBy) return [];
    const plan = plans.find((one) => one.team === name);
    if (plan) return [...untrueReasons(scene, plan), ...strays(scene, plan)];
    if (!isReadable(scene, name)) return [];
    const errors = mappings.filter(({ mapping }) => mapping.grafana_team === name).flatMap((one) =>
      one.errors
    );
    return [`${name} was not compared: ${errors.map(({ message }) => message).join("; ") || "skipped"}`];
  });
}
