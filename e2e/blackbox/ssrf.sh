#!/usr/bin/env bash
# Destinations that point inwards: refused when saved, or never connected to. Runs in a network of its own, with no way
# out, scripted names, and public-looking addresses on loopback; a canary listens where nothing may ever arrive.
if [ "${1:-}" != inside ]; then
    source "$(dirname "$0")/lab.sh"
    trap - EXIT
    [ "$(id -u)" -eq 0 ] || die "a closed network needs root"
    # Two names of ours for which the public host has a certificate.
    rules=(-r 'once.r.test=93.184.216.34>127.0.0.1' -r 'twice.r.test=93.184.216.34>127.0.0.1>93.184.216.34')
    # Every name of the list that is not refused by its looks leads to loopback; the rebinding ones change their mind.
    while read -r rule; do
        rules+=(-r "$rule")
    done < <(python3 "$here/inward.py" rules "$cases/ssrf")
    exec "$tools/netlab.sh" -d "$lab/net" -r 'ok.test=93.184.216.34' "${rules[@]}" -- "$0" inside "$lab/net"
fi
net=$2
LEADLINE_OUTBOUND_ALLOW=
source "$(dirname "$0")/lab.sh"
at_end "rm -rf $(dirname "$net")"

choose_server
start_server
make_workspace
sink_port=9900
# The sink answers as the public host; its canary is every inward port that the list names most.
sink_log=$results/sink.jsonl
: >"$sink_log"
spawn "$results/sink.log" python3 "$tools/flaky_sink.py" serve --host 93.184.216.34 --port 443 --log "$sink_log" \
    --tls-cert "$net/cert.pem" --tls-key "$net/key.pem" --canary 127.0.0.1:443
for canary_port in 80 8080; do
    spawn "$results/canary.log" python3 "$tools/flaky_sink.py" serve --port 0 --log "$results/canary-$canary_port.jsonl" \
        --canary "127.0.0.1:$canary_port"
done
until_true 10 curl -fsk --resolve ok.test:443:93.184.216.34 https://ok.test/_/stats || die "the receiver did not start"

hits() { cat "$sink_log" "$results"/canary-*.jsonl | jq -s '[.[] | select(.kind == "canary")] | length'; }

# The bodies in which an address may be saved.
plain='{name: "inward", url: $url, events: ["lead.created"], retryPlan: "none"}'
feedback='{name: "inward", url: $url, format: "meta_capi", token: "t", retryPlan: "none",
    conversions: {goals: [{on: "won", name: "Purchase"}]}}'
token_address='{name: "inward", url: "https://ok.test/b/200", events: ["lead.created"], retryPlan: "none",
    oauth: {grant: "client_credentials", tokenUrl: $url, clientId: "id", clientSecret: "s"}}'

# save URL [BODY]
save() {
    api_status POST /v1/delivery/destinations "$(jq -nc --arg url "$1" "${2:-$plain}")"
}

# never_connects URL [BODY]: refused when saved, with a reason; or saved, and then the Test button reports an error and
# the canary is untouched.
never_connects() {
    local url=$1 status before id
    before=$(hits)
    status=$(save "$url" "${2:-$plain}")
    case $status in
    4??) return 0 ;;
    2??) ;;
    *) echo "saving answered $status"; return 1 ;;
    esac
    id=$(jq -r .id "$lab/answer")
    api_status POST "/v1/delivery/destinations/$id/test" '{}' >/dev/null
    jq -e '.status == null and .error != null' "$lab/answer" >/dev/null || { echo "the test said: $(cat "$lab/answer")"; return 1; }
    equal "$before" "$(hits)"
}

accepts() {
    local status
    status=$(save "$@")
    [[ $status = 2* ]] || { echo "answered $status: $(cat "$lab/answer")"; return 1; }
}

# Names that change their mind, under a load: a thousand leads for two of them, before there are other destinations.
changing=()
for url in https://once.r.test/b/200 https://twice.r.test/b/200; do
    [[ $(save "$url") = 2* ]] || die "$url was refused: $(cat "$lab/answer")"
    changing+=("$(jq -r .id "$lab/answer")")
done
seq 1000 | xargs -P 8 -I @n@ curl -sS -o /dev/null --fail -H 'Content-Type: application/json' \
    --data-binary '{"name": "Lead @n@", "email": "lead.@n@.x@example.com"}' "$form_url" || die "not every lead was accepted"
count() { api GET "/v1/delivery/deliveries?limit=1&status=$1" | jq -er .total; }
has_ended() { [ "$(($(count delivered) + $(count dead)))" -eq 2000 ]; }
expect "2,000 deliveries to names that change their mind end" until_true 240 has_ended
echo "     $(count delivered) arrived at the public host, $(count dead) were given up"
expect "and none of them reaches loopback" equal 0 "$(hits)"
for id in "${changing[@]}"; do api DELETE "/v1/delivery/destinations/$id" >/dev/null; done

while IFS= read -r url; do
    expect "never connects: ${url:0:90}" never_connects "$url"
    expect "nor for conversions" never_connects "$url" "$feedback"
    expect "nor for a token" never_connects "$url" "$token_address"
done < <(jq -r '.[].url' "$cases/ssrf/urls_refuse.json")

while IFS= read -r ip; do
    [[ $ip = *:* ]] && ip="[$ip]"
    expect "never connects: $ip" never_connects "https://$ip/"
done < <(jq -r '.[] | select(.expect == "deny") | .ip' "$cases/ssrf/ip_classes.json")

while IFS= read -r url; do
    expect "may be saved: $url" accepts "$url"
done < <(jq -r '.[].url' "$cases/ssrf/urls_accept.json")

# The real thing reaches the public host through TLS, so the refusals above refuse for the right reason.
accepts https://ok.test/b/200 || die "the public host was refused: $(cat "$lab/answer")"
public=$(jq -r .id "$lab/answer")
tested() { api POST "/v1/delivery/destinations/$1/test" '{}'; }
answers() { tested "$1" | jq -e '.status == 200'; }
expect "a public host is reached" answers "$public"
for body in "$feedback" "$token_address"; do
    expect "and may be saved in each of the bodies that were refused" accepts https://ok.test/b/200 "$body"
done

# Names that change their mind: pressed often enough to meet every answer they give.
for url in https://r1.test/b/200 https://r2.test/b/200; do
    for body in "$plain" "$feedback" "$token_address"; do
        status=$(save "$url" "$body")
        if [[ $status = 2* ]]; then
            id=$(jq -r .id "$lab/answer")
            for _ in 1 2 3 4 5 6; do tested "$id" >/dev/null || true; done
        fi
    done
    expect "$url never reaches loopback" equal 0 "$(hits)"
done
for url in https://slow.test/ https://drop.test/; do
    if [[ $(save "$url") = 2* ]]; then
        id=$(jq -r .id "$lab/answer")
        fails() { tested "$1" | jq -e '.status == null and .error != null'; }
        expect "$url fails, and says so" fails "$id"
    fi
    expect "the others are unaffected by $url" answers "$public"
done

expect "nothing ever reached an inward port" equal 0 "$(hits)"
stop_server
