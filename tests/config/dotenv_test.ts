/** `.env` files, held to what python-dotenv reads: `tools/dotenv_cases.py` made the expectations. */
import { assertEquals } from "@std/assert";
import { parseDotenv } from "../../src/config/dotenv.ts";
import cases from "./dotenv_cases.json" with { type: "json" };

interface Case {
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

for (const { input, environment, variables } of cases as unknown as readonly Case[]) {
  Deno.test(`.env: ${JSON.stringify(input)} is read as python-dotenv reads it`, () => {
    assertEquals({ ...parseDotenv(input, environment).variables }, variables);
  });
}

const malformed: readonly (readonly [input: string, lines: readonly number[]])[] = [
  ["A=1\nB=2\n", []],
  ["# comment\n\nK\n", []],
  ["=a", [1]],
  ["A=1\n\nB='open\nC=3\n", [3]],
  ["A=1\r\nB='a' b\r\nC=3\r\nD='e' f\r\n", [2, 4]],
  ['A="one\ntwo"\nK a\n', [3]],
];

for (const [input, lines] of malformed) {
  Deno.test(`.env: ${JSON.stringify(input)} has malformed lines ${JSON.stringify(lines)}`, () => {
    assertEquals(parseDotenv(input).malformedLines, lines);
  });
}
