#!/usr/bin/env bash
# Kills, drains and power cuts under load: what was acknowledged is there once, and nothing is there twice.
#   crash.sh [kill drain powercut control postgres delivery]
# Rounds are LEADLINE_KILLS=50, LEADLINE_DRAINS=20, LEADLINE_CUTS=20.
source "$(dirname "$0")/lab.sh"

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(kill drain powercut control postgres delivery)
kills=${LEADLINE_KILLS:-50}
drains=${LEADLINE_DRAINS:-20}
cuts=${LEADLINE_CUTS:-20}

# One server that lossless.py starts and breaks: prepared by us, then handed over. Its counts come from the tables.
prepare() {
    rm -rf "$lab/data"
    choose_server "$@"
    start_server
    make_workspace
    stop_server
}

# lossless NAME ARGUMENT…: one run against the prepared server. Both tables must hold each acknowledged id once.
lossless() {
    local run=$1
    shift
    python3 "$tools/lossless.py" --server "$(server_command)" --url "$form_url" --health "$base/readyz" \
        --workers 64 --up 0.5:2 --up-timeout 60 --settle "${settle:-5}" --seed 7 \
        --verify "submissions;cmd;$select 'select payload from lead_submissions'" \
        --verify "leads;cmd;$select 'select email from leads'" \
        --out "$results/$run" "$@" >"$results/$run.out" 2>&1 || { tail -n 30 "$results/$run.out"; return 1; }
}

on_sqlite() {
    select="sqlite3 -cmd '.timeout 20000' ${database:-$data/leadline.db}"
    intact="test \"\$($select 'pragma integrity_check')\" = ok"
}

small_disk() {
    [ "$(id -u)" -eq 0 ] || die "power cuts need root, for a small disk that can be cut off"
    "$tools/lossless_mkpl.sh" make "$lab/disk.img" "$lab/disk" 512
    at_end "umount $lab/disk"
}

run_kill() {
    prepare
    on_sqlite
    expect "SQLite: $kills kills lose and double nothing" \
        lossless kill --rounds "$kills" --retry-unknown --dup-rate 0.02 --check "$intact"
    leave_as kill
}

run_drain() {
    prepare
    on_sqlite
    expect "SQLite: $drains drains cut no request off" lossless drain --rounds "$drains" --fault term --drain 10 --max-cut 0
    leave_as drain
}

run_powercut() {
    small_disk
    choose_server
    data=$lab/disk/data
    flags=(--data-dir "$data")
    start_server
    make_workspace
    stop_server
    on_sqlite
    expect "SQLite: $cuts power cuts lose and double nothing" \
        lossless powercut --rounds "$cuts" --fault powercut --pl-image "$lab/disk.img" --pl-mount "$lab/disk" \
        --retry-unknown --check "$intact"
    leave_as powercut
}

# The control shows that the cuts above do cut: with a commit that does not wait for the disk, something must be lost.
run_control() {
    mountpoint -q "$lab/disk" || small_disk
    choose_server
    data=$lab/disk/control
    flags=(--data-dir "$data")
    export LEADLINE_SQLITE_SYNCHRONOUS=normal
    start_server
    make_workspace
    stop_server
    on_sqlite
    lossless control --rounds 5 --fault powercut --pl-image "$lab/disk.img" --pl-mount "$lab/disk" --keep-going >/dev/null || true
    unset LEADLINE_SQLITE_SYNCHRONOUS
    leave_as control
    expect "the control (synchronous=NORMAL) loses some" \
        jq -e '.sources.submissions.missing_acked > 0' "$results/control/result.json"
}

run_postgres() {
    postgres_lab
    prepare --database-url "$pg_url"
    # What arrived while PostgreSQL was starting waits in the spool; on a busy machine storing it takes minutes.
    select="$here/spool_empty.sh $data && psql -XAtq $pg_url -c"
    expect "PostgreSQL: $kills kills and crash restarts under load lose and double nothing" \
        lossless postgres --rounds "$kills" --retry-unknown --dup-rate 0.02 \
        --fault kill9 --fault "cmd:$tools/pglab.sh restart $lab/pg::true::1"
    leave_as postgres
    pg_url=
}

# The same kills with a receiver behind them: each acknowledged id reaches it, whatever was in flight.
run_delivery() {
    prepare
    sink_port=$(free_port)
    start_server
    local made
    made=$(make_destination sink "http://127.0.0.1:$sink_port/b/200" standard)
    stop_server
    sink sink "$sink_port" --secret "${made#* }"
    on_sqlite
    settle=60
    expect "SQLite: ten kills, and every lead reaches the receiver" \
        lossless delivery --rounds 10 --rate 300 --up 1:3 --retry-unknown --verify "delivered;file;$sink_log;+"
    settle=
    leave_as delivery
    report() { python3 "$tools/flaky_sink.py" report "$sink_log" --expect "$results/delivery/acked.txt" \
        --id-regex 'll-[0-9a-f]+-\d+-\d+' --require-sig --require-ok --max-dup 640; }
    # A kill between the answer and its record repeats at most what was in flight, under the same delivery id.
    expect "each with a good signature, an unchanged body and an unchanged id" report
}

for part in "${parts[@]}"; do
    printf -- '-- %s\n' "$part"
    "run_$part"
done
