/** How the simulated Okta rejects an OAuth request. */

/** The error codes of RFC 6749 5.2, RFC 6750 3.1 and RFC 9449 that the simulated Okta gives. */
export type OAuthErrorCode =
  | "invalid_request"
  | "unsupported_grant_type"
  | "invalid_client"
  | "invalid_scope"
  | "invalid_token"
  | "insufficient_scope"
  | "invalid_dpop_proof"
  | "use_dpop_nonce";

/** A request that is refused; its message is the `error_description`. */
export class OAuthRefusal extends Error {
  override readonly name = "OAuthRefusal";
  readonly code: OAuthErrorCode;

  constructor(code: OAuthErrorCode, description: string) {
    super(description);
    this.code = code;
  }
}

/** Refuses unless `holds`. @throws {OAuthRefusal} */
export function demand(holds: boolean, code: OAuthErrorCode, description: string): asserts holds {
  if (!holds) throw new OAuthRefusal(code, description);
}

/** What `work` gives; a refusal with this code and description if it fails. @throws {OAuthRefusal} */
export async function orRefuse<T>(
  work: () => T | Promise<T>,
  code: OAuthErrorCode,
  description: string,
): Promise<T> {
  try {
    return await work();
  } catch {
    throw new OAuthRefusal(code, description);
  }
}

/** Remembers what was used, so that it cannot be used twice. */
export function createOnce(): (value: string) => boolean {
  const used = new Set<string>();
  return (value) => {
    const isNew = !used.has(value);
    used.add(value);
    return isNew;
  };
}
