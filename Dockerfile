# The images. `action`, the last and so the default, is what the jobs of a workflow pull: the program and what it needs.
# `agents` has Node and the agent CLIs beside it, for teams that run everything in one step:
#   docker build --target agents .
# Base images are named by version and digest, so that the same commit gives the same image. Dependabot raises both, which
# brings the security fixes of their distribution; it reads no ARG, so that the names stand in the FROM lines. To build from other
# images, replace one by its name as it stands there: docker buildx build --build-context NAME@DIGEST=docker-image://YOURS .
FROM docker.io/library/rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082 AS build
WORKDIR /src
COPY . .
# The commit that `--version` names: there is no repository in here.
ARG IMPLEMENTER_COMMIT=
RUN cargo build --release --locked --bin backend-implementer

# Node, the agent CLIs, git and a distribution in which `apt-get` adds whatever else subagents and gates need.
FROM docker.io/library/node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS agents
LABEL org.opencontainers.image.title="Backend Implementer with agent CLIs" \
  org.opencontainers.image.description="Coordinates the subagents of an implementation plan on a pull request" \
  org.opencontainers.image.licenses="MIT OR Apache-2.0"
# hadolint ignore=DL3008 # Versions come from the release of the base image.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ARG CLAUDE_CODE_VERSION=2.1.329
ARG CODEX_VERSION=0.169.0
RUN npm install --global --no-fund --no-audit --loglevel=error \
    "@anthropic-ai/claude-code@${CLAUDE_CODE_VERSION}" "@openai/codex@${CODEX_VERSION}" \
  && npm cache clean --force
COPY --from=build /src/target/release/backend-implementer /usr/local/bin/backend-implementer
# The users of slots have names: programs ask for the name of their user, and some end when it has none.
RUN ln -s backend-implementer /usr/local/bin/backend-implementer-action \
  && i=0 && while [ "$i" -lt 512 ]; do \
      echo "implementer-$i:x:$((60600 + i)):60600::/nonexistent:/bin/false"; i=$((i + 1)); done >>/etc/passwd
# As in the small image.
# hadolint ignore=DL3002
ENTRYPOINT ["/usr/local/bin/backend-implementer"]

# The files of the small image: git with its libraries, which fetches the pull request's commits and packs the result; a
# shell and the usual small programs, because commands of plans may be `sh -c …`; `ipcrm`, which takes away what subagents leave in
# memory; certificates.
FROM docker.io/library/debian:bookworm-slim@sha256:7c7b2c966bc9ee8cedfeef67e0e279108992c77681fa595db4a9d65c06ccc587 AS files
# hadolint ignore=DL3008 # Versions come from the release of the base image.
RUN apt-get update && apt-get install --yes --no-install-recommends busybox ca-certificates git
COPY --from=build /src/target/release/backend-implementer /image/usr/local/bin/backend-implementer
# Under this name the program works as a step of GitHub Actions, whatever its arguments are.
RUN ln -s backend-implementer /image/usr/local/bin/backend-implementer-action \
  && mkdir -p /image/bin /image/etc /image/root /image/usr/bin /image/usr/lib/git-core \
  && mkdir -m 1777 /image/tmp \
  && cp "$(command -v busybox)" /image/bin/busybox \
  && cp /usr/bin/git /usr/bin/ipcrm /image/usr/bin/ \
  && cp -L /usr/lib/git-core/git-remote-http /image/usr/lib/git-core/git-remote-http \
  && ln -s git-remote-http /image/usr/lib/git-core/git-remote-https \
  && { ldd /bin/busybox /usr/bin/git /usr/bin/ipcrm /usr/lib/git-core/git-remote-http \
    # Of a program that is linked against nothing ldd may say so by failing.
    && { ldd /image/usr/local/bin/backend-implementer || true; }; } >/tmp/needed \
  && grep -o '/[^ ]*\.so[^ ]*' /tmp/needed >/tmp/libraries \
  && while read -r library; do \
      mkdir -p "/image$(dirname "$library")" && cp -L "$library" "/image$library" || exit 1; done </tmp/libraries \
  && chroot /image /bin/busybox --install -s /bin \
  && mkdir -p /image/etc/ssl/certs && cp -L /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
  && echo 'root:x:0:0:root:/root:/bin/sh' >/image/etc/passwd && echo 'root:x:0:' >/image/etc/group \
  && i=0 && while [ "$i" -lt 512 ]; do \
      echo "implementer-$i:x:$((60600 + i)):60600::/nonexistent:/bin/false"; i=$((i + 1)); done >>/image/etc/passwd

FROM scratch AS action
LABEL org.opencontainers.image.title="Backend Implementer" \
  org.opencontainers.image.description="Coordinates the subagents of an implementation plan on a pull request" \
  org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=files /image /
ENV PATH=/usr/local/bin:/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# The runner mounts workspace and home, and needs root to write there: no USER.
ENTRYPOINT ["/usr/local/bin/backend-implementer"]
