/** The types of settings, each with a description of what is expected. */
import * as z from "zod";
import { PrivateKeyError, readPrivateKey } from "./private_key.ts";
import { Secret } from "./secret.ts";

/** What PyYAML and the environment call true and false, in lower case. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** True or false, in any spelling. */
export const boolean = z.preprocess(
  (value) => typeof value === "object" ? value : BOOLEANS[String(value).toLowerCase()] ?? value,
  z.boolean("true or false"),
);

/** A string that Python's `int` or PyYAML reads as a whole number: `300`, `+300`, `1_000`, or `5:00` in sixties. */
const WHOLE_NUMBER = /^\s*\+?\d+(?:_\d+)*(?::[0-5]?\d)*\s*$/;

function readWholeNumber(text: string): number {
  return text.replaceAll("_", "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** A whole number, also as a string. */
export function integer(least: number, most: number, expected: string) {
  return z.preprocess(
    (value) => typeof value === "string" && WHOLE_NUMBER.test(value) ? readWholeNumber(value) : value,
    z.int(expected).min(least, expected).max(most, expected),
  );
}

/** A share, greater than 0 and at most 1, also as a string. */
export function share(expected: string) {
  return z.preprocess(
    (value) => typeof value === "string" && /^\s*\d*\.?\d+\s*$/.test(value) ? Number(value) : value,
    z.number(expected).gt(0, expected).max(1, expected),
  );
}

/** One of a few words, after `change`. */
export function oneOf<const T extends readonly string[]>(names: T, change: (text: string) => string) {
  return z.preprocess(
    (value) => typeof value === "string" ? change(value) : value,
    z.enum(names, `one of ${names.join(", ")}`),
  );
}

/** Any text. */
export const text = z.string("a string").min(1, "a non-empty string");
/** The name of a group or a team. */
export const name = z.string("a name in quotes").min(1, "a non-empty name");

/** A setting that may be missing. GOTS takes an empty text for that as well. */
export function optional<T extends z.ZodType>(type: T) {
  return z.preprocess((value) => value === "" ? undefined : value, type.optional()).optional();
}

/** What examples have in place of a credential. */
const PLACEHOLDER =
  /^(?:your[-_ ]|change[-_ ]?me|replace[-_ ]?(?:me|with)|insert[-_ ]|<.*>$|\{.*\}$|x{4,}$|\*{3,}$|\.{3}$)/i;

/** Why a string is not a credential, although it would fit into a header. */
function describeMistake(value: string): string | undefined {
  const scheme = /^(?:authorization:\s*)?(SSWS|Bearer|Basic|Token)(?=\s)/i.exec(value)?.[1];
  if (scheme) return `remove ${scheme} from the credential; gots adds the scheme itself`;
  if (/^(["']).*\1$/.test(value)) {
    return "the quotes count as part of the credential; remove them";
  }
  return PLACEHOLDER.test(value)
    ? "this is a placeholder from an example; use the real credential"
    : undefined;
}

/** An id that a service gave. */
export const id = text.superRefine((value, context) => {
  const message = "this is a placeholder from an example; use the real id";
  if (PLACEHOLDER.test(value)) context.addIssue({ code: "custom", message, params: { isSentence: true } });
});

/** A credential that goes into a header as it is. */
export function secret(expected: string) {
  return z.string(`${expected} in quotes`).trim().min(1, expected)
    .refine(
      (value) => /^[\x20-\x7e]*$/.test(value),
      `${expected} of ASCII letters, digits and symbols, on one line`,
    )
    .superRefine((value, context) => {
      const message = describeMistake(value);
      if (message) context.addIssue({ code: "custom", message, params: { isSentence: true } });
    })
    .transform((value) => new Secret(value));
}

/** The private key of a service app. */
export const privateKey = z.string("a private key in PEM or JWK form").min(
  1,
  "a private key in PEM or JWK form",
)
  .transform((value, context) => {
    try {
      return readPrivateKey(value);
    } catch (error) {
      const reason = error instanceof PrivateKeyError ? error.message : "it cannot be read";
      context.addIssue({ code: "custom", message: `a private key in PEM or JWK form (${reason})` });
      return z.NEVER;
    }
  });

/** A password, as it is: blanks at its ends and every letter of Unicode count. @see RFC 7617 2 */
export function password(expected: string) {
  return z.string(`${expected} in quotes`).min(1, expected)
    .refine((value) => !/\p{Cc}/u.test(value), `${expected} on one line`)
    .transform((value) => new Secret(value));
}

/** A list of names, or a string of them. */
export const words = z.preprocess(
  (value) => typeof value === "string" ? value.split(/[\s,]+/).filter(Boolean) : value,
  z.array(text, "a list of names").min(1, "at least one name"),
);

/** Whether a host, as in a URL or bare, is this machine. */
export function isLoopback(hostname: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(hostname) || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** What examples have in place of an address. */
const NO_ADDRESS =
  /[{}<>]|^(?:https?:\/\/)?your[-_]?(?:okta|grafana|domain|company|org|instance|subdomain|tenant|host|server)/i;

/** Reads an address, adding `https://`; `undefined` if it is invalid, or has credentials, query or fragment. */
function parseAddress(value: string): URL | undefined {
  const address = value.trim();
  const url = URL.parse(address.includes("://") ? address : `https://${address}`);
  if (!url || /\s/.test(address) || !/^https?:$/.test(url.protocol)) return undefined;
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])$/.test(url.hostname)) return undefined;
  return url.username || url.password || url.search || url.hash ? undefined : url;
}

/** An address that `read` accepts, as it is or corrected, without a slash at its end. */
export function address(expected: string, read: (url: URL) => URL | undefined) {
  return z.string(expected).transform((value, context) => {
    const parsed = parseAddress(value);
    const url = parsed && !NO_ADDRESS.test(value.trim()) ? read(parsed) : undefined;
    if (url) return url.origin + url.pathname.replace(/\/+$/, "");
    context.addIssue(
      NO_ADDRESS.test(value.trim())
        ? {
          code: "custom",
          message: `this is a placeholder from an example; use ${expected}`,
          params: { isSentence: true },
        }
        : { code: "custom", message: expected },
    );
    return z.NEVER;
  });
}

/**
 * Marks a setting that protects people, teams or what the service shows: it fails closed. A `${VAR}` in it that is
 * unset or empty is an error, where other settings fall back to their default.
 */
export function protects<T extends z.ZodType>(type: T): T {
  return type.meta({ protects: true });
}

/** Makes a refinement run although another setting of the section is wrong, so that all errors come at once. */
export const always = { when: () => true };

/** What a refinement says if its message is a sentence of its own, without what was found. */
export function sentence(path: string, message: string) {
  return { ...always, path: [path], message, params: { isSentence: true } };
}
