# Banyan in a container: `docker compose up`, or docs/deployment.md. Everything it keeps is in the volume /data.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund
COPY . .
# Fills the stamps of packages and page, so that a start has nothing to install or build.
RUN \
    node -e "import('./scripts/prepare.mjs').then(({ prepare }) => prepare(process.cwd(), { page: true }))"
# Changes of its own are commits in the volume. A container that is made anew knows them by this, and goes on with them.
RUN [ ! -d .git/objects ] || echo /data/self/repository.git/objects > .git/objects/info/alternates

FROM node:24-bookworm-slim
# git: work trees and changes of its own source. bubblewrap: the sandbox of commands. tini comes from the engine (`init: true`).
RUN apt-get update \
    && apt-get install -y --no-install-recommends git bubblewrap ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o node -g node -m 711 /data \
    && ln -s /app/scripts/banyan.mjs /usr/local/bin/banyan
COPY --from=build --chown=node:node /app /app
WORKDIR /app
USER node
ENV DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=4 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8000) + '/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "scripts/container.mjs", "start"]
