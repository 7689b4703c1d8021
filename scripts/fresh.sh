#!/usr/bin/env bash
# Checks that what is generated and committed is what the code generates today: docs/openapi.json, and the dashboard's
# types made from it. With --write it writes them instead.
set -euo pipefail
cd "$(dirname "$0")/.."

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cargo run --quiet --locked --package leadline -- openapi >"$made/openapi.json"
npx --prefix web --no-install openapi-typescript "$made/openapi.json" -o "$made/schema.gen.ts" >/dev/null

stale=0
keep() {
    if [ "${write:-no}" = yes ]; then
        cp "$1" "$2"
    elif ! cmp -s "$1" "$2"; then
        echo "$2 is stale; run scripts/fresh.sh --write" >&2
        stale=1
    fi
}
[ "${1:-}" != --write ] || write=yes
keep "$made/openapi.json" docs/openapi.json
keep "$made/schema.gen.ts" web/src/api/schema.gen.ts
exit $stale
