# Sourced by every driver in this folder: a server of its own, a workspace, and a count of what held.
#
# A driver says `expect "what must hold" command…`; the last line it prints is `NAME: N passed, N failed`. Whatever it
# starts it remembers by process id and ends by it. What a run leaves to look at is in e2e/results/blackbox/NAME.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
name=$(basename "$0" .sh)
tools=$root/../shared/tools
cases=$root/../shared/cases

die() {
    echo "$name: $*" >&2
    exit 2
}

[ -f "$tools/lossless.py" ] && [ -d "$cases" ] ||
    die "the testers are not there: this needs ../shared/tools and ../shared/cases beside the project"
for program in python3 curl jq sqlite3; do
    command -v $program >/dev/null || die "$program is missing (Debian package of the same name)"
done

if [ -z "${LEADLINE_BIN:-}" ]; then
    built=$("$root/scripts/target-dir.sh")
    LEADLINE_BIN=$built/release/leadline
    # Whichever is newer, so that nobody looks for yesterday's faults.
    [ "$built/debug/leadline" -nt "$LEADLINE_BIN" ] && LEADLINE_BIN=$built/debug/leadline
fi
[ -x "$LEADLINE_BIN" ] || die "no binary: run 'make build' first, or name one in LEADLINE_BIN"

echo "$name: $LEADLINE_BIN, built $(date -r "$LEADLINE_BIN" '+%F %T')"

results=$root/e2e/results/blackbox/$name
rm -rf "$results"
mkdir -p "$results"
lab=$(mktemp -d /tmp/leadline-lab.XXXXXX)
chmod 755 "$lab"
email=lab@leadline.test
password='a password for the lab'
passed=0
failed=0
processes=()
undo=()

# Runs at the end, whatever happened: later things first.
at_end() {
    undo+=("$*")
}

