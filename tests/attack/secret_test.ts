/** Secrets live in a wrapper that prints `[redacted]` however it is printed, inspected, put in JSON, or thrown. */
import { assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import * as util from "node:util";
import { REDACTED, Secret } from "../../src/config/secret.ts";
import { createLog } from "../../src/observability/log.ts";
import { assertSilent, formsOf, SECRETS } from "./secrets.ts";

const VALUE = SECRETS.apiToken;
const secret = new Secret(VALUE);

const PRINTED: Readonly<Record<string, () => string>> = {
  "in a template": () => `${secret}`,
  "by String": () => String(secret),
  "by concatenation": () => "" + secret,
  "joined in a list": () => [secret].join(),
  "in JSON": () => JSON.stringify({ secret, list: [secret], map: { secret } }),
  "in indented JSON": () => JSON.stringify([secret], null, 2),
  "by Deno.inspect": () => Deno.inspect(secret),
  "by Deno.inspect, with all that is hidden": () =>
    Deno.inspect({ secret }, { showHidden: true, depth: 99, getters: true, showProxy: true }),
  "by Deno.inspect, in colour": () => Deno.inspect([secret], { colors: true }),
  "by node's inspect": () => util.inspect(secret),
  "by node's inspect, with all that is hidden": () =>
    util.inspect({ secret }, { showHidden: true, depth: Infinity, getters: true, showProxy: true }),
  "by node's format": () => util.format("%s %o %O %j", secret, secret, secret, secret),
  "in a Map and a Set": () => Deno.inspect([new Map([["secret", secret]]), new Set([secret])]),
  "as the name of a property": () => Object.keys({ [`${secret}`]: 1 }).join(),
  "in an error's message": () => Deno.inspect(new Error(`no: ${secret}`)),
  "as an error's cause": () => Deno.inspect(new Error("no", { cause: secret })),
  "as the cause of a cause": () =>
    Deno.inspect(new Error("no", { cause: new Error("why", { cause: { secret } }) })),
  "as a field of an error": () => Deno.inspect(Object.assign(new Error("no"), { secret })),
  "in many errors": () => Deno.inspect(new AggregateError([secret, new Error(`${secret}`)])),
  "as an argument of a regular expression": () => "token".replace("token", String(secret)),
  "localised": () => secret.toLocaleString(),
};

for (const [how, print] of Object.entries(PRINTED)) {
  Deno.test(`a secret prints as [redacted] ${how}`, () => {
    const printed = print();
    assertSilent(printed, [VALUE]);
    assertStringIncludes(printed, REDACTED);
  });
}

Deno.test("a secret that is thrown says [redacted]", async () => {
  const thrown = await Promise.reject(secret).catch((error: unknown) => error);
  assertEquals([`${thrown}`, Deno.inspect(thrown)], [REDACTED, REDACTED]);
});

Deno.test("a secret that nobody catches ends a process with [redacted] alone", async () => {
  const module = new URL("../../src/config/secret.ts", import.meta.url).href;
  for (
    const end of ["throw secret", "Promise.reject(secret)", 'throw new Error("no", { cause: { secret } })']
  ) {
    const code = `import { Secret } from "${module}"; const secret = new Secret("a" + "${
      VALUE.slice(1)
    }"); ${end};`;
    const args = [
      "run",
      "--no-check",
      "--no-config",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ];
    const { stderr, stdout, success } = await new Deno.Command(Deno.execPath(), { args }).output();
    const said = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
    assertEquals(success, false);
    // The stack names the module, which holds the code of this test.
    assertFalse(said.replaceAll(/data:application\/typescript\S*/g, "").includes(VALUE.slice(1)), said);
    assertStringIncludes(said, "ncaught");
  }
});

Deno.test("a secret has nothing that could be listed, copied, spread or assigned", () => {
  const copies: unknown[] = [
    Object.entries(secret),
    Object.getOwnPropertyNames(secret),
    Object.getOwnPropertySymbols(secret),
    Object.values(Object.getOwnPropertyDescriptors(secret)),
    { ...secret },
    Object.assign({}, secret),
    structuredClone(secret),
    JSON.parse(JSON.stringify({ ...secret })),
  ];
  for (const copy of copies) {
    assertEquals(Object.keys(copy as Record<string, unknown>), []);
    assertSilent(Deno.inspect(copy, { showHidden: true }), [VALUE]);
  }
});

Deno.test("a message between workers carries no secret", async () => {
  const { port1, port2 } = new MessageChannel();
  const arrived = Promise.withResolvers<unknown>();
  port2.onmessage = ({ data }) => arrived.resolve(data);
  port1.postMessage({ secret });
  assertSilent(Deno.inspect(await arrived.promise, { showHidden: true }), [VALUE]);
  port1.close();
  port2.close();
});

Deno.test("a comparison or a calculation with a secret tells nothing of it", () => {
  assertEquals([secret.toString().length, Number(secret), `${secret}` === VALUE], [
    REDACTED.length,
    NaN,
    false,
  ]);
  const wrong = assertThrows(() => new URL(String(secret)), TypeError);
  assertFalse(wrong.message.includes(VALUE));
});

for (const format of ["text", "json"] as const) {
  Deno.test(`a secret given to the log as a field is [redacted], as ${format}`, () => {
    let said = "";
    const log = createLog({ level: "DEBUG", format, write: (line) => said += line });
    log.error("No: {secret} {nested} {error}", {
      secret,
      nested: { secret },
      error: new Error("no", { cause: secret }),
    });
    assertSilent(said, [VALUE]);
    assertStringIncludes(said, REDACTED);
  });
}

Deno.test("the search for secrets finds each of their forms, behind whatever stands before them", () => {
  const encoder = new TextEncoder();
  for (const before of ["", "a", "ab", "abc", "SSWS ", "Authorization: Bearer "]) {
    const encoded = btoa(String.fromCharCode(...encoder.encode(`${before}${VALUE} and more`)));
    const url = encoded.replaceAll("+", "-").replaceAll("/", "_");
    for (const text of [encoded, url, encodeURIComponent(before + VALUE), before + VALUE.toUpperCase()]) {
      assertThrows(() => assertSilent(`x${text}x`, [VALUE]), Error, "a secret came out");
    }
  }
  for (const form of formsOf(VALUE).values()) assertThrows(() => assertSilent(form, [VALUE]));
});
