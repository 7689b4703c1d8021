#!/usr/bin/env bash
# Runs a command beside a throw-away PostgreSQL:   scripts/with-postgres.sh [--durable] COMMAND...
#
# The cluster lives in a temporary folder and on a free port of 127.0.0.1, and is gone when the command ends. The
# command finds it in LEADLINE_TEST_POSTGRES_URL, as a superuser who may make databases. Where that variable is set
# already, that server is used and none is started. Without --durable it skips every fsync: right for tests, wrong for
# figures.
set -euo pipefail

durable=no
if [ "${1:-}" = --durable ]; then
    durable=yes
    shift
fi
if [ -n "${LEADLINE_TEST_POSTGRES_URL:-}" ]; then
    exec "$@"
fi

# Debian keeps the server's programs out of PATH, one folder per major version; take the newest.
bin=$({ find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null || true; } | sort -V | tail -1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || true)")
[ -x "$bin/initdb" ] || { echo "leadline: PostgreSQL's initdb is nowhere to be found" >&2; exit 1; }
major=$("$bin/initdb" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
[ "$major" -ge 15 ] || { echo "leadline: PostgreSQL 15 or later is needed; $bin has $major" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/leadline-pg.XXXXXX")
# PostgreSQL refuses to run as root.
as_server=()
if [ "$(id -u)" -eq 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$folder"
    as_server=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups env HOME="$folder")
fi

server() {
    (cd "$folder" && "${as_server[@]}" "$bin/pg_ctl" -D "$folder/data" -s -w "$@" </dev/null)
}

stop() {
    [ -f "$folder/data/postmaster.pid" ] && server stop -m immediate >/dev/null 2>&1
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

(cd "$folder" && "${as_server[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1) ||
    { cat "$folder/initdb.log" >&2; exit 1; }
# Every test makes a database of its own, many at once, each with a small pool.
"${as_server[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$folder'
max_connections = 300
shared_buffers = 256MB
max_wal_size = 2GB
CONF
if [ $durable = no ]; then
    "${as_server[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
fsync = off
full_page_writes = off
autovacuum = off
CONF
fi

# The port is free when we look and may be taken when the server binds it, hence the tries.
started=no
for _ in 1 2 3 4 5; do
    port=$(node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    if server start -l "$folder/server.log" -o "-p $port" >/dev/null 2>&1; then
        started=yes
        break
    fi
done
[ $started = yes ] || { cat "$folder/server.log" >&2; exit 1; }

export LEADLINE_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
# In the background and waited for, so that a signal to us ends the command and then the server. TERM for both: a
# command started in the background of a script ignores INT.
"$@" &
command_pid=$!
trap 'kill -TERM $command_pid 2>/dev/null; wait $command_pid; exit 130' INT
trap 'kill -TERM $command_pid 2>/dev/null; wait $command_pid; exit 143' TERM HUP
wait $command_pid
