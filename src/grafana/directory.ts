/** Finds the Grafana user who is a given person. */
import type { GrafanaUser } from "./schema.ts";

/** A person as the identity provider knows them. */
export interface Person {
  readonly email?: string | null | undefined;
  readonly login: string;
}

/** Who a person is in Grafana. */
export type Match =
  | { readonly kind: "found"; readonly user: GrafanaUser }
  /** Several users answer to one address and none is exactly equal, or only a login speaks for them: none may be touched. */
  | { readonly kind: "ambiguous"; readonly users: readonly GrafanaUser[] }
  | { readonly kind: "unknown" };

/** Looks people up among Grafana's users. */
export interface Directory {
  match(person: Person): Match;
}

/** An address in the form in which two are compared: trimmed, Unicode NFC, case folded. */
export function foldAddress(address: string): string {
  return address.trim().toLowerCase().normalize("NFC");
}

/** Of several users for one address, the one whose address is exactly equal. */
function choose(
  users: readonly GrafanaUser[],
  address: string,
  addressOf: (user: GrafanaUser) => string | null | undefined,
): Match {
  const [first, ...others] = users;
  if (!first) return { kind: "unknown" };
  if (others.length === 0) return { kind: "found", user: first };
  const exact = users.filter((user) => addressOf(user) === address);
  const [only] = exact;
  return only && exact.length === 1 ? { kind: "found", user: only } : { kind: "ambiguous", users };
}

function index(
  users: Iterable<GrafanaUser>,
  addressOf: (user: GrafanaUser) => string | null | undefined,
): Map<string, GrafanaUser[]> {
  const byAddress = new Map<string, GrafanaUser[]>();
  for (const user of users) {
    const address = addressOf(user);
    if (!address?.trim()) continue;
    const key = foldAddress(address);
    const known = byAddress.get(key);
    if (known) known.push(user);
    else byAddress.set(key, [user]);
  }
  return byAddress;
}

/** Whether a user has another email than the one that a person claims. */
function contradicts({ email }: GrafanaUser, claimed: string): boolean {
  return Boolean(email?.trim() && claimed) && foldAddress(email ?? "") !== foldAddress(claimed);
}

/**
 * Makes a directory of `users`; of one who is listed twice the last record counts.
 *
 * The email decides: identity providers verify it. A login proves less, because people may choose theirs, so
 * it decides only where no email contradicts it. Two different emails under one login, or a login
 * that is the email of somebody else, are ambiguous: nobody gets into a team by it, and nobody is removed for it.
 */
export function createDirectory(users: Iterable<GrafanaUser>): Directory {
  const distinct = [...new Map(Array.from(users, (user) => [user.userId, user])).values()];
  const byEmail = index(distinct, (user) => user.email);
  const byLogin = index(distinct, (user) => user.login);
  return {
    match({ email, login }) {
      const own = email?.trim() ?? "";
      const sameEmail = byEmail.get(foldAddress(own));
      if (sameEmail) return choose(sameEmail, own, (user) => user.email);
      const sameLogin = new Set([login, own].flatMap((name) => byLogin.get(foldAddress(name)) ?? []));
      const candidates = [...sameLogin];
      const claimed = own || (login.includes("@") ? login : "");
      if (candidates.some((user) => contradicts(user, claimed))) {
        return { kind: "ambiguous", users: candidates };
      }
      if (candidates.length > 0) return choose(candidates, login, (user) => user.login);
      const borrowed = byEmail.get(foldAddress(login));
      return borrowed ? { kind: "ambiguous", users: borrowed } : { kind: "unknown" };
    },
  };
}
