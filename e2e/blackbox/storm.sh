#!/usr/bin/env bash
# Twenty receivers, one of each kind, on PostgreSQL, while the process is killed and the database restarted: each lead
# ends delivered or in the dead letters of each of them, and those that are well hardly wait for those that are not.
#   LEADLINE_LEADS=5000   how many leads there are in all, at least 2,000
source "$(dirname "$0")/lab.sh"

leads=${LEADLINE_LEADS:-5000}
calm=600
[ "$leads" -ge 2000 ] || die "LEADLINE_LEADS must be 2,000 or more"

postgres_lab
choose_server --database-url "$pg_url"
start_server
make_workspace

well=(200 204 html)
ill=(500x2,200 503,200 429:1,200 408,200 rst,200 close,200 half,200 badhttp,200 'mix:200@0.4+500@0.3+rst@0.3'
    500 404 422 redirect half rst0 hang dripheader)
well_port=$(free_port)
ill_port=$(free_port)

# make_receiver SCRIPT PORT PLAN: its secret goes to $secrets. Those that never answer are waited for for a second: four
# tries of five thousand leads at ten seconds each would take the whole day. The others get the ten that every receiver
# gets, since they share one interpreter: what it answers later than that counts for it and not for us.
secrets=()
make_receiver() {
    local made patience=10
    case $1 in hang | dripheader) patience=1 ;; esac
    made=$(make_destination "$1" "http://127.0.0.1:$2/b/$1" "$3")
    api PATCH "/v1/delivery/destinations/${made% *}" "{\"timeoutSeconds\":$patience,\"maxInFlight\":64}" >/dev/null
    secrets+=(--secret "${made#* }")
}
for script in "${well[@]}"; do make_receiver "$script" "$well_port" standard; done
sink well "$well_port" "${secrets[@]}"
well_log=$sink_log

# post RUN ARGUMENT…: leads by the form, counted in the table.
post() {
    local run=$1
    shift
    python3 "$tools/lossless.py" --url "$form_url" --health "$base/readyz" --timeout 30 \
        --verify "submissions;cmd;psql -XAtq $pg_url -c 'select payload from lead_submissions'" \
        --out "$results/$run" "$@" >"$results/$run.out" 2>&1 || { tail -n 30 "$results/$run.out"; return 1; }
}
arrived() { [ "$(jq -s '[.[] | select(.kind == "request")] | length' "$well_log")" -ge "$1" ]; }
steadily=(--rounds 0 --rate 8 --workers 4 --up 70:70 --settle 0 --max $calm)

expect "$calm leads at 8 a second for those that are well" post alone "${steadily[@]}"
posted=$(wc -l <"$results/alone/acked.txt")
until_true 60 arrived $((posted * ${#well[@]})) || die "not all of them arrived"
alone=$(python3 "$here/receipts.py" --lateness "$well_log")
before=$(wc -l <"$well_log")

secrets=()
for script in "${ill[@]}"; do make_receiver "$script" "$ill_port" fast; done
# On one machine they would take the processor from the product, which receivers elsewhere do not.
sink_niceness=19 sink ill "$ill_port" "${secrets[@]}"
ill_log=$sink_log
expect "the same beside ${#ill[@]} that are not" post beside "${steadily[@]}"
posted=$((posted + $(wc -l <"$results/beside/acked.txt")))
until_true 60 arrived $((posted * ${#well[@]})) || die "not all of them arrived"
tail -n "+$((before + 1))" "$well_log" >"$results/beside.jsonl"
beside=$(python3 "$here/receipts.py" --lateness "$results/beside.jsonl")
echo "     from commit to those that are well, ms: alone $alone, beside the others $beside"
expect "their p99 is at most twice what it was" at_most "$(jq '.p99 * 2' <<<"$alone")" "$(jq .p99 <<<"$beside")"

stop_server
rest=$((leads - posted))
expect "5 kills lose and double nothing" \
    post kills --server "$(server_command)" --workers 16 --rate 40 --up 3:8 --up-timeout 60 --rounds 5 --fault kill9 \
    --retry-unknown --settle 5 --max $((rest * 2 / 3))
expect "3 restarts of PostgreSQL lose and double nothing" \
    post restarts --server "$(server_command)" --workers 16 --rate 40 --up 3:8 --up-timeout 60 --rounds 3 \
    --fault "cmd:$tools/pglab.sh restart $lab/pg::true::1" --retry-unknown --settle 5 --max $((rest / 3))
start_server
# What the faults left to do: the last few by the form, so that the number is a round one.
posted=$(sql "select count(*) from leads")
if [ "$posted" -lt "$leads" ]; then
    expect "the rest of the $leads" post rest --rounds 0 --rate 100 --workers 16 --up 300:300 --settle 0 --max $((leads - posted))
fi
expect "what was spooled while PostgreSQL was away is stored" until_true 120 "$here/spool_empty.sh" "$data"
total=$(sql "select count(*) from leads")
echo "     $total leads, $((${#well[@]} + ${#ill[@]})) destinations"
expect "there are $leads leads or more" at_most "$total" "$leads"

pending() { equal 0 "$(sql "select count(*) from deliveries where state = 'pending'")"; }
expect "nothing is left to be sent within half an hour" until_true 1800 pending

# One row a lead and destination that was there when it came, and it says how it ended.
open_ends="select count(*) from (select l.id from leads l join destinations t on t.created_at <= l.created_at
    left join deliveries d on d.lead_id = l.id and d.destination_id = t.id
    group by l.id, t.id having count(d.id) <> 1 or not bool_and(d.state in ('delivered', 'dead'))) q"
expect "each lead ended once at each of them, delivered or in the dead letters" equal 0 "$(sql "$open_ends")"
never_dead="select count(*) from deliveries d join destinations t on t.id = d.destination_id
    where t.name in ('200', '204', 'html') and d.state <> 'delivered'"
expect "those that are well got every one" equal 0 "$(sql "$never_dead")"
sql "select id from deliveries where state = 'delivered'" >"$results/delivered.txt"
expect "whatever counts as delivered was answered 2xx" \
    python3 "$here/receipts.py" --answered "$results/delivered.txt" "$well_log" "$ill_log"
# A kill between an answer and its record repeats at most what was in flight.
expect "signatures, bodies and ids hold over every try" \
    python3 "$here/receipts.py" --repeats $((5 * 20 * 64)) "$well_log" "$ill_log"
sql "select t.name, d.state, count(*), max(d.attempt_count) from deliveries d join destinations t on t.id = d.destination_id group by 1, 2 order by 1, 2" |
    sed 's/^/     /'
stop_server
