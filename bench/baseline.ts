/**
 * What the tools of this field do, written plainly: each cycle searches each group, reads all its members, looks its
 * team up, reads it, and writes one user at a time, in series. In its favour it reads Grafana's users once a cycle,
 * where many look up one after another.
 */
import { measure, readTask } from "./measure.ts";

const task = readTask();

async function ask(url: string, authorization: string, method = "GET", body?: unknown): Promise<Response> {
  const headers = { authorization, "content-type": "application/json" };
  const response = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}`);
  return response;
}

const okta = (path: string) =>
  ask(path.startsWith("http") ? path : task.okta + path, `SSWS ${task.oktaToken}`);
const grafana = async (method: string, path: string, body?: unknown) =>
  await (await ask(task.grafana + path, `Bearer ${task.grafanaToken}`, method, body)).json();

async function readGroup(name: string): Promise<string[]> {
  const search = new URLSearchParams({ search: `profile.name eq "${name}"` });
  const [group] = await (await okta(`/api/v1/groups?${search}`)).json();
  const emails: string[] = [];
  for (let next: string | undefined = `/api/v1/groups/${group.id}/users?limit=200`; next;) {
    const page = await okta(next);
    for (const { status, profile } of await page.json()) {
      if (status !== "SUSPENDED" && status !== "DEPROVISIONED") emails.push(profile.email);
    }
    next = page.headers.get("link")?.match(/<([^>]*)>; rel="next"/)?.[1];
  }
  return emails;
}

async function syncTeam(name: string, ids: ReadonlyMap<string, number>): Promise<void> {
  const wanted = new Set((await readGroup(name)).flatMap((email) => ids.get(email.toLowerCase()) ?? []));
  const { teams } = await grafana("GET", `/api/teams/search?${new URLSearchParams({ name })}`);
  const id = teams[0]?.id ?? (await grafana("POST", "/api/teams", { name })).teamId;
  const members = await grafana("GET", `/api/teams/${id}/members`);
  const present = new Set<number>(members.map(({ userId }: { userId: number }) => userId));
  for (const userId of wanted) {
    if (!present.has(userId)) await grafana("POST", `/api/teams/${id}/members`, { userId });
  }
  for (const userId of present) {
    if (!wanted.has(userId)) await grafana("DELETE", `/api/teams/${id}/members/${userId}`);
  }
}

await measure(task, async () => {
  const users: { email: string; userId: number }[] = await grafana("GET", "/api/org/users");
  const ids = new Map(users.map(({ email, userId }) => [email.toLowerCase(), userId]));
  for (let i = 0; i < task.mappings; i++) await syncTeam(`group-${i}`, ids);
});
