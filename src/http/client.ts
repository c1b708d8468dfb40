/** One way to talk to a JSON service: signed, to its own origin only, with errors that explain themselves. */
import { shownAddress } from "./address.ts";
import { readAnswer } from "./answer.ts";
import { cleanError, quotable } from "./credentials.ts";
import { isRequestError, RequestError, type Subject } from "./error.ts";
import type { Service } from "./service.ts";
import { createTransport } from "./transport.ts";
import type { Answer, HttpClient, Request, Surroundings } from "./types.ts";

/** The address to ask. A link is followed as it came, but never to another origin: the credential would go along. */
function urlOf(request: Request<unknown>, { name, baseUrl }: Service, subject: Subject): string {
  if (request.link === undefined) {
    const query = Object.entries(request.query ?? {}).map(([key, value]) => [key, String(value)]);
    return `${baseUrl}${subject.path}${query.length > 0 ? `?${new URLSearchParams(query)}` : ""}`;
  }
  const { origin } = new URL(baseUrl);
  const link = URL.parse(request.link);
  const hasCredentials = Boolean(link?.username || link?.password);
  if (link && link.origin === origin && !hasCredentials) return request.link;
  const to = link ? shownAddress(link) : "an invalid address";
  throw new RequestError({
    ...subject,
    kind: "bad-link",
    detail: `the link to the next page points to ${to}` +
      (link?.origin === origin ? " and contains credentials" : `, not to ${origin}`),
    advice: `gots did not follow it; check what is answering in place of ${name}`,
  });
}

/** Makes a client of `service`. */
export function createHttpClient(service: Service, surroundings: Surroundings): HttpClient {
  const { authorization } = service;
  const fetch = authorization.send ?? surroundings.fetch;
  const transport = createTransport(service, { ...surroundings, fetch });
  let credential: Record<string, string> = {};

  async function ask<T>(request: Request<T>): Promise<Answer<T>> {
    const { method, route, body, timeoutMs, attempts } = request;
    const path = route.replace(/:(\w+)/g, (_, key) => encodeURIComponent(request.params?.[key] ?? ""));
    const subject: Subject = { service: service.name, method, path };
    const url = urlOf(request, service, subject);
    const { response, text } = await transport.exchange({
      ...subject,
      route,
      url,
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs,
      attempts,
      headers: async () => {
        credential = await authorization.headers({ method, url });
        const type = body === undefined ? {} : { "content-type": "application/json" };
        return { ...credential, ...type, accept: "application/json" };
      },
    });
    return await readAnswer(request, service, subject, response, quotable(response, text, credential));
  }

  return {
    async send<T>(request: Request<T>): Promise<Answer<T>> {
      try {
        return await ask(request).catch((error: unknown) => {
          const isRefused = isRequestError(error, "unauthorized") && authorization.renew?.(credential);
          if (isRefused) return ask(request);
          throw error;
        });
      } catch (error) {
        throw cleanError(error, credential);
      }
    },
  };
}
