# The action's image. Base images are named by version and not by digest, so that rebuilding brings the security fixes
# of their distribution; name others with --build-arg to build from images of your own, or from pinned digests.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
# For trying the image out: thin link-time optimisation takes most of the time of a build.
ARG CARGO_PROFILE_RELEASE_LTO
RUN if [ -n "$CARGO_PROFILE_RELEASE_LTO" ]; then export CARGO_PROFILE_RELEASE_LTO; else unset CARGO_PROFILE_RELEASE_LTO; fi \
  && cargo build --release --locked --bin backend-implementer \
  && strip target/release/backend-implementer

FROM ${BASE_IMAGE} AS action
LABEL org.opencontainers.image.title="Backend Implementer" \
  org.opencontainers.image.description="Coordinates the subagents of an implementation plan on a pull request" \
  org.opencontainers.image.licenses="MIT OR Apache-2.0"
# git fetches the pull request's commits and packs the result. Nothing else is needed: what subagents and gates need
# is added by whoever needs it, in an image made FROM this one.
# hadolint ignore=DL3008 # Versions come from the release of the base image.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    -o DPkg::Options::=--path-exclude='/usr/share/doc/*' -o DPkg::Options::=--path-exclude='/usr/share/man/*' \
    -o DPkg::Options::=--path-exclude='/usr/share/locale/*' ca-certificates git \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=build /src/target/release/backend-implementer /usr/local/bin/backend-implementer
# Under this name the program works as a step of GitHub Actions, whatever its arguments are.
RUN ln -s backend-implementer /usr/local/bin/backend-implementer-action
# The runner mounts workspace and home, and needs root to write there: no USER.
ENTRYPOINT ["/usr/local/bin/backend-implementer"]
