# The first stage compiles, on the builder's platform for the image's; the last holds the program and nothing else.
FROM --platform=$BUILDPLATFORM denoland/deno:2.9.6 AS build
ARG TARGETARCH
ARG GOTS_COMMIT
WORKDIR /build
COPY deno.json deno.lock ./
COPY tools/compile.ts ./tools/
COPY src ./src
RUN case "$TARGETARCH" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) echo "no gots for $TARGETARCH" >&2; exit 1 ;; esac; \
    deno task compile --target "$machine-unknown-linux-gnu"

FROM gcr.io/distroless/cc-debian12
LABEL org.opencontainers.image.title="gots" \
      org.opencontainers.image.description="Keeps Grafana teams equal to Okta groups" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build --chown=1000:1000 /build/dist/gots /usr/local/bin/gots
WORKDIR /app
USER 1000:1000
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/gots"]
