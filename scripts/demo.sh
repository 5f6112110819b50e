#!/usr/bin/env bash
# npm run demo: the whole promise in one go, on real servers. Brings up what is missing, starts examples/shop with data
# made at random for this run, backs everything up, throws the data away, restores it, and compares row by row against
# digests that were taken before and kept outside the containers.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
started=$SECONDS
say() { if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi; }

say '1. Bring up an Engine, the images and Lifeboat itself'
install_packages
exports=$(testbed/up.sh core)
eval "$exports"
testbed/image.sh mariadb:11.8 redis:8
build_image lifeboat:demo
export DOCKER_SOCKET=${DOCKER_HOST#unix://}

# Names of its own: whoever uses Lifeboat on this host already has a container `sidecar` and an image lifeboat:1.
work=$(mktemp -d)
mkdir -p "$work/examples" && cp -r examples/shop "$work/examples/"
sed -e 's/image: lifeboat:1/image: lifeboat:demo/' -e 's/container_name: sidecar/container_name: lifeboat-demo-sidecar/' \
  docker-compose.backup.yml >"$work/docker-compose.backup.yml"
cd "$work/examples/shop"
compose() { docker compose --progress quiet -p lifeboat-demo "$@"; }
sidecar() { docker exec lifeboat-demo-sidecar "$@"; }
cleanup() {
  compose down --volumes --timeout 1 >/dev/null 2>&1 || echo "could not remove the demo's containers: docker compose -p lifeboat-demo down --volumes" >&2
  rm -rf "$work"
}
trap cleanup EXIT
compose down --volumes --timeout 1 >/dev/null 2>&1 # what a killed demo left
compose up -d --wait --quiet-pull

# What each engine holds, in a fixed order, read with its own client.
read_postgres() { compose exec -T db psql -X -A -t -U postgres -d shop -c 'SELECT * FROM orders ORDER BY id' -c "SELECT last_value FROM orders_id_seq"; }
read_mariadb() { compose exec -T legacy sh -c 'exec mariadb -N -uroot -p"$(cat /run/secrets/db_password)" legacy -e "SELECT * FROM customers ORDER BY id"'; }
read_redis() { compose exec -T cache sh -c 'redis-cli --scan | sort | sed "s/.*/ECHO &\nHGETALL &/" | redis-cli'; }
read_sqlite() { compose exec -T app node --disable-warning=ExperimentalWarning -e '
  const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync("/app/data/shop.sqlite3");
  for (const row of db.prepare("SELECT * FROM visits ORDER BY id").all()) console.log(row.id, row.at)'; }
engines=(postgres mariadb redis sqlite)
digests() {
  for engine in "${engines[@]}"; do
    read_"$engine" >"$work/$engine"
    printf '%-9s %6d lines  SHA-256 %s\n' "$engine" "$(wc -l <"$work/$engine")" "$(sha256sum <"$work/$engine" | cut -d" " -f1)"
    rm "$work/$engine"
  done
}

seed=$RANDOM$RANDOM
say "2. Fill it with data made from seed $seed"
compose exec -T db psql -X -q -U postgres -d shop >/dev/null <<SQL
SELECT setseed(0.$seed);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer text NOT NULL, amount numeric(10,2) NOT NULL, at timestamptz NOT NULL);
INSERT INTO orders (customer, amount, at) SELECT md5(random()::text), random() * 1000, now() - random() * interval '1 year' FROM generate_series(1, 50000);
SQL
compose exec -T legacy sh -c 'exec mariadb -uroot -p"$(cat /run/secrets/db_password)" legacy' <<SQL
CREATE TABLE customers (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL, balance DECIMAL(10,2));
INSERT INTO customers (name, balance) SELECT MD5(RAND($seed + seq)), RAND(seq + $seed) * 1000 FROM seq_1_to_20000;
SQL
compose exec -T cache sh -c 'i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo "HSET session:$i user '"$seed"'-$i seen $((i * 7919 % 1000))"; done | redis-cli --pipe' >/dev/null
compose exec -T app node -e "(async () => { for (let i = 0; i < 200; i++) await fetch('http://127.0.0.1:3000/$seed-' + i, { method: 'POST' }) })()"
digests | tee "$work/before"

say '3. What would be backed up, without a single label'
sidecar plan

say '4. Back up'
sidecar backup
sidecar list

say '5. Disaster: the containers and volumes of all four are removed, and made anew, empty'
compose rm --stop --force --volumes app db legacy cache >/dev/null 2>&1
for volume in app-data db-data legacy-data cache-data; do echo "removed volume $(docker volume rm "lifeboat-demo_$volume")"; done
compose up -d --wait
for engine in "${engines[@]}"; do
  left=$({ read_"$engine" 2>/dev/null || true; } | wc -l)
  printf '%-9s %6d lines\n' "$engine" "$left"
  [ "$left" = 0 ] || { say "THE DATA OF $engine IS STILL THERE: the demo shows nothing" >&2; exit 1; }
done

say '6. Restore, one command each'
for service in db legacy cache app; do
  echo "$ docker exec lifeboat-demo-sidecar restore $service --yes"
  sidecar restore "$service" --yes
done

say '7. Compare with the digests of step 2'
digests | tee "$work/after"
if diff "$work/before" "$work/after"; then
  say "Everything is back, row by row. $((SECONDS - started)) s in all."
  echo 'The demo removes its containers, volumes and networks now. Images stay for the next time, and so does an Engine that'
  echo 'it had to start; testbed/down.sh stops that one.'
else
  say 'THE DATA DIFFERS' >&2
  exit 1
fi
