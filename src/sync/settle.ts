/** Brings created accounts into the organisation, and gives them their role there. */
import type { OrgRole } from "../config/grafana.ts";
import { errorMessage, isRequestError, isServiceWide } from "../http/error.ts";
import { audit } from "../observability/audit.ts";
import type { DesiredMember } from "./desired.ts";
import { fieldsOf, type JoinOptions, memberEmail, tellJoined } from "./joining.ts";
import { readOrganisation } from "./organisation.ts";
import { type Organisation, whyAdded } from "./plan.ts";

/** Gives somebody of the organisation their role, if they do not have it, and says so. */
async function giveRole(
  member: DesiredMember,
  userId: number,
  present: string | undefined,
  role: OrgRole,
  { grafana, log }: JoinOptions,
): Promise<void> {
  const isGiven = present === role;
  if (!isGiven) await grafana.setOrgRole(userId, role);
  const message = isGiven
    ? "User {user} has the role {role}: Grafana gives it to new users"
    : "Gave user {user} the role {role}";
  log.info(message, {
    ...fieldsOf(member),
    user: memberEmail(member),
    user_id: userId,
    role,
    ...audit("set_role", isGiven ? "found" : "done"),
    why: whyAdded(member),
  });
}

/**
 * Puts whoever was created into the organisation, if Grafana has not, and gives them their role. Who is settled is
 * forgotten; the others are tried again in the next cycle.
 */
export async function settleCreated(organisation: Organisation, options: JoinOptions): Promise<Organisation> {
  const { grafana, log, settings: { new_user_role: role }, memory, onError } = options;
  let changed = false;
  for (const [userId, member] of memory.created) {
    const user = organisation.byId.get(userId);
    try {
      if (user) {
        await giveRole(member, userId, user.role, role, options);
        memory.joined.set(member.user.id, userId);
      } else {
        const result = await grafana.addOrgUser(memberEmail(member), role);
        changed ||= result !== "unknown";
        if (typeof result === "number") {
          tellJoined(member, result, role, log);
          memory.joined.set(member.user.id, result);
        }
        // They came by themselves meanwhile, with a role that is not known.
        if (result === "present") continue;
      }
      memory.created.delete(userId);
    } catch (error) {
      if (isRequestError(error, "interrupted")) throw error;
      onError(member, `${memberEmail(member)} was created, but is not yet ${role}: ${errorMessage(error)}`);
      if (isServiceWide(error)) break;
    }
  }
  return changed ? await readOrganisation(grafana) : organisation;
}
