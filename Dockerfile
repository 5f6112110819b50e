# Lifeboat, the backup sidecar. Build the bundle first: npm ci && npm run build
ARG BASE_IMAGE=debian:trixie-slim
ARG NODE_IMAGE=node:26-trixie-slim

FROM ${NODE_IMAGE} AS official

# A fifth of the program is symbols that only a debugger reads.
FROM ${BASE_IMAGE} AS node
RUN apt-get update && apt-get install -y --no-install-recommends binutils
COPY --from=official /usr/local/bin/node /usr/local/bin/node
RUN strip /usr/local/bin/node

FROM ${BASE_IMAGE}
# zstd and isal (igzip) compress; sqlite3 copies and checks SQLite files; tini is PID 1; libatomic1 is Node's,
# which brings its own certificates of authorities.
RUN apt-get update \
 && apt-get install -y --no-install-recommends isal libatomic1 libstdc++6 sqlite3 tini tzdata zstd \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/* /var/log/apt /var/log/dpkg.log

COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY dist/ /opt/lifeboat/
# Each command is also a program, so that `docker exec sidecar restore db` works as it reads.
# Bytes pass in buffers of which V8 sees only the small heads: collected late, as it would, they pile up to 40 MB.
RUN printf '#!/bin/sh\nexec node --max-semi-space-size=1 --disable-warning=ExperimentalWarning /opt/lifeboat/main.js "$@"\n' > /usr/local/bin/lifeboat \
 && chmod 755 /usr/local/bin/lifeboat \
 && for name in $(cat /opt/lifeboat/commands); do \
      printf '#!/bin/sh\nexec lifeboat %s "$@"\n' "$name" > "/usr/local/bin/$name" && chmod 755 "/usr/local/bin/$name"; \
    done \
 && mkdir -p /backups /data /run/lifeboat /run/lifeboat-control \
 && chmod 711 /run/lifeboat && chmod 700 /run/lifeboat-control

ENV NODE_ENV=production
# /run/lifeboat: named pipes shared with helpers. /data: journal, history and cache, all rebuildable but the journal.
VOLUME ["/run/lifeboat", "/data"]
WORKDIR /
ENTRYPOINT ["tini", "-g", "--", "lifeboat"]
CMD ["daemon"]
# Unhealthy means that Lifeboat cannot do its work, not that the last backup failed.
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s --start-interval=1s CMD ["lifeboat", "healthcheck"]

# Last, so that a new revision changes nothing else.
ARG BASE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Lifeboat" \
      org.opencontainers.image.description="Backup sidecar for Docker Compose stacks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
