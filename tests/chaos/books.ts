/** What the program says that it did, beside what it did. */
import type { AuditLine } from "../../src/observability/audit.ts";
import { type CycleReport, totals } from "../../src/sync/tell/report.ts";

/** An audit line of somebody in a team. */
type Line = AuditLine & { readonly team_id?: number; readonly user_id?: number };

/** Keeps the books of one cycle. */
export interface Books {
  /** A cycle begins. */
  begin(): void;
  /** Grafana said that this was written, and it was. */
  wrote(action: "add" | "remove", team: number, user: number): void;
  /** Grafana showed who is in a team: what somebody has undone by then need not be told. */
  showed(team: number, members: ReadonlySet<number>): void;
  /** The program says that it did something. */
  read(line: AuditLine): void;
  /** What is wrong at the end of the cycle, in sentences. `created` are the teams that it created. */
  settle(report: CycleReport, created: ReadonlySet<number>): string[];
}

/** Opens the books of an account; of its way out of a team that it created there is a line, and it need not be counted. */
export function createBooks(ownId: number): Books {
  /** By team: what was written last for each user. */
  const written = new Map<number, Map<number, "add" | "remove">>();
  const told: Line[] = [];
  return {
    begin() {
      written.clear();
      told.length = 0;
    },
    wrote(action, team, user) {
      written.set(team, (written.get(team) ?? new Map()).set(user, action));
    },
    showed(team, members) {
      for (const [user, action] of written.get(team) ?? []) {
        if (members.has(user) !== (action === "add")) written.get(team)?.delete(user);
      }
    },
    read(line: Line) {
      if (line.outcome === "done" && (line.action === "add" || line.action === "remove")) told.push(line);
    },
    settle(report, created) {
      const lines = new Set(told.map((one) => `${one.action} of user ${one.user_id} in team ${one.team_id}`));
      const done = [...written].flatMap(([team, users]) =>
        [...users].map(([user, action]) => `${action} of user ${user} in team ${team}`)
      );
      const untold = done.filter((one) => !lines.has(one)).map((one) => `no line tells of the ${one}`);
      const isOwn = ({ team_id = 0, user_id }: Line) => created.has(team_id) && user_id === ownId;
      const linesOf = (action: string) => told.filter((one) => one.action === action);
      const [adds, removes] = [linesOf("add"), linesOf("remove")];
      const { added, removed } = totals(report);
      const other = removes.length - removed;
      // Where it cannot go at once, it goes like anybody.
      const isCounted = added === adds.length && other >= 0 && other <= removes.filter(isOwn).length;
      if (report.interrupted || isCounted) return untold;
      return [...untold, `+${added}, -${removed} is counted, +${adds.length}, -${removes.length} is told`];
    },
  };
}
