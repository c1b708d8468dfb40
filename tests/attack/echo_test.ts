/** No fault makes the service say a secret: every way to echo one, at DEBUG, searched in log, report, plan and pages. */
import { assert } from "@std/assert";
import { type Auth, type Hostile, withHostile } from "./service.ts";
import { assertSilent, SECRETS } from "./secrets.ts";

const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));
const base64 = (text: string) => btoa(utf8(text));
const hex = (text: string) =>
  [...utf8(text)].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");

/** The credential alone, and user and password where that is what it holds. */
function bare(authorization: string): string {
  const [scheme, credential = ""] = authorization.split(" ");
  return scheme === "Basic" ? atob(credential) : credential;
}

/** How somebody may write down the credential of a request. */
const FORMS: Readonly<Record<string, (authorization: string) => string>> = {
  "plain": (it) => it,
  "plain, without its scheme": bare,
  "decoded from its form": (it) => decodeURIComponent(bare(it).replace(/%(?![0-9a-f]{2})/gi, "%25")),
  "in base64": (it) => base64(it),
  "in base64, without its scheme": (it) => base64(bare(it)),
  "in base64, behind the header's name": (it) => base64(`authorization: ${it}\r\n`),
  "in base64, behind one byte": (it) => base64(`x${bare(it)}`),
  "in base64url": (it) => base64(it).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
  "percent-encoded": (it) => encodeURIComponent(it),
  "percent-encoded in lower case": (it) => encodeURIComponent(it).replace(/%../g, (c) => c.toLowerCase()),
  "form-encoded": (it) => new URLSearchParams({ authorization: bare(it) }).toString(),
  "in upper case": (it) => it.toUpperCase(),
  "in hex": (it) => hex(bare(it)),
};

type Fault = (said: string, request: Request) => Response;
const json = (body: unknown, status: number) => Response.json(body, { status });
const errorBody = (said: string) => ({
  errorCode: "E0000011",
  errorSummary: `refused ${said}`,
  errorId: said,
  error: `invalid_client_${said.replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, "_")}`,
  error_description: `refused ${said}`,
  message: `refused ${said}`,
});
const page = (said: string, status: number) =>
  new Response(`<html><body>You sent: ${said}</body></html>`, {
    status,
    headers: { "content-type": "text/html" },
  });
const ascii = (said: string) => said.replace(/[^\x21-\x7e]/g, "_");

/** Answers that hold what the request carried. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "a 400 that repeats it": (said) => json(errorBody(said), 400),
  "a 401 that repeats it": (said) => json(errorBody(said), 401),
  "a 403 that repeats it": (said) => json(errorBody(said), 403),
  "a 404 that repeats it": (said) => json(errorBody(said), 404),
  "a 409 that repeats it": (said) => json(errorBody(said), 409),
  "a 429 that repeats it": (said) => json(errorBody(said), 429),
  "a 500 with it in its body": (said) => json(errorBody(said), 500),
  "a proxy's page with it": (said) => page(said, 502),
  "a proxy's page with it in its title, as it is": (said) =>
    new Response(`<title>Denied: ${said}</title>`, { status: 403, headers: { "content-type": "text/html" } }),
  "a proxy's page with it in its title, across the end of what is quoted": (said) =>
    new Response(`<title>${"x".repeat(90)} ${said}</title>`, {
      status: 401,
      headers: { "content-type": "text/html" },
    }),
  "a proxy's text with it, and its name": (said) =>
    new Response(`denied ${said}\n${said}`, {
      status: 403,
      headers: { "content-type": "text/plain", server: ascii(said) },
    }),
  "a redirect to a path with it": (said) =>
    new Response(null, { status: 302, headers: { location: `/login/${ascii(said)}` } }),
  "a sign-in page with it": (said) => page(said, 200),
  "a success of another shape": (said) => json({ [said]: said, value: [said] }, 200),
  "broken JSON": (said) => new Response(`{"a": ${said}`, { headers: { "content-type": "application/json" } }),
  "a redirect with it in its path": (said) =>
    new Response(null, { status: 302, headers: { location: `/login?next=${ascii(said)}#${ascii(said)}` } }),
};

/** All the headers of a request, as a proxy shows them. */
const headersOf = (request: Request) => Object.fromEntries(request.headers);

