/** Reads the private key of a service app. */
import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { Secret } from "./secret.ts";

/** A private key that can sign. */
export interface PrivateKey {
  /** The whole key, as a JSON Web Key. */
  readonly jwk: Secret;
  readonly algorithm: "RS256" | "ES256";
  /** The key's id, if it is in the JSON Web Key. */
  readonly keyId: string | undefined;
}

/** Why a string is not a usable private key. The message never contains the key. */
export class PrivateKeyError extends Error {
  override readonly name = "PrivateKeyError";
}

/** Line ends may come as `\n` in two characters, where a variable holds one line. */
function restoreLines(text: string): string {
  return text.includes("\n") ? text : text.replaceAll("\\n", "\n");
}

function parseKey(text: string): { readonly key: KeyObject; readonly keyId: string | undefined } {
  if (text.startsWith("{")) {
    const jwk = JSON.parse(text) as JsonWebKey;
    return {
      key: createPrivateKey({ key: jwk, format: "jwk" }),
      keyId: typeof jwk.kid === "string" ? jwk.kid : undefined,
    };
  }
  return { key: createPrivateKey(restoreLines(text)), keyId: undefined };
}

/** The length of a number in base64url, in bits (RFC 7518 6.3.1.1: no leading zeros). */
function bitsOf(number: string): number {
  const bytes = Uint8Array.fromBase64(number, { alphabet: "base64url" });
  const [first] = bytes;
  return first === undefined ? 0 : bytes.length * 8 - Math.clz32(first) + 24;
}

function algorithmOf({ kty, crv, n = "" }: JsonWebKey): PrivateKey["algorithm"] {
  if (kty === "RSA") {
    const bits = bitsOf(n);
    if (bits >= 2_048) return "RS256";
    throw new PrivateKeyError(`this RSA key has ${bits} bits, but Okta requires at least 2048`);
  }
  if (kty === "EC" && crv === "P-256") return "ES256";
  throw new PrivateKeyError("use an RSA key (RS256) or a P-256 key (ES256)");
}

/**
 * Reads a private key in PEM form (PKCS #8, PKCS #1 or SEC 1) or as a JSON Web Key (RFC 7517).
 *
 * @throws {PrivateKeyError}
 */
export function readPrivateKey(text: string): PrivateKey {
  const trimmed = text.trim();
  if (/^-----BEGIN (?:RSA |EC )?PUBLIC KEY|"keys"\s*:/.test(trimmed)) {
    throw new PrivateKeyError("this is a public key or a set of keys; use the private key");
  }
  if (/ENCRYPTED/.test(trimmed)) {
    throw new PrivateKeyError("this key is encrypted; decrypt it with openssl pkcs8, and protect the file");
  }
  try {
    const { key, keyId } = parseKey(trimmed);
    const jwk = key.export({ format: "jwk" });
    return { jwk: new Secret(JSON.stringify(jwk)), algorithm: algorithmOf(jwk), keyId };
  } catch (error) {
    if (error instanceof PrivateKeyError) throw error;
    throw new PrivateKeyError("it is neither a PEM key nor a JSON Web Key");
  }
}
