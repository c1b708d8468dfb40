/** The section `okta` of the configuration. */
import * as z from "zod";
import {
  address,
  always,
  id,
  isLoopback,
  oneOf,
  optional,
  privateKey,
  protects,
  secret,
  share,
  text,
  words,
} from "./fields.ts";

/** Okta's user statuses. @see https://developer.okta.com/docs/reference/api/users/ */
export const OKTA_USER_STATUSES = [
  "STAGED",
  "PROVISIONED",
  "ACTIVE",
  "RECOVERY",
  "PASSWORD_EXPIRED",
  "LOCKED_OUT",
  "SUSPENDED",
  "DEPROVISIONED",
] as const;

/** The status of an Okta user. */
export type OktaUserStatus = (typeof OKTA_USER_STATUSES)[number];

/**
 * The statuses of users who belong to their groups, unless `okta.member_statuses` says otherwise. Not
 * among them: `SUSPENDED` and `DEPROVISIONED`, whose access somebody has ended on purpose.
 */
export const DEFAULT_MEMBER_STATUSES: readonly OktaUserStatus[] = [
  "ACTIVE",
  "PASSWORD_EXPIRED",
  "RECOVERY",
  "LOCKED_OUT",
  "PROVISIONED",
  "STAGED",
];

/** The scopes that reading groups and their members needs. */
export const DEFAULT_SCOPES: readonly string[] = ["okta.groups.read", "okta.users.read"];

/** The hosts of organisations that have no domain of their own; the admin console's has `-admin` in it. */
const ADMIN_CONSOLE = /^([a-z0-9-]+)-admin(\.okta[a-z-]*\.(?:com|mil))$/;
/** Okta's own hosts, which belong to no organisation. */
const NO_ORGANISATION = /^(?:(?:www|login|admin|developer)\.)?okta[a-z-]*\.(?:com|mil)$/;

/** The address of an organisation: on this machine, or by https at a whole domain, not that of the admin console. */
function readDomain(url: URL): URL | undefined {
  if (url.pathname !== "/") return undefined;
  if (isLoopback(url.hostname)) return url;
  if (url.protocol !== "https:" || !/[.:]/.test(url.hostname) || NO_ORGANISATION.test(url.hostname)) {
    return undefined;
  }
  url.hostname = url.hostname.replace(ADMIN_CONSOLE, "$1$2");
  return url;
}

const domain = address(
  "the domain of your Okta organisation, such as company.okta.com (https://; http:// only for a loopback address)",
  readDomain,
);

/** The schema of `okta.oauth`. */
export const oauth = z.strictObject({
  client_id: optional(id),
  client_secret: optional(secret("the client secret of the service app")),
  private_key: optional(privateKey),
  private_key_path: optional(text),
  key_id: optional(id),
  scopes: words.default([...DEFAULT_SCOPES]),
}, "settings");

/** The schema of the section. */
export const okta = z.strictObject({
  domain,
  auth_method: oneOf(["api_token", "oauth"], (value) => value.toLowerCase()).default("api_token"),
  api_token: optional(secret("an Okta API token")),
  ca_file: text.optional(),
  oauth: oauth.prefault({}),
  member_statuses: protects(
    z.array(oneOf(OKTA_USER_STATUSES, (value) => value.toUpperCase()), "a list of statuses")
      .min(1, "at least one status").default([...DEFAULT_MEMBER_STATUSES]),
  ),
  /** Of what Okta's headers say is there. */
  rate_limit_share: share("a share greater than 0 and at most 1").default(0.5),
}, "settings")
  .refine((value) => value.auth_method !== "api_token" || value.api_token, {
    ...always,
    path: ["api_token"],
    error: "an Okta API token",
  })
  .refine((value) => value.auth_method !== "oauth" || value.oauth?.client_id, {
    ...always,
    path: ["oauth", "client_id"],
    error: "the client id of the service app",
  })
  .refine(({ auth_method, oauth }) => auth_method !== "oauth" || oauth?.private_key || oauth?.client_secret, {
    ...always,
    path: ["oauth", "private_key"],
    error: "the private key of the service app",
  })
  .refine(
    ({ auth_method, oauth }) => auth_method !== "oauth" || !oauth?.private_key || !oauth.client_secret,
    {
      ...always,
      path: ["oauth", "client_secret"],
      error: "either a private_key or a client_secret, not both",
    },
  )
  .refine(
    ({ auth_method, oauth }) =>
      auth_method !== "oauth" || !oauth?.private_key || (oauth.key_id ?? oauth.private_key.keyId),
    {
      ...always,
      path: ["oauth", "key_id"],
      error: "the id (kid) that Okta shows for the public key",
    },
  );
