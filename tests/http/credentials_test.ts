/** Passwords come out of errors in every form in which somebody may write them. */
import { assert, assertEquals } from "@std/assert";
import { cleanError } from "../../src/http/credentials.ts";

const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

const FORMS: Readonly<Record<string, (user: string, password: string) => string>> = {
  "as it is": (_, password) => password,
  "behind the user": (user, password) => `${user}:${password}`,
  "in the header": (user, password) => `Basic ${btoa(utf8(`${user}:${password}`))}`,
  "in base64, alone": (_, password) => btoa(utf8(password)),
  "in JSON": (_, password) => JSON.stringify({ password }),
  "percent-encoded": (_, password) => encodeURIComponent(password),
  "byte for byte": (_, password) => utf8(password),
};
const PASSWORDS = [
  "hunter22",
  "pässwörd🔑",
  "100%sure",
  "a:b:c:d",
  'quo"te\\d',
  "plus+and space",
  "密码密码密码",
];

for (const password of PASSWORDS) {
  for (const [form, write] of Object.entries(FORMS)) {
    Deno.test(`the password ${password} that comes back ${form} is taken out of an error`, () => {
      const said = write("admin", password);
      const authorization = `Basic ${btoa(utf8(`admin:${password}`))}`;
      const { message, cause } = cleanError(new Error(`you sent ${said}!`, { cause: new Error(said) }), {
        authorization,
      });
      for (const text of [message, String(cause)]) {
        assert(!text.includes(said.replace("Basic ", "")) && !text.includes(password), text);
        assert(text.includes("[redacted]"), text);
      }
    });
  }
}

Deno.test("an error without the credential stays as it is", () => {
  const { message } = cleanError(new Error("team not found"), {
    authorization: `Basic ${btoa("admin:hunter22")}`,
  });
  assertEquals(message, "team not found");
});
