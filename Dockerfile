# The first stage compiles, the last holds the program and nothing else.
FROM denoland/deno:2.9.6 AS build
WORKDIR /build
COPY deno.json deno.lock ./
COPY src ./src
RUN deno compile --allow-net --allow-env --allow-read --output /build/gots src/main.ts

FROM gcr.io/distroless/cc-debian12
LABEL org.opencontainers.image.title="gots" \
      org.opencontainers.image.description="Keeps Grafana teams equal to Okta groups" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build --chown=1000:1000 /build/gots /usr/local/bin/gots
WORKDIR /app
USER 1000:1000
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/gots"]