const PROXIES: Readonly<Record<string, (request: Request) => Response>> = {
  "a proxy that shows all headers in a page": (request) => page(JSON.stringify(headersOf(request)), 502),
  "a proxy that shows all headers as JSON": (request) =>
    json({ ...errorBody(JSON.stringify(headersOf(request))), headers: headersOf(request) }, 400),
  "a proxy that shows all headers in an answer that succeeds": (request) => json([headersOf(request)], 200),
};

const PLACES: readonly (readonly [place: string, auth: Auth, service: "okta" | "grafana", path: RegExp])[] = [
  ["Okta, with an API token", "api_token", "okta", /\/api\//],
  ["Okta, with an access token", "oauth", "okta", /\/api\//],
  ["Okta's token endpoint, with a client secret", "oauth", "okta", /\/oauth2\//],
  ["Grafana", "api_token", "grafana", /\/api\//],
];

/** Runs the service for a cycle in which this place answers so, and searches everything that it says. */
async function assertNothingSaid(
  [, auth, service, path]: (typeof PLACES)[number],
  answer: (request: Request) => Response,
): Promise<void> {
  let times = 0;
  const seen = new Set<string>();
  await withHostile({
    auth,
    prepare(hostile: Hostile) {
      hostile.okta.addGroup("A", [hostile.addPerson("ann@example.com")]);
      hostile[service].intercept = (request) => {
        if (!path.test(new URL(request.url).pathname)) return undefined;
        times++;
        seen.add(bare(request.headers.get("authorization") ?? ""));
        return answer(request);
      };
    },
  }, ({ said, accessTokens }) => {
    assert(times > 0, "the fault never happened");
    const { apiToken, clientSecret, grafanaToken } = SECRETS;
    assertSilent(said, [apiToken, clientSecret, grafanaToken, ...accessTokens, ...seen]);
  });
}

for (const place of PLACES) {
  for (const [form, write] of Object.entries(FORMS)) {
    Deno.test(
      `a credential that comes back ${form} from ${place[0]} is not said, whatever the fault`,
      async (t) => {
        for (const [what, fault] of Object.entries(FAULTS)) {
          await t.step(
            what,
            () =>
              assertNothingSaid(
                place,
                (request) => fault(write(request.headers.get("authorization") ?? ""), request),
              ),
          );
        }
      },
    );
  }
  for (const [what, proxy] of Object.entries(PROXIES)) {
    Deno.test(
      `${what} in the place of ${place[0]} makes nobody say a credential`,
      () => assertNothingSaid(place, proxy),
    );
  }
}

/** Headers of an answer that hold the credential. */
const HEADERS: Readonly<Record<string, (said: string, request: Request) => Response>> = {
  "as the host of a redirect": (said) =>
    new Response(null, { status: 307, headers: { location: `https://${said}.example.com/` } }),
  "as the user of a redirect": (said) =>
    new Response(null, { status: 307, headers: { location: `https://${said}:${said}@example.com/` } }),
  "as the type of its content": (said) => new Response(said, { headers: { "content-type": `text/${said}` } }),
  "as a next link's host": (said) =>
    Response.json([], { headers: { link: `<https://${said}.example.com/>; rel="next"` } }),
  "as a next link's query": (said, { url }) =>
    Response.json([], { headers: { link: `<${url.split("?")[0]}?token=${said}>; rel="next"` } }),
  "as a Retry-After": (said) => new Response(null, { status: 429, headers: { "retry-after": said } }),
  "as a rate limit": (said) => new Response(null, { status: 429, headers: { "x-rate-limit-reset": said } }),
  "as a cookie": (said) => new Response(null, { status: 500, headers: { "set-cookie": `token=${said}` } }),
};

for (const place of PLACES) {
  for (const [where, answer] of Object.entries(HEADERS)) {
    Deno.test(
      `a credential that comes back from ${place[0]} ${where} is not said`,
      () =>
        assertNothingSaid(place, (request) => {
          const said = bare(request.headers.get("authorization") ?? "").replace(/[/%:]/g, "");
          return answer(said, request);
        }),
    );
  }
}
