/** A bare loop of `fetch` that makes the requests it is given on standard input, one after another. */
import { measure, readTask } from "./measure.ts";

/** A request that gots made. */
interface Recorded {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

const requests: Recorded[] = await new Response(Deno.stdin.readable).json();
await measure(readTask(), async () => {
  for (const { url, ...init } of requests) await (await fetch(url, init)).json();
});
