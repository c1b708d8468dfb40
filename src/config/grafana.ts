/** The section `grafana` of the configuration. */
import * as z from "zod";
import { address, always, integer, oneOf, password, protects, secret, sentence, text } from "./fields.ts";

/** What to do with members of the groups who have no Grafana account. */
export const MISSING_USERS = ["auto", "create", "wait"] as const;

/** The roles that somebody can have in an organisation. */
export const ORG_ROLES = ["Viewer", "Editor", "Admin", "None"] as const;

/** A role in an organisation. */
export type OrgRole = (typeof ORG_ROLES)[number];

const url = address("the URL of Grafana, such as https://grafana.example.com/path", (url) => url)
  .refine((value) => !/\/login(?:\/|$)/.test(value), {
    message: "this is the address of the sign-in page; remove /login and everything after it",
    params: { isSentence: true },
  });
const username = text.refine(
  (value) => !/[:\p{Cc}]/u.test(value),
  "a login or an email, without a colon", // RFC 7617 2
);

/** `Viewer`, however `viewer` is written. */
function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}

const BOTH =
  "a token and a password are both set; keep grafana.api_key, or grafana.username and grafana.password";
const OWN_ORG =
  "a token works only in its own organisation; remove this, or sign in with username and password";

/** The schema of the section. It signs in by `api_key`, or by `username` and `password`. */
export const grafana = z.strictObject({
  url,
  api_key: secret("a Grafana service account token or API key").optional(),
  username: username.optional(),
  password: password("the password of grafana.username").optional(),
  /** For a password; a token knows its organisation. */
  org_id: protects(
    integer(1, Number.MAX_SAFE_INTEGER, "the id of an organisation, a whole number from 1").optional(),
  ),
  missing_users: protects(oneOf(MISSING_USERS, (value) => value.toLowerCase()).default("auto")),
  ca_file: text.optional(),
  new_user_role: protects(oneOf(ORG_ROLES, capitalise).default("Viewer")),
}, "settings")
  .refine((value) => value.api_key || value.username || value.password, {
    ...always,
    path: ["api_key"],
    error: "a Grafana service account token or API key",
  })
  .refine((value) => value.api_key || !value.password || value.username, {
    ...always,
    path: ["username"],
    error: "the login of a Grafana user, to go with grafana.password",
  })
  .refine((value) => value.api_key || !value.username || value.password, {
    ...always,
    path: ["password"],
    error: "the password of grafana.username",
  })
  .refine((value) => !value.api_key || !(value.username || value.password), sentence("api_key", BOTH))
  .refine((value) => !value.api_key || value.org_id === undefined, sentence("org_id", OWN_ORG));
