/** Writes of which nobody knows whether they were carried out. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { summary } from "../sync/cycle_world.ts";
import { isSuccess } from "../../src/sync/tell/report.ts";
import {
  assertConverged,
  assertTold,
  change,
  INTERVAL,
  type Network,
  person,
  settle,
  withFaults,
} from "./world.ts";

/** What comes back although the write was carried out. */
const FAULTS: readonly (readonly [fault: string, instead: (answer: Response) => Response, says: RegExp])[] = [
  ["whose answer is lost", () => {
    const cause = new Error("client error (SendRequest): connection closed before message completed");
    throw new TypeError("fetch failed", { cause });
  }, /cannot connect: .*connection closed before message completed/],
  [
    "that was carried out and answered 500",
    () => Response.json({ message: "Something is broken" }, { status: 500 }),
    /Something is broken/,
  ],
  [
    "that was carried out and answered by a proxy's 504",
    () => new Response("<h1>Gateway Timeout</h1>", { status: 504, headers: { "content-type": "text/html" } }),
    /returned 504/,
  ],
];

/** A kind of write, and the world in which the next cycle makes one. */
interface Write {
  readonly what: string;
  readonly method: string;
  readonly path: RegExp;
  readonly prepare: (cycles: Parameters<Parameters<typeof withFaults>[0]>[0]) => void;
  /** What the mapping's report says in a cycle in which the write goes well in the end. */
  readonly done: string;
}

const WRITES: readonly Write[] = [
  {
    what: "an addition",
    method: "POST",
    path: /^\/api\/teams\/\d+\/members$/,
    prepare: ({ world }) => void world.okta.group("Engineering").members.add(person(world, "dave")),
    done: "+1 -0",
  },
  {
    what: "a removal",
    method: "DELETE",
    path: /^\/api\/teams\/\d+\/members\/\d+$/,
    prepare: ({ world }) => void world.okta.group("Engineering").members.delete(person(world, "bob")),
    done: "+0 -1",
  },
  {
    what: "the creation of a team",
    method: "POST",
    path: /^\/api\/teams$/,
    prepare: ({ world }) => world.grafana.state.teams.clear(),
    done: "+3 -0",
  },
  {
    what: "the adding of somebody to the organisation",
    method: "POST",
    path: /^\/api\/org\/users$/,
    prepare: ({ world }) => {
      const email = "erin@example.com";
      world.grafana.state.addUser({ login: email, email, orgId: null });
      world.okta.group("Engineering").members.add(world.okta.addUser(email));
    },
    done: "+1 -0",
  },
];

/** Carries out every such write, and gives something else back as often as `times` says. */
function lose({ method, path }: Write, instead: (answer: Response) => Response, times: number): Network {
  let count = 0;
  return async (url, init, proceed) => {
    const answer = await proceed();
    if (init.method !== method || !path.test(new URL(url).pathname) || ++count > times) return answer;
    await answer.body?.cancel();
    return instead(answer);
  };
}

for (const write of WRITES) {
  for (const [fault, instead, says] of FAULTS) {
    Deno.test(`${write.what} ${fault} is repeated, and the world converges in the same cycle`, () =>
      withFaults(async (cycles) => {
        await settle(cycles);
        const { world, cycle, messages, writes } = cycles;
        write.prepare(cycles);
        cycles.network = lose(write, instead, 1);
        const report = await cycle();
        assertEquals(summary(report)[0], `Engineering->Engineers: ${write.done}`);
        assert(report.mappings.every(isSuccess));
        assertMatch(messages().join("\n"), /WARNING .*waiting 1\.0 s, then attempt 2 of 5/);
        assertConverged(world);

        writes();
        await cycle();
        assertEquals(writes(), []);
      }));

    Deno.test(`${write.what} ${fault}, every time, is told, and the next cycle finds what was done`, () =>
      withFaults(async (cycles) => {
        await settle(cycles);
        const { world, cycle, messages } = cycles;
        write.prepare(cycles);
        cycles.network = lose(write, instead, Infinity);
        assertTold(await cycle(), messages(), says);

        cycles.network = undefined;
        for (let i = 0; i < 2; i++) {
          await cycles.pass(INTERVAL);
          assert((await cycle()).mappings.every(isSuccess));
        }
        assertConverged(world);
        assertEquals(world.grafana.state.teams.size, 2, "no team twice");
      }));
  }
}

Deno.test("a write that is answered by a sign-in page is no success: it is told, and made up for in the next cycle", () =>
  withFaults(async (cycles) => {
    await settle(cycles);
    const { world, cycle, messages } = cycles;
    change(world);
    world.grafana.intercept = ({ method }, proceed) =>
      method === "GET"
        ? proceed()
        : new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
    const report = await cycle();
    assertEquals(summary(report)[0], "Engineering->Engineers: +0 -0, 1 errors");
    assertTold(report, messages(), /could not add dave@example\.com: .*sign-in page/);

    world.grafana.intercept = undefined;
    assertEquals(summary(await cycle())[0], "Engineering->Engineers: +1 -1");
    assertConverged(world);
  }));

for (const method of ["POST", "DELETE"]) {
  Deno.test(`a team's ${method} that fails for one person holds nobody else up, and is made up for later`, () =>
    withFaults(async (cycles) => {
      await settle(cycles);
      const { world, cycle, messages } = cycles;
      change(world);
      world.grafana.intercept = (request, proceed) =>
        request.method === method ? Response.json({ message: "no" }, { status: 500 }) : proceed();
      const report = await cycle();
      const did = method === "POST" ? "+0 -1" : "+1 -0";
      assertEquals(summary(report)[0], `Engineering->Engineers: ${did}, 1 errors`);
      assertTold(report, messages(), /could not (?:add dave|remove bob)@example\.com: no/);

      world.grafana.intercept = undefined;
      await cycle();
      assertConverged(world);
    }));
}
