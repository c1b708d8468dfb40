# Images are named by version and digest; Dependabot raises both.
# The first stage compiles, on the builder's platform for the image's. The last holds the program, and of Debian what it needs.
ARG GOTS_VERSION=unknown
ARG GOTS_COMMIT=unknown

FROM --platform=$BUILDPLATFORM denoland/deno:2.9.6@sha256:2014dc167ece617ef7e7ba40631ac2234c59e75ce693e7cc2dc2602b3c87859d AS build
ARG TARGETARCH
ARG GOTS_COMMIT
WORKDIR /build
COPY deno.json deno.lock ./
COPY tools/compile.ts ./tools/
COPY src ./src
RUN case "$TARGETARCH" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) echo "no gots for $TARGETARCH" >&2; exit 1 ;; esac; \
    GOTS_COMMIT=$(printf %.7s "$GOTS_COMMIT") deno task compile --target "$machine-unknown-linux-gnu"

FROM gcr.io/distroless/cc-debian13:nonroot@sha256:54df941ed0d06a1bd95ef5e0ce391fd8d9f94b64782dc9a60062727849ee3f97 AS cc

FROM gcr.io/distroless/base-nossl-debian13:nonroot@sha256:8c563c1fb5e120606f0d85733049775faed6192e2bd2223ef283a5393eec22b9
ARG GOTS_VERSION
ARG GOTS_COMMIT
LABEL org.opencontainers.image.title="gots" \
      org.opencontainers.image.description="Keeps Grafana teams in sync with Okta groups" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/cropalato/gots" \
      org.opencontainers.image.version="$GOTS_VERSION" \
      org.opencontainers.image.revision="$GOTS_COMMIT"
# Besides the C library Deno needs libgcc, and nothing else that cc has, such as OpenSSL.
COPY --from=cc /usr/lib/*-linux-gnu/libgcc_s.so.1 /usr/lib/
COPY --from=build /build/dist/gots /usr/local/bin/
USER 1000:1000
WORKDIR /app
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/usr/local/bin/gots", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/gots"]
