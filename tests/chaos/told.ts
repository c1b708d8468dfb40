/** What a process was told in a cycle: all that it can know. */

/** Somebody in a team, as they were shown. */
interface Shown {
  readonly permission: number;
  /** The moment since which they were in every reading of the team. */
  readonly since: number;
}

/** One reading of a group, page by page. */
interface Reading {
  readonly users: Set<string>;
  /** The page that it goes on with; `undefined` at its end. */
  next: string | undefined;
  /** Whether its last page was as full as it may be. */
  isFull: boolean;
}

/** A group, as it was read. */
interface ReadGroup {
  /** In the order in which they began. */
  readonly readings: Reading[];
  /** Those that came to their end, in that order. */
  readonly whole: Reading[];
  /** The moment of the last end. */
  at: number;
}

/** What was told in this cycle. */
export interface Told {
  /** A cycle begins: what was told before is no proof any more. */
  forget(): void;
  /** A request was answered; `isWhole` if no fault left it without a whole answer. */
  note(request: Request, response: Response | undefined, isWhole: boolean): Promise<void>;
  /** The program made a team: it knows that nobody was in it. */
  noteCreated(team: number): void;
  /**
   * How often a group was read to its last page; none if the last reading, by any key, has not come to its end, or if
   * the first one and the last one both ended with a page as full as it may be.
   */
  readings(group: string): number;
  /** Whether a group was read to its last page, whatever came of reading it again for another team. */
  wasRead(group: string): boolean;
  /** The moment at which a group was read to its last page last. */
  readAt(group: string): number;
  /** Whether Okta showed somebody in a group, in the first reading or in the last one: any team rests on these. */
  showed(group: string, user: string): boolean;
  /** A team's members, as they were shown last. */
  members(team: number): ReadonlyMap<number, Shown> | undefined;
  /** Whether a team was read after all else that was asked of Okta, or written. */
  isFresh(team: number): boolean;
  /**
   * How many seconds Grafana asked to wait with a write to a team, if they have passed and what the write rests on was
   * not read again.
   */
  waited(team: number): number | undefined;
  /** The pages of lists whose last answer was not whole. */
  unread(): string[];
}

/** A wait that Grafana asked for. */
interface Wait {
  readonly seconds: number;
  /** Milliseconds. */
  readonly until: number;
  isGroupRead: boolean;
  isTeamRead: boolean;
}

/** A shorter wait makes no reading old. */
const LONG_WAIT_SECONDS = 60;

const OKTA = /^\/api\/v1\//;
const GROUP_MEMBERS = /^\/api\/v1\/groups\/(\w+)\/users$/;
const TEAM = /^\/api\/teams\/(\d+)\/members/;
const TEAM_MEMBERS = /^\/api\/teams\/(\d+)\/members$/;
const NEXT = /<([^<>]+)>; rel="next"/;
const LATER_PAGE = /[?&](?:after=|page=(?!1(?:&|$)))/;
/** Where they cannot be read, the program does without. */
const OPTIONAL = /lastUpdated|[?&]query=|access-control|api\/health|admin\/settings/;

