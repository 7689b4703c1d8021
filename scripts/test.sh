#!/usr/bin/env bash
# Every test there is: Rust (each data test on SQLite and on PostgreSQL), dashboard, embed script, browser.
# Installs PostgreSQL and Chromium where they are missing. Runs on after a failure and fails at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

# Thousands of databases come and go, each some hundred files: in memory, where there is room, a test with PostgreSQL
# takes half the time.
memory_kib=$(df --output=avail /dev/shm 2>/dev/null | tail -1)
if [ -w /dev/shm ] && [ "${memory_kib:-0}" -ge 6000000 ]; then
    export TMPDIR=/dev/shm
fi

if [ -z "${LEADLINE_TEST_POSTGRES_URL:-}" ]; then
    scripts/needs.sh compiler node postgres chromium python
    exec scripts/with-postgres.sh "$0" "$@"
fi

# The server carries both inside itself, so they come first; the browser tests have a package of their own.
make --no-print-directory web embed e2e/node_modules/.package-lock.json
# Receivers of deliveries are written in many languages; two packages for them are tried.
scripts/python-packages.sh

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=()
stage() {
    local name=$1
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    # No terminal behind the pipe: the runners then print plain lines that the tally can read.
    if ! "$@" 2>&1 </dev/null | tee "$logs/$name"; then
        failed+=("$name")
    fi
}

if command -v cargo-nextest >/dev/null; then
    stage rust cargo nextest run --workspace --locked
    stage doctests cargo test --doc --workspace --locked --quiet
else
    stage rust cargo test --workspace --locked --no-fail-fast
fi
stage dashboard npm --prefix web test
stage embed npm --prefix embed test
stage server cargo build --locked --package leadline
LEADLINE_BIN=$(scripts/target-dir.sh)/debug/leadline
export LEADLINE_BIN
stage browser npm --prefix e2e test

printf '\n'
node scripts/tally.mjs "$logs"/*
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed stages: ${failed[*]}"
    exit 1
fi
