#!/usr/bin/env bash
# A whole installation moves from SQLite to PostgreSQL, killed on the way, and back; and backups of both under load.
#   LEADLINE_ROWS=1000000 LEADLINE_LOAD_SECONDS=20 LEADLINE_LOAD_RATE=200
source "$(dirname "$0")/lab.sh"

rows=${LEADLINE_ROWS:-1000000}
seconds=${LEADLINE_LOAD_SECONDS:-20}
rate=${LEADLINE_LOAD_RATE:-200}
# What a process may hold at most, however much there is to copy.
most_mb=${LEADLINE_MOST_MB:-400}

# timed WHAT COMMAND…: says how long it took and what it held at most. Its output is in $lab/said.
timed() {
    local what=$1 status=0
    shift
    /usr/bin/env time -f '%e %M' -o "$lab/time" "$@" >"$lab/out" 2>"$lab/said" || status=$?
    # Of a command that failed, the first line is about that.
    awk -v what="$what" -v rows="$rows" 'END { printf "     %-34s %8.1f s, %8.0f leads a second, at most %d MB\n", what, $1, rows / ($1 + 0.001), $2 / 1024 }' "$lab/time"
    peak_mb=$(awk 'END { print int($2 / 1024) }' "$lab/time")
    return $status
}

succeeds() {
    "$@" || { tail -n 5 "$lab/said" 2>/dev/null; return 1; }
}

same_tables() {
    diff <(jq -S .tables "$1") <(jq -S .tables "$2")
}

# backup_under_load NAME: of the running server, with visitors at the form; leaves $backup.
backup_under_load() {
    local name=$1 before at_first
    backup=$lab/$name.backup
    python3 "$tools/lossless.py" --url "$form_url" --health "$base/readyz" --rounds 0 --up "$seconds:$seconds" \
        --rate "$rate" --workers 16 --settle 0 --body '{"name":"Load {id}","email":"{id}@example.com"}' \
        --out "$results/$name" >"$results/$name.out" 2>&1 &
    local load=$!
    processes+=("$load")
    at_first=$(sql "select count(*) from leads")
    until_true 30 grew "$at_first"
    before=$(sql "select count(*) from leads")
    timed "$name: backup" "$LEADLINE_BIN" backup --to "$backup" "${flags[@]}" || true
    expect "$name: a backup is made under load" test -f "$backup"
    expect "$name: $most_mb MB are enough for it" at_most "$most_mb" "$peak_mb"
    wait "$load" || true
    jq -c '{sent, acked, refused, unknown, latency_ms}' "$results/$name/result.json" | sed "s/^/     $name: /"
    expect "$name: nobody was refused meanwhile" equal 0 "$(jq '.refused + .unknown' "$results/$name/result.json")"
    ls -l "$backup" | awk '{ printf "     %s: %.1f MB\n", "'"$name"'", $5 / 1e6 }'
    timed "$name: verify" "$LEADLINE_BIN" backup verify --json "$backup" || true
    expect "$name: it is whole" test -s "$lab/out"
    cp "$lab/out" "$lab/$name.json"
    expect "$name: every lead from before is in it" at_least "$before" "$(jq .tables.leads.rows "$lab/$name.json")"
}

grew() {
    [ "$(sql "select count(*) from leads")" -gt "$1" ]
}

at_least() {
    [ "$2" -ge "$1" ] || { echo "wanted at least $1, got $2"; return 1; }
}

# restore_and_compare NAME FLAGS…: what is restored has the same rows and checksums as the backup.
restore_and_compare() {
    local name=$1
    shift
    mkdir -p "$lab/restored"
    cp "$data/secret.key" "$lab/restored/"
    timed "$name: restore" "$LEADLINE_BIN" restore --from "$backup" --data-dir "$lab/restored" "$@" || true
    expect "$name: it is restored" grep -q '^Restored' "$lab/said"
    "$LEADLINE_BIN" backup --json --to "$lab/again.backup" --data-dir "$lab/restored" "$@" >"$lab/again.json" 2>/dev/null || true
    expect "$name: what is restored is what was backed up" same_tables "$lab/again.json" "$lab/${backup_name:?}.json"
    rm -rf "$lab/restored" "$lab/again.backup"
}

postgres_lab
choose_server
unset pg_url_kept
pg_url_kept=$pg_url
pg_url=
start_server
make_workspace
stop_server
timed "leads are made" "$LEADLINE_BIN" dev load-leads --count "$rows" --with-history "${flags[@]}" || true

start_server
backup_under_load sqlite
backup_name=sqlite
restore_and_compare "sqlite to sqlite"
createdb() { psql -XAtq "$pg_url_kept" -c "create database $1" >/dev/null; }
dropdb() { psql -XAtq "$pg_url_kept" -c "drop database $1 with (force)" >/dev/null; }
createdb restored
restore_and_compare "sqlite to postgres" --database-url "${pg_url_kept%/*}/restored"
dropdb restored
stop_server

before=$(sha256sum "$data/leadline.db" | cut -d' ' -f1)
leads=$(sql "select count(*) from leads")
createdb moved
moved=${pg_url_kept%/*}/moved
kills=0
for after in 0.5 2 5; do
    "$LEADLINE_BIN" move --to "$moved" "${flags[@]}" >/dev/null 2>"$lab/killed" &
    mover=$!
    processes+=("$mover")
    sleep "$after"
    kill -9 "$mover" 2>/dev/null && kills=$((kills + 1))
    wait "$mover" 2>/dev/null || true
done
timed "move, after $kills kills" "$LEADLINE_BIN" move --json --to "$moved" "${flags[@]}" || true
moves() { grep -q '"tables"' "$lab/out" || grep -q 'is not empty' "$lab/said" || { tail -3 "$lab/said"; return 1; }; }
expect "everything moves, although it was killed" moves
expect "$most_mb MB are enough for it" at_most "$most_mb" "$peak_mb"
expect "the old file is as it was" equal "$before" "$(sha256sum "$data/leadline.db" | cut -d' ' -f1)"
pg_url=$moved
flags=(--data-dir "$data" --database-url "$moved")
expect "no lead is missing or there twice" equal "$leads|$leads" "$(sql "select count(*), count(distinct id) from leads")"
start_server
expect "the token from before is good" api GET /v1/identity/leads?limit=1
until_true 60 "$LEADLINE_BIN" verify "${flags[@]}" || true
expect "the books add up" "$LEADLINE_BIN" verify "${flags[@]}"
backup_under_load postgres
backup_name=postgres
restore_and_compare "postgres to sqlite"
createdb restored
restore_and_compare "postgres to postgres" --database-url "${pg_url_kept%/*}/restored"
dropdb restored
stop_server
timed "the way back" "$LEADLINE_BIN" move --to "sqlite://$lab/back.db" "${flags[@]}" || true
expect "everything moves back" test -f "$lab/back.db"
expect "the file is in order" equal ok "$(sqlite3 "$lab/back.db" 'pragma integrity_check')"
