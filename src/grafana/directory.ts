/** Finds a person's Grafana user. */
import type { GrafanaUser } from "./schema.ts";

/** A person as the identity provider knows them. */
export interface Person {
  readonly email?: string | null | undefined;
  readonly login: string;
}

/** Who a person is in Grafana. */
export type Match =
  | { readonly kind: "found"; readonly user: GrafanaUser }
  /** Several users have this address and none matches exactly, or only a login matches: none may be touched. */
  | { readonly kind: "ambiguous"; readonly users: readonly GrafanaUser[] }
  | { readonly kind: "unknown" };

/** Looks people up among Grafana's users. */
export interface Directory {
  match(person: Person): Match;
  /** The users with this email or this login, in the form of {@linkcode foldAddress}. */
  usersBy(property: "email" | "login", folded: string): readonly GrafanaUser[];
}

/** A directory that grows. */
export interface GrowingDirectory extends Directory {
  /** Adds users; a newer record of a user replaces the older one. */
  add(users: Iterable<GrafanaUser>): void;
}

/** A person's email, trimmed; empty if they have none. */
export function emailOf({ email }: Person): string {
  return email?.trim() ?? "";
}

/** How a person of Okta or Grafana is shown: by their email, or by their login if they have none. */
export function addressOf(person: Person): string {
  return emailOf(person) || person.login.trim();
}

/** An address in the form in which two are compared: trimmed, Unicode NFC, case folded. */
export function foldAddress(address: string): string {
  const lower = address.trim().toLowerCase();
  return ASCII.test(lower) ? lower : lower.normalize("NFC");
}

/** Strings with only one form. */
// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** Of several users for one address, the one whose address is exactly equal. */
function choose(
  users: readonly GrafanaUser[],
  address: string,
  ownAddress: (user: GrafanaUser) => string | null | undefined,
): Match {
  const [first, ...others] = users;
  if (!first) return { kind: "unknown" };
  if (others.length === 0) return { kind: "found", user: first };
  const exact = users.filter((user) => ownAddress(user) === address);
  const [only] = exact;
  return only && exact.length === 1 ? { kind: "found", user: only } : { kind: "ambiguous", users };
}

/** Whether a user has another email than the one that a person claims. */
function contradicts(user: GrafanaUser, claimed: string): boolean {
  const email = emailOf(user);
  return email !== "" && claimed !== "" && foldAddress(email) !== foldAddress(claimed);
}

/** Users by one of their addresses. */
function createIndex(property: "email" | "login") {
  const byAddress = new Map<string, GrafanaUser[]>();
  const keyOf = (user: GrafanaUser) => foldAddress(user[property] ?? "");
  return {
    get: (folded: string): readonly GrafanaUser[] => byAddress.get(folded) ?? [],
    add(user: GrafanaUser): void {
      const key = keyOf(user);
      if (key === "") return;
      const known = byAddress.get(key);
      if (known) known.push(user);
      else byAddress.set(key, [user]);
    },
    remove(user: GrafanaUser): void {
      const key = keyOf(user);
      byAddress.set(key, (byAddress.get(key) ?? []).filter((one) => one !== user));
    },
  };
}

/** Finds a person by what `usersBy` gives. */
function findPerson(person: Person, usersBy: Directory["usersBy"]): Match {
  const { login } = person;
  const own = emailOf(person);
  const sameEmail = own === "" ? [] : usersBy("email", foldAddress(own));
  if (sameEmail.length > 0) return choose(sameEmail, own, (user) => user.email);
  const names = [login, own].map(foldAddress).filter((name) => name !== "");
  const candidates = [...new Set(names.flatMap((name) => usersBy("login", name)))];
  const claimed = own || (login.includes("@") ? login : "");
  if (candidates.some((user) => contradicts(user, claimed))) return { kind: "ambiguous", users: candidates };
  if (candidates.length > 0) return choose(candidates, login, (user) => user.login);
  const borrowed = usersBy("email", foldAddress(login));
  return borrowed.length > 0 ? { kind: "ambiguous", users: borrowed } : { kind: "unknown" };
}

/**
 * Makes a directory of `users`, and of those of `base` that are not among them.
 *
 * The email decides: identity providers verify it. A login proves less, because people may choose theirs, so
 * it decides only where no email contradicts it. Two different emails under one login, or a login
 * that is somebody else's email, are ambiguous: nobody is added or removed because of them.
 */
export function createDirectory(users: Iterable<GrafanaUser> = [], base?: Directory): GrowingDirectory {
  const own = new Map<number, GrafanaUser>();
  const index = { email: createIndex("email"), login: createIndex("login") };

  function add(more: Iterable<GrafanaUser>): void {
    for (const user of more) {
      const before = own.get(user.userId);
      own.set(user.userId, user);
      for (const property of ["email", "login"] as const) {
        if (before) index[property].remove(before);
        index[property].add(user);
      }
    }
  }

  function usersBy(property: "email" | "login", folded: string): readonly GrafanaUser[] {
    const mine = index[property].get(folded);
    const others = base?.usersBy(property, folded).filter(({ userId }) => !own.has(userId)) ?? [];
    return others.length === 0 ? mine : [...others, ...mine];
  }

  add(users);
  return { add, usersBy, match: (person) => findPerson(person, usersBy) };
}

/** Whether a person is found in this account, by the rule of {@linkcode createDirectory}. */
export function isAccountOf(user: GrafanaUser, person: Person): boolean {
  return createDirectory([user]).match(person).kind === "found";
}
