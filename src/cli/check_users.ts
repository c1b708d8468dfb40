/** Checks whether Grafana shows all users of its organisation. */
import { count } from "../config/count.ts";
import { failedFinding, type Finding } from "./finding.ts";
import type { GrafanaClient } from "../grafana/client.ts";

const ADVICE = "gots cannot add them to teams or remove them: see [users] hidden_users in Grafana's " +
  "configuration, or sign in as a server administrator with grafana.username and grafana.password";

/** How many users there are, and how many of them Grafana hides. */
export async function checkUsers(client: GrafanaClient): Promise<Finding> {
  const [service, what] = ["Grafana", "users"] as const;
  try {
    const { items: { length }, hidden } = await client.listOrgUsers();
    if (hidden === 0) {
      return { service, what, result: "ok", seen: `${count(length, "user")} in the organisation` };
    }
    const seen = `${hidden} of ${length + hidden} users are hidden from this credential`;
    return { service, what, result: "warning", seen, advice: ADVICE };
  } catch (error) {
    return failedFinding(service, what, error);
  }
}
