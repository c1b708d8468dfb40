/** What a simulated Okta remembers: users and groups, with the times at which they changed. */
import type { OktaUserStatus } from "../config/schema.ts";

/** A user of the simulated organisation. Whatever is changed moves `lastUpdated`. */
export interface SimulatedOktaUser {
  readonly id: string;
  status: OktaUserStatus;
  login: string;
  email: string | null;
  firstName: string;
  lastName: string;
  /** When status or profile changed last, in epoch milliseconds. */
  readonly lastUpdated: number;
}

/** A group of the simulated organisation. Another name moves `lastUpdated`, other members `lastMembershipUpdated`. */
export interface SimulatedOktaGroup {
  readonly id: string;
  name: string;
  readonly members: Set<SimulatedOktaUser>;
  /** Epoch milliseconds. */
  readonly lastUpdated: number;
  /** Epoch milliseconds. */
  readonly lastMembershipUpdated: number;
}

/** What a test may say of a user. */
export type UserDetails = Partial<Omit<SimulatedOktaUser, "id" | "lastUpdated">>;

/** Whatever is set on `own` to another value calls `onChange` before. */
function watched<T extends object>(own: T, onChange: () => void): T {
  return new Proxy(own, {
    set(target, key, value) {
      if (Reflect.get(target, key) !== value) onChange();
      return Reflect.set(target, key, value);
    },
  });
}

/** Members that say when they change. */
class Members extends Set<SimulatedOktaUser> {
  readonly #onChange: () => void;

  constructor(members: Iterable<SimulatedOktaUser>, onChange: () => void) {
    super();
    this.#onChange = onChange;
    for (const user of members) super.add(user);
  }

  override add(user: SimulatedOktaUser): this {
    if (!this.has(user)) this.#onChange();
    return super.add(user);
  }

  override delete(user: SimulatedOktaUser): boolean {
    if (this.has(user)) this.#onChange();
    return super.delete(user);
  }

  override clear(): void {
    if (this.size > 0) this.#onChange();
    super.clear();
  }
}

/** Makes an active user whose login is the email; `now` tells Okta's time. */
export function createUser(
  id: string,
  email: string,
  details: UserDetails,
  now: () => number,
): SimulatedOktaUser {
  const [firstName = "", lastName = ""] = email.split("@")[0]?.split(".") ?? [];
  const own = {
    id,
    status: "ACTIVE" as OktaUserStatus,
    login: email,
    email: email as string | null,
    firstName,
    lastName,
    lastUpdated: now(),
    ...details,
  };
  return watched<SimulatedOktaUser>(own, () => own.lastUpdated = now());
}

/** Makes a group; `now` tells Okta's time. */
export function createGroup(
  id: string,
  name: string,
  members: readonly SimulatedOktaUser[],
  now: () => number,
): SimulatedOktaGroup {
  const own = {
    id,
    name,
    members: new Members(members, () => own.lastMembershipUpdated = now()),
    lastUpdated: now(),
    lastMembershipUpdated: now(),
  };
  return watched<SimulatedOktaGroup>(own, () => own.lastUpdated = now());
}
