/** The building blocks of the configuration's schema: what is accepted for one value, and what is said if it is not. */
import { z } from "zod";
import { PrivateKeyError, readPrivateKey } from "./private_key.ts";
import { Secret } from "./secret.ts";

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

/** What PyYAML and the environment call true and false, in any case. */
export const boolean = z.preprocess(
  (value) => typeof value === "object" ? value : BOOLEANS[String(value).toLowerCase()] ?? value,
  z.boolean("true or false"),
);

/** A whole number within limits, also as digits in a text. */
export function integer(least: number, most: number, expected: string) {
  return z.preprocess(
    (value) => typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value,
    z.int(expected).min(least, expected).max(most, expected),
  );
}

/** One of some names, after `change` brought it into their form. */
export function oneOf<const T extends readonly string[]>(names: T, change: (text: string) => string) {
  return z.preprocess(
    (value) => typeof value === "string" ? change(value) : value,
    z.enum(names, `one of ${names.join(", ")}`),
  );
}

/** A text that is not empty. */
export const text = z.string("a text").min(1, "a text that is not empty");
/** A name; YAML reads some unquoted ones as something else. */
export const name = z.string("a name in quotes").min(1, "a name that is not empty");

/** A credential. */
export function secret(expected: string) {
  return z.string(`${expected} in quotes`).trim().min(1, expected)
    .refine(
      (value) => /^[\x20-\x7e]*$/.test(value),
      `${expected} of ASCII letters, digits and signs, on one line`,
    )
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

/** Names, as a list, or split at commas or blanks. */
export const words = z.preprocess(
  (value) => typeof value === "string" ? value.split(/[\s,]+/).filter(Boolean) : value,
  z.array(text, "a list of names").min(1, "at least one name"),
);

/** Whether a host is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Reads an address, completing `https://`; `undefined` if it is none, or carries credentials, query or fragment. */
function parseAddress(value: string): URL | undefined {
  const address = value.trim();
  const url = URL.parse(address.includes("://") ? address : `https://${address}`);
  if (!url || /\s/.test(address) || !/^https?:$/.test(url.protocol)) return undefined;
  return url.username || url.password || url.search || url.hash ? undefined : url;
}

/** An address that `accept` takes, without a slash at its end. */
export function address(expected: string, accept: (url: URL) => boolean) {
  return z.string(expected).transform((value, context) => {
    const url = parseAddress(value);
    if (url && accept(url)) return url.origin + url.pathname.replace(/\/+$/, "");
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
}

/** Makes a refinement run although another setting of the section is wrong, so that all errors come at once. */
export const always = { when: () => true };
