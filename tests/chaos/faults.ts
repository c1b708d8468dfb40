/** What can happen to one request, on the wire and behind it. */
import type { Random } from "./random.ts";

/** Where a link or a redirect would lead that must not be followed. */
export const ELSEWHERE = "http://elsewhere.example";

/** Lets the service carry out the request. */
type Proceed = () => Promise<Response>;

/** What may be wrong with all the links of Okta's lists. */
export type LinkFlaw = "lost" | "no next page";

/** An answer of Okta whose links all have a flaw; of full pages, where it is that none names the next one. */
export async function withFlaw(flaw: LinkFlaw, { url }: Request, response: Response): Promise<Response> {
  const headers = new Headers(response.headers);
  if (!headers.has("link")) return response;
  if (flaw === "lost") headers.delete("link");
  else {
    const page = await response.clone().json();
    if (!isMemberPage(new Request(url)) || page.length < Number(new URL(url).searchParams.get("limit"))) {
      return response;
    }
    headers.set("link", `<${url}>; rel="self"`);
  }
  return new Response(response.body, { status: response.status, headers });
}

/** Stands between a request and its answer. */
export type Fault = (proceed: Proceed, request: Request, random: Random) => Promise<Response>;

const json = (body: unknown, status: number, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers });

/** Answers in the service's place. */
const instead = (answer: (random: Random) => Response): Fault => (_, __, random) =>
  Promise.resolve(answer(random));

/** The connection fails as the runtime tells it, before the request arrives. */
const broken = (reason: string): Fault => () =>
  Promise.reject(new TypeError(`error sending request for url (http://127.0.0.1/): ${reason}`));

/** The service answers, and something between changes the answer. */
const changed =
  (change: (response: Response, request: Request) => Response | Promise<Response>): Fault =>
  async (proceed, request) => await change(await proceed(), request);

const withHeaders = (response: Response, headers: Record<string, string>) =>
  new Response(response.body, {
    status: response.status,
    headers: { ...Object.fromEntries(response.headers), ...headers },
  });

/** The body breaks off in the middle. */
async function cut(response: Response): Promise<Response> {
  const bytes = await response.bytes();
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) return controller.error(new TypeError("error reading a body from connection"));
      sent = true;
      controller.enqueue(bytes.slice(0, bytes.length / 2));
    },
  });
  return new Response(body, response);
}

/** A list of somebody at least, edited; any other answer is as it is. */
const listed = <T>(edit: (list: T[]) => unknown) => async (response: Response): Promise<Response> => {
  const body = await response.clone().json();
  if (!Array.isArray(body) || body.length === 0) return response;
  edit(body);
  return Response.json(body, response);
};

/** A list of members with one of them twice. */
const doubled = listed((members) => members.push(members[0]));

const HTML = { "content-type": "text/html" };
const SIGN_IN = "<!doctype html><title>Sign in</title><form>";
/** The last page of a list of Okta. */
const LAST_PAGE = { link: '<http://127.0.0.1/>; rel="self"' };
const isMemberPage = ({ method, url }: Request) => method === "GET" && /\/groups\/[^/]+\/users/.test(url);
const isLaterPage = (request: Request) => isMemberPage(request) && /after=/.test(request.url);
const isList = (request: Request) => isMemberPage(request) || /groups\?search/.test(request.url);

/** For some requests only. */
const only = (fits: (request: Request) => boolean, fault: Fault): Fault => (proceed, request, random) =>
  fits(request) ? fault(proceed, request, random) : proceed();

const isTeam = ({ method, url }: Request) => method === "GET" && /\/teams\/\d+\/members$/.test(url);
const isTeamList = ({ url }: Request) => /\/api\/teams\/search/.test(url);
const isUserList = ({ url }: Request) => /\/api\/org\/users\/search/.test(url);

/** The list without its first half, though its total says otherwise; one of nobody is as it is. */
async function halved(response: Response): Promise<Response> {
  const body = await response.clone().json();
  const lists = Object.values(body).filter(Array.isArray);
  if (lists.every(({ length }) => length === 0)) return response;
  for (const list of lists) list.splice(0, Math.ceil(list.length / 2));
  return Response.json(body, response);
}

/** A page without its links. */
function unlinked(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.delete("link");
  return new Response(response.body, { headers });
}

/** A page of members without the first of them, in the very form of the truth. */
async function lacking(response: Response): Promise<Response> {
  const body = await response.json();
  return Response.json(Array.isArray(body) ? body.slice(1) : body, response);
}

/** Okta says that there is nobody more, in the very form of the truth. */
const LIE = instead(() => json([], 200, LAST_PAGE));

/** Lies that cannot be told from the truth if they come twice; each group tells one in a cycle at most. */
export const LIES: ReadonlySet<string> = new Set([
  "a group that seems empty",
  "a reading that ends early",
  "a page that lacks somebody",
]);

/** Faults that leave a reading whole. */
export const TRUTHFUL: ReadonlySet<string> = new Set([
  "a clock that is a day off",
  "users whom Grafana hides",
]);

