/** Whether somebody can sign in to Grafana if their account was created before their first sign-in. Pure. */
import { lessThan, parse, tryParse } from "@std/semver";

/** `locks-out` if their first sign-in fails with "user already exists"; `unknown` if too little could be read. */
export type Lockout = "signs-in" | "locks-out" | "unknown";

/** The first version without the lookup by email. @see https://grafana.com/security/security-advisories/cve-2023-3128/ */
const FIRST_THAT_LOCKS_OUT = parse("9.5.4");

/** What Go's `ini` package reads as true. */
const TRUE = /^(?:1|t|true|y|yes|on)$/i;

/** Whether a version such as `9.5.3` is older; `undefined` if it is hidden, or none. */
function isOlder(version = ""): boolean | undefined {
  const parsed = tryParse(version);
  // A pre-release counts as its release, since it may have the change.
  return parsed && lessThan({ ...parsed, prerelease: [] }, FIRST_THAT_LOCKS_OUT);
}

/** What was read of a Grafana. */
export interface LockoutFacts {
  readonly version: string | undefined;
  /** `[auth] oauth_allow_insecure_email_lookup`; `undefined` if there is none, `unreadable` if gots may not read it. */
  readonly emailLookup: string | undefined | { readonly unreadable: true };
}

/**
 * Decides by the version and the setting. A Grafana that has the setting needs it: the change also went into later
 * releases of older versions, such as 9.4.13.
 */
export function judgeLockout({ version, emailLookup }: LockoutFacts): Lockout {
  if (typeof emailLookup === "object") return "unknown";
  if (emailLookup !== undefined) return TRUE.test(emailLookup.trim()) ? "signs-in" : "locks-out";
  return isOlder(version) ? "signs-in" : "unknown";
}