/** Whether it is a list whose links, if it has any, are about something else. */
async function isListWithoutLinks(response: Response | undefined): Promise<boolean> {
  if (!response?.ok || /rel="?(self|next)|oops/.test(response.headers.get("link") ?? "")) return false;
  return Array.isArray(await response.clone().json().catch(() => undefined));
}

/**
 * Listens to the answers that one process gets. `keysOf` says by how many keys a group is found: it is read for each
 * of them, side by side, and from outside nobody sees which reading is for which. `now` tells the time in milliseconds.
 */
export function listen(keysOf: (group: string) => number, now: () => number): Told {
  let moment = 0;
  const groups = new Map<string, ReadGroup>();
  const teams = new Map<number, ReadonlyMap<number, Shown>>();
  const fresh = new Set<number>();
  const unread = new Set<string>();
  const waits = new Map<number, Wait>();

  /** All teams but this one were read before something else. */
  function age(team: number): void {
    for (const id of [...fresh]) if (id !== team) fresh.delete(id);
  }

  /** Grafana asked to wait with a write; what was read before is old when the time has passed. */
  function noteWait(team: number, { status, headers }: Response): void {
    const seconds = Number(headers.get("retry-after") ?? 0);
    if ((status !== 429 && status !== 503) || seconds < LONG_WAIT_SECONDS) return;
    waits.set(team, { seconds, until: now() + seconds * 1_000, isGroupRead: false, isTeamRead: false });
  }

  function noteRead(team: number): void {
    for (const [id, wait] of waits) {
      if (id === team) wait.isTeamRead = true;
      else if (team === 0) wait.isGroupRead = true;
    }
  }

  function notePage(path: string, search: string, isWhole: boolean): void {
    const page = path + search;
    if (!isWhole) {
      if (!OPTIONAL.test(page)) unread.add(page);
      return;
    }
    // Anyone who begins anew, perhaps with another part of the list, need not come back to where it stopped.
    const isBegun = !LATER_PAGE.test(search);
    for (const one of [...unread]) {
      if (one === page || (isBegun && one.startsWith(`${path}?`))) unread.delete(one);
    }
  }

  /** The reading that a page belongs to: one that waits for it, or a new one. */
  function readingOf(group: ReadGroup, url: string): Reading | undefined {
    const waiting = group.readings.findLast(({ next }) => next === url);
    if (waiting || LATER_PAGE.test(url)) return waiting;
    const begun = { users: new Set<string>(), next: url, isFull: false };
    group.readings.push(begun);
    return begun;
  }

  async function noteGroup(id: string, url: string, response: Response | undefined): Promise<void> {
    const group = groups.get(id) ?? { readings: [], whole: [], at: 0 };
    groups.set(id, group);
    const reading = readingOf(group, url);
    if (!reading || !response) return;
    const page: { readonly id: string }[] = await response.clone().json();
    for (const { id } of page) reading.users.add(id);
    const links = response.headers.get("link");
    // Without a link nobody says that it is the last page.
    if (!links) return;
    const [, next] = links.match(NEXT) ?? [];
    reading.next = next && new URL(next).href;
    if (reading.next !== undefined) return;
    reading.isFull = page.length >= Number(new URL(url).searchParams.get("limit"));
    group.whole.push(reading);
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
      for (const told of [groups, teams, fresh, unread, waits]) told.clear();
    },
    async note({ method, url }, response, isWhole) {
      moment++;
      const { pathname, search } = new URL(url);
      const [, group] = pathname.match(GROUP_MEMBERS) ?? [];
      const [, team] = pathname.match(TEAM_MEMBERS) ?? [];
      const isWrite = method !== "GET" && pathname.includes("/members");
      if (isWrite || OKTA.test(pathname)) age(method === "PUT" ? 0 : Number(team));
      if (isWrite && response) noteWait(Number(pathname.match(TEAM)?.[1]), response);
      if (method !== "GET") return;
      // A list without links proves nothing, and is no failure.
      const isUnlinked = group !== undefined && !LATER_PAGE.test(search) &&
        await isListWithoutLinks(response);
      notePage(pathname, search, isWhole || isUnlinked);
      const answer = isWhole && response?.ok ? response : undefined;
      // What was read after a wait is new, even if it is damaged.
      if (response?.ok && (group || team)) noteRead(Number(team ?? 0));
      if (group) await noteGroup(group, url, answer);
      if (team && answer) await noteTeam(Number(team), answer);
    },
    noteCreated(team) {
      teams.set(team, new Map());
    },
    readings(id) {
      const { readings = [], whole = [] } = groups.get(id) ?? {};
      const isAtEnd = readings.slice(-keysOf(id)).some(({ next }) => next === undefined);
      const isCut = whole.length > 1 && [whole[0], whole.at(-1)].every((reading) => reading?.isFull);
      return isAtEnd && !isCut ? whole.length : 0;
    },
    wasRead: (id) => (groups.get(id)?.whole.length ?? 0) > 0,
    readAt: (group) => groups.get(group)?.at ?? 0,
    showed(group, user) {
      const { whole = [] } = groups.get(group) ?? {};
      return [whole[0], whole.at(-1)].some((reading) => reading?.users.has(user));
    },
    members: (team) => teams.get(team),
    isFresh: (team) => fresh.has(team),
    waited(team) {
      const wait = waits.get(team);
      const isOld = wait && now() >= wait.until && !(wait.isGroupRead && wait.isTeamRead);
      return isOld ? wait.seconds : undefined;
    },
    unread: () => [...unread],
  };
}
