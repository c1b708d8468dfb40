/** Decides whether accounts may be made for people whom the Grafana server does not know. */
import type { Config } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import { judgeLockout, type Lockout } from "../grafana/lockout.ts";
import { errorMessage, isRequestError } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";

/** The settings that decide. */
export type NewUserSettings = Pick<Config["grafana"], "missing_users" | "new_user_role">;

/** Whether accounts are made. */
export type Creation =
  | { readonly kind: "create"; readonly lockout: Lockout }
  /** They sign in first. */
  | { readonly kind: "wait" }
  /** It is wanted, and not possible: what to do, in words. */
  | { readonly kind: "impossible"; readonly message: string };

/** The rights to look for an account on the whole server, and to make one. */
const RIGHTS = ["users:create", "users:read"] as const;

function describeMissing(rights: readonly string[]): string {
  return `grafana.missing_users is create, but this credential may create no users: it lacks ${
    rights.join(" and ")
  }; a service account cannot have that: sign in as a server administrator with grafana.username and ` +
    "grafana.password, or set grafana.missing_users to wait";
}

const LOCKOUT_WORDS: Readonly<Record<Exclude<Lockout, "signs-in">, string>> = {
  "locks-out": "this Grafana refuses their first sign-in by OAuth (user already exists)",
  unknown: "it cannot be read whether this Grafana lets them sign in by OAuth for the first time",
};

/** Warns of the lock-out that a plain `create` takes into account. */
export function warnOfLockout(lockout: Lockout, log: Logger): void {
  if (lockout === "signs-in") return;
  const message =
    "grafana.missing_users is create, and {_words}: set oauth_allow_insecure_email_lookup = true under [auth] " +
    "in Grafana (auth.oauth_allow_insecure_email_lookup), or grafana.missing_users to auto";
  log.warning(message, { _words: LOCKOUT_WORDS[lockout], action: "warn_of_lockout" });
}

/** What nobody may know of this Grafana is no failure: `undefined`. */
async function unlessRefused<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isRequestError(error, "forbidden", "not-found")) return undefined;
    throw error;
  }
}

async function readLockout(grafana: GrafanaClient): Promise<Lockout> {
  const version = await unlessRefused(grafana.readVersion());
  const setting = await unlessRefused(grafana.readEmailLookup().then((text) => ({ text })));
  return judgeLockout({ version, emailLookup: setting ? setting.text : { unreadable: true } });
}

/**
 * Asks Grafana what `missing_users` needs to know.
 *
 * @throws {RequestError} if that could not be read; it may be asked again.
 */
export async function decideCreation(
  { missing_users }: NewUserSettings,
  grafana: GrafanaClient,
): Promise<Creation> {
  if (missing_users === "wait") return { kind: "wait" };
  const rights = await unlessRefused(grafana.listRights()) ?? new Set();
  const missing = RIGHTS.filter((right) => !rights.has(right));
  if (missing.length > 0) {
    return missing_users === "create"
      ? { kind: "impossible", message: describeMissing(missing) }
      : { kind: "wait" };
  }
  const lockout = await readLockout(grafana);
  return missing_users === "auto" && lockout !== "signs-in" ? { kind: "wait" } : { kind: "create", lockout };
}

/** What a failed {@linkcode decideCreation} means: whoever is missing waits for the next cycle. */
export function describeUndecided(error: unknown): string {
  if (isRequestError(error, "interrupted")) throw error;
  return `whether Grafana lets gots create users could not be read, so nobody was created: ${
    errorMessage(error)
  }`;
}
