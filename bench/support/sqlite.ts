/** A service with one SQLite database in a volume, and nobody who writes to it. */
export const sqliteServices = `
  db:
    image: debian:trixie-slim
    command: sleep infinity
    init: true
    labels: { lifeboat.sqlite: /data/app.db }
    volumes: [db-data:/data]
volumes:
  db-data:
`;
