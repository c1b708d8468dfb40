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
  /** Several users answer to one address and none is exactly equal, or one whose email says otherwise: none may be touched. */
  | { readonly kind: "ambiguous"; readonly users: readonly GrafanaUser[] }
  | { readonly kind: "unknown" };

/** Looks people up among Grafana's users. */
export interface Directory {
  match(person: Person): Match;
}

/** An address in the form in which two are compared: trimmed, Unicode NFC, case folded. */
export function foldAddress(address: string): string {
  return address.trim().normalize("NFC").toLowerCase().normalize("NFC");
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

/**
 * Whether a user only carries the person's email as their login, and has another email themselves. Such a
 * login proves nothing: whoever chose it could get into the person's teams.
 */
function isDoubtful(user: GrafanaUser, { email, login }: Person): boolean {
  const own = user.email?.trim();
  return Boolean(own && email) && foldAddress(email ?? "") === foldAddress(login);
}

/**
 * Makes a directory of `users`; of one who is listed twice the last record counts. A person is found by email,
 * and by login only if no user has their email.
 */
export function createDirectory(users: Iterable<GrafanaUser>): Directory {
  const distinct = [...new Map(Array.from(users, (user) => [user.userId, user])).values()];
  const byEmail = index(distinct, (user) => user.email);
  const byLogin = index(distinct, (user) => user.login);
  return {
    match({ email, login }) {
      const byTheirEmail = email?.trim() ? byEmail.get(foldAddress(email)) : undefined;
      if (email && byTheirEmail) return choose(byTheirEmail, email.trim(), (user) => user.email);
      const match = choose(byLogin.get(foldAddress(login)) ?? [], login, (user) => user.login);
      return match.kind === "found" && isDoubtful(match.user, { email, login })
        ? { kind: "ambiguous", users: [match.user] }
        : match;
    },
  };
}
