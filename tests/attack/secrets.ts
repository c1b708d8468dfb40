/** Known secrets, and every form in which they could get out. */
import { assert } from "@std/assert";

/** The credentials of the tests of attacks, as long as real ones; the signs in them read differently once they are encoded. */
export const SECRETS = {
  apiToken: "00aQ7+sEcReT=tOk~~~T.W_x9-bCdEfGhIjKlMnOpQ",
  clientId: "0oaHostile",
  clientSecret: "cL!3nT+s3CrEt/Zw=9~kQ.v_8qWeRtYuIoPaSdFg",
  grafanaToken: "glsa_G+r4f4N=aK3y~~~x81aBcDeFgHiJkLmNoP_1a2b3c",
} as const;

const bytesOf = (text: string) => new TextEncoder().encode(text);

function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...bytesOf(text)));
}

/** The characters of base64 that hold nothing but `text` when `before` bytes stand in front of it. */
function base64Within(text: string, before: number): string {
  const encoded = base64("\0".repeat(before) + text).replace(/=+$/, "");
  const first = [0, 2, 3][before] ?? 0;
  const partial = ((before + bytesOf(text).length) * 8) % 6 === 0 ? 0 : 1;
  return encoded.slice(first, encoded.length - partial);
}

/** The forms of a secret by name, in lower case: plain, reversed, percent-encoded, hex, and base64 at each alignment. */
export function formsOf(secret: string): ReadonlyMap<string, string> {
  const forms = new Map([
    ["plain", secret],
    ["reversed", [...secret].reverse().join("")],
    ["percent-encoded", encodeURIComponent(secret)],
    ["form-encoded", encodeURIComponent(secret).replace(/[!'()*~._-]/g, (c) => `%${encodeHex(bytesOf(c))}`)],
    ["wholly percent-encoded", encodeHex(bytesOf(secret)).replace(/../g, "%$&")],
    ["hex", encodeHex(bytesOf(secret))],
    ["JSON in JSON", JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ]);
  for (const before of [0, 1, 2]) {
    const within = base64Within(secret, before);
    forms.set(`base64 behind ${before} bytes`, within);
    forms.set(`base64url behind ${before} bytes`, within.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return new Map([...forms].map(([name, form]) => [name, form.toLowerCase()]));
}

/** Fails if any of `secrets` stands in `said` in any form, upper and lower case taken for the same. */
export function assertSilent(said: string, secrets: readonly string[]): void {
  const lower = said.toLowerCase();
  for (const secret of secrets) {
    for (const [name, form] of formsOf(secret)) {
      const at = lower.indexOf(form);
      assert(
        at < 0,
        `a secret came out ${name}: ${said.slice(Math.max(0, at - 200), at + form.length + 80)}`,
      );
    }
  }
}
