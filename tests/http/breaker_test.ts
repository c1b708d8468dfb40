/** When a cycle stops asking a service. */
import { assertEquals } from "@std/assert";
import { createBreaker } from "../../src/http/breaker.ts";
import { RequestError, type RequestErrorKind } from "../../src/http/error.ts";

function failureOf(kind: RequestErrorKind): RequestError {
  return new RequestError({ kind, service: "Okta", method: "GET", path: "/", detail: kind });
}

/** What a breaker says after these answers; `ok` is a success. */
function stateAfter(...answers: readonly (RequestErrorKind | "ok")[]): string {
  const breaker = createBreaker();
  for (const answer of answers) {
    if (answer === "ok") breaker.succeeded();
    else breaker.failed(failureOf(answer));
  }
  return breaker.reason()?.message.split(" (")[0] ?? "closed";
}

const CASES: readonly (readonly [answers: readonly (RequestErrorKind | "ok")[], state: string])[] = [
  [["timeout", "server-error"], "closed"],
  [["timeout", "server-error", "timeout"], "timeout"],
  [["timeout", "timeout", "ok", "timeout", "timeout"], "closed"],
  [["timeout", "timeout", "not-found", "timeout", "timeout"], "closed"],
  [["not-found", "not-found", "not-found", "not-found"], "closed"],
  [["unauthorized"], "unauthorized"],
  [["unreachable"], "unreachable"],
  [["certificate"], "certificate"],
  [["certificate", "ok", "timeout"], "certificate"],
];

for (const [answers, state] of CASES) {
  Deno.test(`after ${answers.join(", ")} the service is ${state === "closed" ? "asked on" : "asked no more"}`, () =>
    assertEquals(stateAfter(...answers), state));
}
