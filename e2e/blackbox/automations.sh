#!/usr/bin/env bash
# Steps of automations that come due within a minute, on two processes with one PostgreSQL of which one is killed every
# five seconds: each step is started exactly once by the count of who gets the messages, none is lost, and what was late
# is made up for soon after the last kill.
#   LEADLINE_RUNS=10000   how many runs there are
source "$(dirname "$0")/lab.sh"

runs=${LEADLINE_RUNS:-10000}
spread=60
postgres_lab
LEADLINE_SECRET_KEY=$(head -c 32 /dev/urandom | base64)
export LEADLINE_SECRET_KEY
choose_server --database-url "$pg_url"
start_server
make_workspace
first_flags=("${flags[@]}")
first_port=$port
first_base=$base
first=$server
# The second node: the same database and key, a port and a spool of its own.
choose_server --database-url "$pg_url"
data=$lab/second
flags=(--data-dir "$data" --database-url "$pg_url")
start_server
second_flags=("${flags[@]}")
second_port=$port
second=$server
base=$first_base

# The gateway knows the keys that it was sent, as one must to be sent a message again of which nobody knows.
sink_port=$(free_port)
sink gateway "$sink_port"
settings=$(jq -nc --arg url "http://127.0.0.1:$sink_port/b/200" '{url: $url, knowsIdempotencyKey: "yes"}')
api POST /v1/messaging/channels "$(jq -nc --argjson s "$settings" '{kind: "sms_http", name: "Gateway", maxInFlight: 32, perMinute: 0, settings: $s}')" >/dev/null
template=$(api POST /v1/messaging/templates '{"channel":"sms","name":"Welcome","body":"Welcome {{email}}"}' | jq -er .id)
hook=$(api POST /v1/identity/lead-webhooks '{"name":"Lab"}')
automation=$(api POST /v1/identity/lead-automations "$(jq -nc --arg source "$(jq -er .id <<<"$hook")" --arg template "$template" \
    '{name: "Lab", webhookSourceId: $source, steps: [{channel: "sms", delayMinutes: 1440, templateId: $template}]}')" | jq -er .id)

# Leads arrive first, and every run waits; then their steps are made due over the next minute. The tester keeps its time
# also when it has sent all: as long as fifty a second take, which is few.
patience=$((runs / 50 + 20))
expect "$runs leads arrive by the webhook" python3 "$tools/lossless.py" --workers 32 --rounds 0 --up $patience:$patience --settle 0 \
    --url "$first_base/webhooks/leads/$(jq -er .apiKey <<<"$hook")" --health "$first_base/readyz" --max "$runs" --timeout 30 \
    --out "$results/leads"
waiting() { sql "select count(*) from automation_sendings where status = 'waiting'"; }
all_wait() { equal "$runs" "$(waiting)"; }
expect "each lead has one run that waits" until_true 300 all_wait
ahead=5
sql "update automation_sendings set due_at = (extract(epoch from now()) * 1000)::bigint + $ahead * 1000
     + (random() * $spread * 1000)::bigint where status = 'waiting'" >/dev/null
sleep $ahead

# restart NODE: kills one of the two and starts it again at once.
restart() {
    local victim=$1 listen
    if [ "$victim" = first ]; then
        kill -KILL "$first"
        wait "$first" 2>/dev/null || true
        flags=("${first_flags[@]}") listen=$first_port
    else
        kill -KILL "$second"
        wait "$second" 2>/dev/null || true
        flags=("${second_flags[@]}") listen=$second_port
    fi
    spawn "$results/server.log" "$LEADLINE_BIN" serve --listen "127.0.0.1:$listen" "${flags[@]}"
    if [ "$victim" = first ]; then first=$spawned; else second=$spawned; fi
}
kills=0
until_at=$(($(date +%s) + spread))
while [ "$(date +%s)" -lt "$until_at" ]; do
    sleep 5
    if [ $((kills % 2)) -eq 0 ]; then restart first; else restart second; fi
    kills=$((kills + 1))
done
echo "     $kills kills"
until_true 60 curl -fs "http://127.0.0.1:$first_port/readyz" || die "the first node did not come back"

# Steps are started as soon as a node is there again; a message that was under way is sent again once its lease is over.
none_waits() { equal 0 "$(waiting)"; }
expect "nothing that is due waits 5 seconds after the last kill" until_true 5 none_waits
settled() { equal 0 "$(sql "select count(*) from messages where status in ('queued', 'sending')")"; }
expect "every message is over within five minutes" until_true 300 settled
asked="select count(*) from messages where cause_kind = 'automation'"
expect "each run asked for one message" equal "$runs" "$(sql "$asked")"
completed="select completed_count from lead_automation_workflows where id = '$automation'"
all_completed() { equal "$runs" "$(sql "$completed")"; }
expect "each run is counted as completed, once" until_true 60 all_completed
late="select coalesce(max(started_at - due_at), 0) from automation_sendings"
echo "     the latest start was $(sql "$late") ms late"
expect "by the gateway's own count each step was started exactly once" \
    python3 "$here/started.py" --steps "$runs" --repeats $((kills * 64)) "$sink_log"
server=$first
stop_server
server=$second
stop_server
