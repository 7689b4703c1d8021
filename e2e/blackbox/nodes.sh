#!/usr/bin/env bash
# Two processes on one PostgreSQL: they share the queue, none sends what the other is sending, and what one held when it
# was killed is sent by the other.
#   LEADLINE_KILLS=10
source "$(dirname "$0")/lab.sh"

kills=${LEADLINE_KILLS:-10}
postgres_lab
LEADLINE_SECRET_KEY=$(head -c 32 /dev/urandom | base64)
export LEADLINE_SECRET_KEY
choose_server --database-url "$pg_url"
start_server
make_workspace
sink_port=$(free_port)
# Each answer takes a moment, so that two at once would be seen to overlap.
made=$(make_destination slow "http://127.0.0.1:$sink_port/b/delay:0.3" standard)
api PATCH "/v1/delivery/destinations/${made% *}" '{"maxInFlight":64}' >/dev/null
stop_server
first=(--server "$(server_command)" --url "$form_url" --health "$base/readyz")
# The second node: the same database and key, a port and a spool of its own.
choose_server --database-url "$pg_url"
data=$lab/second
flags=(--data-dir "$data" --database-url "$pg_url")
second=(--server "$(server_command)" --url "$base/f/$form" --health "$base/readyz")
sink sink "$sink_port" --secret "${made#* }"

lossless() {
    python3 "$tools/lossless.py" "${first[@]}" "${second[@]}" --workers 16 --rate 150 --up 2:5 --up-timeout 60 \
        --rounds "$kills" --retry-unknown --resend-each --dup-rate 0.02 --settle 180 --seed 7 \
        --verify "submissions;cmd;psql -XAtq $pg_url -c 'select payload from lead_submissions'" \
        --verify "leads;cmd;psql -XAtq $pg_url -c 'select email from leads'" \
        --verify "delivered;cmd;psql -XAtq $pg_url -c \"select l.email from deliveries d join leads l on l.id = d.lead_id where d.state = 'delivered'\"" \
        --out "$results/nodes" >"$results/nodes.out" 2>&1 || { tail -n 30 "$results/nodes.out"; return 1; }
}
expect "$kills kills of one of two nodes: every lead stored once and delivered" lossless
leave_as nodes
expect "no delivery is under way twice at once" python3 "$here/receipts.py" --overlaps "$sink_log"
# A kill between an answer and its record repeats at most what was in flight.
expect "signatures, bodies and ids hold over every try" python3 "$here/receipts.py" --repeats $((kills * 64)) "$sink_log"
nodes=$(jq -s '[.[] | select(.kind == "request")] | length' "$sink_log")
echo "     $nodes requests"
