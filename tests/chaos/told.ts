/** What a process was told in a cycle: all that it can know. */

/** Somebody in a team, as they were shown. */
interface Shown {
  readonly permission: number;
  /** The moment since which they were in every reading of the team. */
  readonly since: number;
}

/** A group, as it was read. */
interface ReadGroup {
  /** Who was in it, by each reading that came to its end. */
  readonly whole: Set<string>[];
  underWay: Set<string>;
  /** The moment of the last end. */
  at: number;
  /** Whether nothing was read since. */
  isAtEnd: boolean;
}

/** What was told in this cycle. */
export interface Told {
  /** A cycle begins: what was told before is no proof any more. */
  forget(): void;
  /** A request was answered; `isWhole` if no fault left it without a whole answer. */
  note(request: Request, response: Response | undefined, isWhole: boolean): Promise<void>;
  /** The program made a team: it knows that nobody is in it. */
  noteCreated(team: number): void;
  /** How often a group was read to its last page; none if the last reading has not come to its end. */
  readings(group: string): number;
  /** The moment at which a group was read to its last page last. */
  readAt(group: string): number;
  /** Whether Okta showed somebody in a group, in the first reading or in the last one: any team rests on these. */
  showed(group: string, user: string): boolean;
  /** A team's members, as they were shown last. */
  members(team: number): ReadonlyMap<number, Shown> | undefined;
  /** Whether a team was read after all else that was asked of Okta, or written, except the team's whole membership. */
  isFresh(team: number): boolean;
  /** The pages of lists whose last answer was not whole. */
  unread(): string[];
}

const OKTA = /^\/api\/v1\//;
const GROUP_MEMBERS = /^\/api\/v1\/groups\/(\w+)\/users$/;
const TEAM_MEMBERS = /^\/api\/teams\/(\d+)\/members$/;
const LATER_PAGE = /[?&](?:after=|page=(?!1(?:&|$)))/;
/** Where they cannot be read, the program does without. */
const OPTIONAL = /lastUpdated|[?&]query=|access-control/;

async function isListWithoutLinks(response: Response | undefined): Promise<boolean> {
  if (!response?.ok || response.headers.has("link")) return false;
  return Array.isArray(await response.clone().json().catch(() => undefined));
}

/** Listens to the answers that one process gets. */
export function listen(): Told {
  let moment = 0;
  const groups = new Map<string, ReadGroup>();
  const teams = new Map<number, ReadonlyMap<number, Shown>>();
  const fresh = new Set<number>();
  const unread = new Set<string>();

  /** All teams but this one were read before something else. */
  function age(team: number): void {
    for (const id of [...fresh]) if (id !== team) fresh.delete(id);
  }

  function notePage(path: string, search: string, isWhole: boolean): void {
    const page = path + search;
    if (!isWhole) {
      if (!OPTIONAL.test(page)) unread.add(page);
      return;
    }
    // Whoever begins anew, perhaps with another part of the list, need not come back to where it broke off.
    const isBegun = !LATER_PAGE.test(search);
    for (const one of [...unread]) {
      if (one === page || (isBegun && one.startsWith(`${path}?`))) unread.delete(one);
    }
  }

  async function noteGroup(id: string, isFirstPage: boolean, response: Response): Promise<void> {
    const group = groups.get(id) ?? { whole: [], underWay: new Set(), at: 0, isAtEnd: false };
    groups.set(id, group);
    if (isFirstPage) group.underWay = new Set();
    const isAtEnd = !response.headers.get("link")?.includes('rel="next"');
    group.isAtEnd = isAtEnd;
    // A group with a name and an id in the configuration is read twice side by side.
    const { underWay } = group;
    for (const { id } of await response.clone().json()) underWay.add(id);
    if (!isAtEnd) return;
    group.whole.push(underWay);
    group.at = moment;
  }

  async function noteTeam(id: number, response: Response): Promise<void> {
    const before = teams.get(id);
    const members: { userId: number; permission: number }[] = await response.clone().json();
    teams.set(
      id,
      new Map(members.map(({ userId, permission }) => {
        return [userId, { permission, since: before?.get(userId)?.since ?? moment }];
      })),
    );
    fresh.add(id);
  }

  return {
    forget() {
      for (const told of [groups, teams, fresh, unread]) told.clear();
    },
    async note({ method, url }, response, isWhole) {
      moment++;
      const { pathname, search } = new URL(url);
      const [, group] = pathname.match(GROUP_MEMBERS) ?? [];
      const [, team] = pathname.match(TEAM_MEMBERS) ?? [];
      const isWrite = method !== "GET" && pathname.includes("/members");
      if (isWrite || OKTA.test(pathname)) age(Number(team));
      if (method !== "GET") return;
      // A list without links proves nothing, and is no failure.
      const isUnlinked = group !== undefined && !LATER_PAGE.test(search) &&
        await isListWithoutLinks(response);
      notePage(pathname, search, isWhole || isUnlinked);
      const known = groups.get(group ?? "");
      if (known) known.isAtEnd = false;
      if (!isWhole || !response?.ok) return;
      if (group) await noteGroup(group, !LATER_PAGE.test(search), response);
      if (team) await noteTeam(Number(team), response);
    },
    noteCreated(team) {
      teams.set(team, new Map());
      fresh.add(team);
    },
    readings(id) {
      const group = groups.get(id);
      return group?.isAtEnd ? group.whole.length : 0;
    },
    readAt: (group) => groups.get(group)?.at ?? 0,
    showed(group, user) {
      const { whole = [] } = groups.get(group) ?? {};
      return [whole[0], whole.at(-1)].some((users) => users?.has(user));
    },
    members: (team) => teams.get(team),
    isFresh: (team) => fresh.has(team),
    unread: () => [...unread],
  };
}
