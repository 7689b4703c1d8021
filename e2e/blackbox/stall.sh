#!/usr/bin/env bash
# The store gone or stalled for a minute under load: nobody outside notices.   stall.sh [stopped paused frozen locked full]
# Every submission is answered well within 2 s and stored in the end, lead.persistence_failed is logged, destinations
# are told during the stall, and nothing is sent twice. Length is LEADLINE_STALL=60 seconds, load LEADLINE_RATE=150 a
# second, patience after it LEADLINE_SETTLE=45 seconds.
source "$(dirname "$0")/lab.sh"

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(stopped paused frozen locked full)
seconds=${LEADLINE_STALL:-60}
rate=${LEADLINE_RATE:-150}

prepare() {
    choose_server "$@"
    start_server
    make_workspace
    sink_port=$(free_port)
    local made
    made=$(make_destination sink "http://127.0.0.1:$sink_port/b/200" standard)
    results_of=$results/$part
    mkdir -p "$results_of"
    sink sink "$sink_port" --secret "${made#* }"
    : >"$results/server.log"
}

# under_load BREAK HEAL: the load runs before, during and after. The server is ours and is never restarted.
under_load() {
    python3 "$tools/lossless.py" --url "$form_url" --health "$base/healthz" --workers 32 --rate "$rate" --rounds 1 --up 8:8 \
        --fault "cmd:$1::$2::$seconds" --timeout 10 --up-timeout 30 --settle "${LEADLINE_SETTLE:-45}" --seed 11 \
        --verify "submissions;cmd;$select 'select payload from lead_submissions'" \
        --verify "leads;cmd;$select 'select email from leads'" \
        --out "$results_of" >"$results_of/run.out" 2>&1 || { tail -n 30 "$results_of/run.out"; return 1; }
}

figure() { jq -r "$1" "$results_of/result.json"; }

# Deliveries that arrived while the store was away: between its breaking and its healing, by the receiver's clock.
told_meanwhile() {
    local count
    count=$(jq -s --argjson from "$broke_at" --argjson to "$healed_at" \
        '[.[] | select(.kind == "request" and .t > $from + 5 and .t < $to - 1)] | length' "$sink_log")
    [ "$count" -gt 0 ] || { echo "the receiver heard nothing during the stall"; return 1; }
}

delivered_once() {
    python3 "$tools/flaky_sink.py" report "$sink_log" --expect "$results_of/acked.txt" --id-regex 'll-[0-9a-f]+-\d+-\d+' \
        --require-sig --require-ok --max-dup 0
}

# judge WHAT BREAK HEAL
judge() {
    local started
    started=$(date +%s)
    broke_at=$((started + 9))
    healed_at=$((broke_at + seconds - 2))
    expect "$1: each acknowledged submission is stored once" under_load "$2" "$3"
    leave_as "$part"
    expect "$1: nobody was refused or cut off" equal "0 0" "$(figure '"\(.refused) \(.unknown)"')"
    expect "$1: the slowest answer took under 2 s" at_most 2000 "$(figure .latency_ms.max)"
    expect "$1: lead.persistence_failed is in the log" grep -q 'lead.persistence_failed' "$results/server.log"
    expect "$1: the destination was told meanwhile" told_meanwhile
    expect "$1: each lead was sent exactly once, signed" delivered_once
    expect "$1: the books add up" "$LEADLINE_BIN" verify "${flags[@]}"
    mv "$sink_log" "$results_of/sink.jsonl"
    cp "$results/server.log" "$results_of/server.log"
    stop_server
    rm -rf "$lab/data"
}

on_sqlite() {
    database=$1
    select="sqlite3 -cmd '.timeout 20000' $database"
}

postgres() {
    [ -z "${pg_lab:-}" ] || return 0
    [ "$(id -u)" -eq 0 ] || die "PostgreSQL's laboratory needs root"
    export PGLAB_PORT
    PGLAB_PORT=$(free_port)
    pg_lab=$lab/pg
    mkdir -p "$pg_lab"
    "$tools/pglab.sh" up "$pg_lab" async >/dev/null
    at_end "$tools/pglab.sh down $pg_lab"
}

fresh_database() {
    local direct=postgres://postgres@127.0.0.1:$PGLAB_PORT
    psql -XAtq "$direct/postgres" -c "create database $1"
    select="psql -XAtq $direct/$1 -c"
}

run_stopped() {
    postgres
    fresh_database stopped
    prepare --database-url "postgres://postgres@127.0.0.1:$PGLAB_PORT/stopped"
    judge "PostgreSQL stopped" "$tools/pglab.sh stop $pg_lab 1" "$tools/pglab.sh start $pg_lab 1"
}

# Every process of PostgreSQL is stopped where it stands and goes on a minute later, as on a machine that swaps or is
# moved: what was asked meanwhile is answered then.
run_paused() {
    postgres
    fresh_database paused
    prepare --database-url "postgres://postgres@127.0.0.1:$PGLAB_PORT/paused"
    local all="\$(head -1 $pg_lab/p1/postmaster.pid) \$(pgrep -P \$(head -1 $pg_lab/p1/postmaster.pid))"
    judge "PostgreSQL paused" "kill -STOP $all" "kill -CONT $all"
}

# Bytes vanish on the way and connections stay open for good: the kind of failure that only a deadline notices.
run_frozen() {
    postgres
    fresh_database frozen
    local front control
    front=$(free_port)
    control=$(free_port)
    spawn "$results/proxy.log" python3 "$tools/tcpproxy.py" run --listen "127.0.0.1:$front" \
        --target "127.0.0.1:$PGLAB_PORT" --ctl "$control"
    until_true 10 python3 "$tools/tcpproxy.py" ctl "$control" stats
    prepare --database-url "postgres://postgres@127.0.0.1:$front/frozen"
    judge "PostgreSQL frozen" "python3 $tools/tcpproxy.py ctl $control blackhole" "python3 $tools/tcpproxy.py ctl $control pass"
}

run_locked() {
    prepare
    on_sqlite "$data/leadline.db"
    judge "SQLite locked" "python3 $here/lock.py $database $seconds >/dev/null 2>&1 </dev/null & true" true
}

# The database alone is on the small disk; the spool is beside it on a disk with room.
run_full() {
    [ "$(id -u)" -eq 0 ] || die "a full disk needs root, for a small disk to fill"
    "$tools/lossless_mkpl.sh" make "$lab/small.img" "$lab/small" 256
    at_end "umount $lab/small"
    prepare --database-url "sqlite://$lab/small/leadline.db"
    on_sqlite "$lab/small/leadline.db"
    judge "disk full" "dd if=/dev/zero of=$lab/small/ballast bs=64k 2>/dev/null || true" "rm -f $lab/small/ballast"
}

for part in "${parts[@]}"; do
    printf -- '-- %s\n' "$part"
    "run_$part"
done
