#!/usr/bin/env bash
# Hostile bodies at the form and at the inbound webhook: nothing is a 5xx, a hang or a leak of memory.
source "$(dirname "$0")/lab.sh"

choose_server
start_server
make_workspace
hook=$(api POST /v1/identity/lead-webhooks '{"name":"Lab hook"}' | jq -er .apiKey)

fuzz() {
    python3 "$tools/bodyfuzz.py" --pid "$server" --jsontestsuite "$cases/json/jsontestsuite" --json "$results/$1.json" --url "$2"
}
expect "the form takes hostile bodies and JSONTestSuite" fuzz form "$form_url"
expect "the inbound webhook takes the same" fuzz hook "$base/webhooks/leads/$hook"

expect "bodies of real browsers and broken multipart bodies are read or refused" \
    python3 "$here/multipart.py" --url "$form_url" --cases "$cases/multipart"

expect "the server is still ready" curl -fs "$base/readyz"
stop_server
