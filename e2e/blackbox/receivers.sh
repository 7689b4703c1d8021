#!/usr/bin/env bash
# Receivers that misbehave in every way a scripted one can: each event ends delivered or in the dead letters, signed and
# unchanged over its tries; no redirect is followed; a hung receiver slows nobody; a dead letter can be replayed.
source "$(dirname "$0")/lab.sh"

choose_server
start_server
make_workspace
canary=127.0.0.1:$(free_port)

# What a receiver does, and how its events must end under the plan of three quick retries.
behaviours=(
    'delivered 200' 'delivered 204' 'delivered 500x2,200' 'delivered 503,200' 'delivered 429:1,200' 'delivered 408,200'
    'delivered 425,200' 'delivered delay:3' 'delivered rst,200' 'delivered close,200'
    'delivered half,200' 'delivered badhttp,200' 'delivered html' 'delivered earlyhints' 'delivered slowread:20000'
    'dead 500' 'dead 400' 'dead 404' 'dead 410' 'dead 422' 'dead redirect' 'dead redirect307' 'dead redirectloop'
    'dead hang' 'dead dripheader' 'dead rst' 'dead rst0' 'dead close' 'dead half' 'dead badhttp'
    'ended drip:1:100' 'ended noread' 'ended mix:200@0.4+500@0.3+rst@0.2+close@0.1'
)
# These keep the receiver's own processor busy; how they end is up to how far it gets in ten seconds.
heavy=('ended huge:20M' 'ended gzipbomb:50M' 'ended chunkforever' 'ended hdrbomb:20000' 'ended longline:8M')

ports=("$(free_port)" "$(free_port)" "$(free_port)")
secrets=()
declare -A wanted
destinations=()
make_all() {
    local at=$1 behaviour end script id secret
    shift
    for behaviour in "$@"; do
        read -r end script <<<"$behaviour"
        read -r id secret <<<"$(make_destination "$script" "http://127.0.0.1:$at/b/$script" fast)"
        destinations+=("$id")
        wanted[$id]="$end $script"
        secrets+=(--secret "$secret")
    done
}
make_all "${ports[0]}" "${behaviours[@]}"
make_all "${ports[1]}" "${heavy[@]}"
read -r replayed replayed_secret <<<"$(make_destination replayed "http://127.0.0.1:${ports[0]}/s/replayed" none)"
read -r healthy healthy_secret <<<"$(make_destination healthy "http://127.0.0.1:${ports[2]}/b/200/healthy" standard)"
sink heavy "${ports[1]}" "${secrets[@]}"
heavy_log=$sink_log
sink healthy "${ports[2]}" --secret "$healthy_secret"
healthy_log=$sink_log
sink sink "${ports[0]}" "${secrets[@]}" --secret "$replayed_secret" --canary "$canary"
control=http://127.0.0.1:${ports[0]}/_/script/replayed
curl -fsS -o "$lab/answer" -X POST --data 500 "$control"

# With the rest of them at work, hung ones included, how long until the healthy neighbour hears of a lead?
python3 "$tools/lossless.py" --url "$form_url" --health "$base/readyz" --rounds 0 --up 20:20 --rate 3 --workers 4 \
    --settle 0 --verify "submissions;cmd;sqlite3 '$data/leadline.db' 'select payload from lead_submissions'" \
    --out "$results/load" >"$results/load.out" 2>&1 || die "the load did not run; see $results/load.out"
posted=$(wc -l <"$results/load/acked.txt")
echo "     $posted leads for $((${#destinations[@]} + 2)) destinations"

pending() { equal 0 "$(sql "select count(*) from deliveries where state = 'pending'")"; }
expect "every event ends delivered or dead within 15 minutes" until_true 900 pending

ends_as() {
    local states
    states=$(sql "select group_concat(state) from (select distinct state from deliveries where destination_id = '$1' order by state)")
    case ${2%% *} in
    ended) [[ $states =~ ^(dead|delivered|dead,delivered)$ ]] ;;
    # The one answer that switches the destination off: what waits for it then is cancelled.
    *) [[ $states = "${2%% *}" ]] || [[ "$2" = "dead 410" && $states =~ ^(cancelled,)?dead$ ]] ;;
    esac || { echo "states: $states"; sql "select distinct last_status, last_error from deliveries where destination_id = '$1' limit 5"; return 1; }
}
for id in "${destinations[@]}"; do
    expect "a receiver that answers '${wanted[$id]#* }': ${wanted[$id]%% *}" ends_as "$id" "${wanted[$id]}"
done

gone=$(api GET /v1/delivery/destinations?limit=200 | jq -c '.data[] | select(.name == "410") | [.isActive, .disabledReason != null]')
expect "410 switches its destination off, and says why" equal '[false,true]' "$gone"

expect "signatures, bodies and ids hold over every try" python3 "$here/receipts.py" "$sink_log" "$heavy_log" "$healthy_log"
expect "no redirect was followed" equal 0 "$(jq -s '[.[] | select(.kind == "canary")] | length' "$sink_log")"

libraries=$lab/python
python3 -m venv "$libraries" && "$libraries/bin/pip" install --quiet --disable-pip-version-check standardwebhooks 2>/dev/null ||
    die "the standardwebhooks package could not be installed"
expect "the standardwebhooks package verifies what the healthy receiver got" \
    "$libraries/bin/python" "$here/receipts.py" --standard "$healthy_secret" "$healthy_log"

late=$(python3 "$here/receipts.py" --lateness "$healthy_log")
echo "     from commit to the healthy receiver, ms: $late"
expect "hung receivers do not slow the healthy one (p99 under 2 s)" at_most 2000 "$(jq .p99 <<<"$late")"

curl -fsS -o "$lab/answer" -X POST --data 200 "$control"
dead=$(api GET "/v1/delivery/dead-letters?destinationId=$replayed" | jq -er '.data[0].id')
api POST "/v1/delivery/dead-letters/$dead/replay" '{}' >/dev/null
is_delivered() { equal delivered "$(sql "select state from deliveries where id = '$dead'")"; }
expect "a dead letter that is replayed arrives" until_true 20 is_delivered
expect "under the same id and with the same body" python3 "$here/receipts.py" --path /s/replayed "$sink_log"

stop_server