/** Faults of lists that come in pages. */
export const PAGE_FAULTS: Readonly<Record<string, Fault>> = {
  "a link elsewhere": only(
    isMemberPage,
    changed((response) => withHeaders(response, { link: `<${ELSEWHERE}/next>; rel="next"` })),
  ),
  "a link in a circle": only(
    isMemberPage,
    changed((response, { url }) => withHeaders(response, { link: `<${url}>; rel="next"` })),
  ),
  "a link that is about something else": only(
    isMemberPage,
    changed((response) => withHeaders(response, { link: '<http://127.0.0.1/help>; rel="help"' })),
  ),
  "a damaged link": only(isMemberPage, changed((response) => withHeaders(response, { link: "<oops; rel=" }))),
  "a group that seems empty": only((request) => isMemberPage(request) && !isLaterPage(request), LIE),
  "a reading that ends early": only(isLaterPage, LIE),
  "a page that lacks somebody": only(isMemberPage, changed(lacking)),
  "a page that lost its link": only(isLaterPage, changed(unlinked)),
  "a list without any link": only(isMemberPage, changed(unlinked)),
  "a list of Grafana that is cut short": only(isTeamList, changed(halved)),
  "users whom Grafana hides": only(isUserList, changed(halved)),
  "a member twice on a page": only(isList, changed(doubled)),
  "a member of a team twice": only(
    isTeam,
    changed(
      listed<{ permission: number }>((members) =>
        members.push(...members.slice(0, 1).map((one) => ({ ...one, permission: 4 - one.permission })))
      ),
    ),
  ),
  "a member of a team without an id": only(
    isTeam,
    changed(listed<{ userId: number }>((members) => members.slice(0, 1).map((one) => one.userId = 0))),
  ),
};

/** A write that is to wait for minutes, in which the world changes. */
export const LONG_WAIT = "a write that is to wait long";

/** Every fault by its name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  ...PAGE_FAULTS,
  "500": instead(() => json({ message: "no" }, 500)),
  "502 with HTML": instead(() => new Response(SIGN_IN, { status: 502, headers: HTML })),
  "503 with Retry-After": instead(() => json({}, 503, { "retry-after": "20" })),
  "429 with Retry-After": instead(() => json({}, 429, { "retry-after": "2" })),
  [LONG_WAIT]: only(
    ({ method, url }) => method !== "GET" && /\/teams\/\d+\/members/.test(url),
    instead((random) => json({}, random.pick([429, 503]), { "retry-after": `${200 + random.int(91)}` })),
  ),
  "429 with a reset": instead((random) =>
    json({ errorCode: "E0000047", errorSummary: "limit" }, 429, {
      "x-rate-limit-limit": "600",
      "x-rate-limit-remaining": "0",
      "x-rate-limit-reset": String(Math.floor(Date.UTC(2026, 0, 1) / 1_000) + random.int(120)),
      date: new Date(Date.UTC(2026, 0, 1)).toUTCString(),
    })
  ),
  "429 of concurrency": instead(() => json({}, 429, { "x-rate-limit-limit": "0" })),
  "429 with nothing": instead(() => new Response("", { status: 429 })),
  "401": instead(() => json({ message: "invalid API key" }, 401)),
  "403": instead(() => json({ message: "Permissions needed: x" }, 403)),
  "404 that is not true": instead(() => json({ message: "Not found" }, 404)),
  "400": instead(() => json({ message: "bad request data" }, 400)),
  "connection refused": broken("client error (Connect): tcp connect error: Connection refused"),
  "connection reset": broken("connection reset by peer"),
  "DNS failure": broken("dns error: failed to lookup address information"),
  "TLS failure": broken("invalid peer certificate: UnknownIssuer"),
  "cut in the body": changed(cut),
  "lost answer": changed(() => {
    throw new TypeError("error sending request for url (http://127.0.0.1/): connection closed");
  }),
  "carried out and answered 500": changed(() => json({ message: "failed" }, 500)),
  "not carried out and answered 200": only(
    ({ method }) => method !== "GET",
    instead(() => json({ message: "ok", teamId: 999_999, userId: 999_999 }, 200)),
  ),
  "sign-in page": instead(() => new Response(SIGN_IN, { headers: HTML })),
  "invalid JSON": changed(async (response) => new Response((await response.text()).slice(1), response)),
  "JSON of another shape": instead(() => json({ unexpected: [] }, 200)),
  "a redirect elsewhere": instead(() =>
    new Response(null, { status: 302, headers: { location: ELSEWHERE } })
  ),
  "a search that lags": only(
    ({ url }) => /groups\?search/.test(url),
    instead(() => json([], 200, LAST_PAGE)),
  ),
  "a search hit that is stale": only(
    ({ url }) => /groups\?search/.test(url),
    instead((random) =>
      json(
        ["Alpha", "Beta", "Gamma"].map((name) => ({
          id: `00g00000${1 + random.int(3)}`,
          profile: { name },
        })),
        200,
        LAST_PAGE,
      )
    ),
  ),
  "a clock that is a day off": changed((response) =>
    withHeaders(response, { date: new Date(Date.UTC(2025, 11, 31)).toUTCString() })
  ),
};
