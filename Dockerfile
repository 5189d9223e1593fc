# syntax=docker/dockerfile:1
# The server in an image without a shell, as a user without rights.
#
# Not tried: this image was never built, there was no container engine where it was written. What it relies on was:
# `cargo build --locked` needs no more than Rust and a C compiler.
#
#   docker build -t countersign .
#   docker run -p 8080:8080 -v countersign:/data --env-file countersign.env countersign

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The caches are not part of a layer, so the binary is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin countersign \
    && cp target/dist/countersign /countersign \
    && mkdir /data

# glibc, libgcc, CA certificates and the user `nonroot` (65532): the same Debian release as above, for its glibc.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /countersign /usr/local/bin/countersign
COPY --from=build --chown=65532:65532 /data /data

# Everything that must outlive the container, unless COUNTERSIGN_DATABASE_URL names a PostgreSQL database. SQLite needs a local file system with working locks, and one container:
# a second one on the same volume refuses to start.
VOLUME /data
WORKDIR /data
ENV COUNTERSIGN_LISTEN=0.0.0.0:8080 \
    COUNTERSIGN_DATABASE_URL=sqlite:/data/countersign.sqlite \
    COUNTERSIGN_MAIL_URL=file:/data/mail
EXPOSE 8080

# No HEALTHCHECK: it runs a command inside, and there is no shell or HTTP client to run. Ask GET /livez (restart when
# it fails) and GET /readyz (send no webhooks while it fails) from outside.
#
# `serve` drains on SIGTERM and is process 1 here: ENTRYPOINT in its exec form passes the signal on.
ENTRYPOINT ["countersign"]
CMD ["serve"]
