/** Reads whether accounts may be created for people the Grafana server does not know. */
import type { Config } from "../../config/schema.ts";
import type { GrafanaReads } from "../../grafana/client.ts";
import { judgeLockout, type Lockout } from "../../grafana/lockout.ts";
import { errorMessage, isRequestError } from "../../http/error.ts";

/** Whether accounts are created. */
export type Creation =
  | { readonly kind: "create"; readonly lockout: Lockout }
  /** They sign in first. */
  | { readonly kind: "wait" }
  /** It is wanted, and not possible: what to do, in words. */
  | { readonly kind: "impossible"; readonly message: string }
  /** It could not be read, in words: nobody is created in this cycle. */
  | { readonly kind: "undecided"; readonly message: string };

type Reads = Pick<GrafanaReads, "listRights" | "readVersion" | "readEmailLookup">;

/** The rights to look for an account on the whole server, and to create one. */
const RIGHTS = ["users:create", "users:read"] as const;

function describeMissing(rights: readonly string[]): string {
  return "grafana.missing_users is create, but this credential may not create users: it lacks " +
    `${
      rights.join(" and ")
    }, which a service account cannot have. Use the password of a server administrator ` +
    "(grafana.username, grafana.password), or set grafana.missing_users to wait";
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

async function readLockout(grafana: Reads): Promise<Lockout> {
  const version = await unlessRefused(grafana.readVersion());
  const setting = await unlessRefused(grafana.readEmailLookup().then((text) => ({ text })));
  return judgeLockout({ version, emailLookup: setting ? setting.text : { unreadable: true } });
}

/**
 * Asks Grafana what `missing_users` needs to know.
 *
 * @throws {RequestError} of the kind `interrupted`; if it could not be read otherwise, it is `undecided`.
 */
export async function readCreation(
  missing_users: Config["grafana"]["missing_users"],
  grafana: Reads,
): Promise<Creation> {
  if (missing_users === "wait") return { kind: "wait" };
  try {
    const rights = await unlessRefused(grafana.listRights()) ?? new Set();
    const missing = RIGHTS.filter((right) => !rights.has(right));
    if (missing.length > 0) {
      return missing_users === "create"
        ? { kind: "impossible", message: describeMissing(missing) }
        : { kind: "wait" };
    }
    const lockout = await readLockout(grafana);
    const isSafe = missing_users === "create" || lockout === "signs-in";
    return isSafe ? { kind: "create", lockout } : { kind: "wait" };
  } catch (error) {
    if (isRequestError(error, "interrupted")) throw error;
    const message = "whether Grafana lets gots create users could not be read, so nobody was created: " +
      errorMessage(error);
    return { kind: "undecided", message };
  }
}