clean_up() {
    local status=$? i
    set +e
    for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
        eval "${undo[$i]}" >/dev/null 2>&1
    done
    for i in "${processes[@]}"; do
        kill "$i" 2>/dev/null
    done
    for i in "${processes[@]}"; do
        wait "$i" 2>/dev/null
    done
    # LEADLINE_KEEP_LAB=1 leaves the data to be looked at.
    if [ -z "${LEADLINE_KEEP_LAB:-}" ]; then rm -rf "$lab"; else echo "kept: $lab"; fi
    if [ $status -eq 0 ] || [ $((passed + failed)) -gt 0 ]; then
        echo "$name: $passed passed, $failed failed"
    fi
    [ $status -ne 0 ] || [ $failed -eq 0 ] || status=1
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# expect WHAT COMMAND…: the command's exit status is the verdict, its output the reason.
expect() {
    local what=$1 reason
    shift
    if reason=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "PASS $what"
    else
        failed=$((failed + 1))
        echo "FAIL $what"
        printf '%s\n' "$reason" | tail -n 12 | sed 's/^/     /'
    fi
}

# equal WANTED GOT, for `expect`.
equal() {
    [ "$1" = "$2" ] || { echo "wanted $1, got $2"; return 1; }
}

# at_most LIMIT VALUE, numbers with a fraction allowed.
at_most() {
    awk -v limit="$1" -v value="$2" 'BEGIN { exit !(value + 0 <= limit + 0) }' || { echo "wanted at most $1, got $2"; return 1; }
}

free_port() {
    python3 - <<'PYTHON'
import random, socket
# Below the ports that the system gives to clients: a server that is stopped for a while must find its own free again.
# The next port is looked at too, for the laboratory's second PostgreSQL.
while True:
    port = random.randrange(15000, 30000)
    try:
        for wanted in (port, port + 1):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", wanted))
    except OSError:
        continue
    print(port)
    break
PYTHON
}

# spawn LOG COMMAND…: in the background, remembered; its id in $spawned.
spawn() {
    local log=$1
    shift
    "$@" >>"$log" 2>&1 </dev/null &
    spawned=$!
    processes+=("$spawned")
}

# until_true SECONDS COMMAND…: tries it every tenth of a second.
until_true() {
    local tries=$(($1 * 10))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}

# choose_server [FLAG…]: where the next server listens and keeps its data. Receivers in the lab are on loopback.
choose_server() {
    port=$(free_port)
    base=http://127.0.0.1:$port
    data=$lab/data
    flags=(--data-dir "$data" "$@")
    export LEADLINE_OUTBOUND_ALLOW=${LEADLINE_OUTBOUND_ALLOW-127.0.0.0/8}
}

# The command line that starts it, for a tester that starts and kills it by itself.
server_command() {
    printf 'exec'
    printf ' %q' "$LEADLINE_BIN" serve --listen "127.0.0.1:$port" "${flags[@]}"
}

start_server() {
    spawn "$results/server.log" "$LEADLINE_BIN" serve --listen "127.0.0.1:$port" "${flags[@]}"
    server=$spawned
    until_true 60 curl -fs "$base/readyz" || { tail -20 "$results/server.log" >&2; die "the server did not become ready"; }
}

# A PostgreSQL that can be broken, with its standby; leaves $pg_url.
postgres_lab() {
    [ "$(id -u)" -eq 0 ] || die "PostgreSQL's laboratory needs root"
    export PGLAB_PORT
    PGLAB_PORT=$(free_port)
    mkdir -p "$lab/pg"
    "$tools/pglab.sh" up "$lab/pg" async >/dev/null
    at_end "$tools/pglab.sh down $lab/pg"
    pg_url=postgres://postgres@127.0.0.1:$PGLAB_PORT/leadline
}

# Asks the server to stop, and judges that it left by itself with 0. Not for `expect`: only its parent can wait for it.
stop_server() {
    local status=0
    kill -TERM "$server"
    wait "$server" || status=$?
    expect "the server drains and leaves when asked" equal 0 $status
}

# A user, a token, a form. Needs a running server; leaves $token, $form (its key) and $form_url.
make_workspace() {
    printf '%s\n' "$password" | "$LEADLINE_BIN" user create --email $email --role super_admin "${flags[@]}" >/dev/null 2>>"$results/setup.log"
    token=$("$LEADLINE_BIN" token create --workspace default --role admin "${flags[@]}" 2>>"$results/setup.log")
    form=$(api POST /v1/capture/forms '{"name":"Lab"}' | jq -er .key)
    form_url=$base/f/$form
}

# api METHOD PATH [BODY]: prints the answer, fails on anything but 2xx.
api() {
    curl -sS --fail-with-body --max-time 30 -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        ${3:+--data-binary "$3"} "$base$2"
}

# api_status METHOD PATH [BODY]: prints the status, and keeps the answer in $lab/answer.
api_status() {
    curl -sS --max-time 60 -o "$lab/answer" -w '%{http_code}' -X "$1" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' ${3:+--data-binary "$3"} "$base$2"
}

# make_destination NAME URL RETRYPLAN [EVENTS]: prints "ID SECRET".
make_destination() {
    local body
    body=$(jq -nc --arg name "$1" --arg url "$2" --arg plan "$3" --argjson events "${4:-[\"lead.created\"]}" \
        '{name: $name, url: $url, retryPlan: $plan, events: $events}')
    api POST /v1/delivery/destinations "$body" | jq -er '"\(.id) \(.secret)"'
}

# sink NAME PORT ARGUMENT…: a scripted receiver; what it got is in $sink_log. It answers one thing at a time, so
# receivers that keep it busy and receivers that are timed need one each.
sink() {
    local sink_name=$1 at=$2
    shift 2
    sink_log=$results/$sink_name.jsonl
    : >"$sink_log"
    spawn "$results/$sink_name.log" nice -n "${sink_niceness:-0}" python3 "$tools/flaky_sink.py" serve --port "$at" --log "$sink_log" "$@"
    until_true 10 curl -fs "http://127.0.0.1:$at/_/stats" || die "the receiver $sink_name did not start"
}

# sql STATEMENT: on the database of the lab, SQLite or PostgreSQL.
sql() {
    if [ -n "${pg_url:-}" ]; then
        psql -XAtq "$pg_url" -c "$1"
    else
        sqlite3 -cmd '.timeout 10000' "${database:-$data/leadline.db}" "$1"
    fi
}

# leave_as NAME: keeps what a run of lossless.py left, and prints its figures.
leave_as() {
    local from=$results/$1/result.json
    [ -f "$from" ] && jq -c '{sent, acked, refused, unknown, resent, codes, latency_ms, drain_cut_off,
        sources: (.sources | map_values({ids, missing_acked, duplicated}))}' "$from" | sed "s/^/     $1: /"
}
