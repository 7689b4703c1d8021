#!/usr/bin/env bash
# What a change must pass before it lands. The quick looks come first, every test last. Stops at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

scripts/needs.sh compiler node
# The server carries both inside itself; without them it does not compile.
make --no-print-directory web embed e2e/node_modules/.package-lock.json

step cargo fmt --all --check
step node scripts/unused-dependencies.mjs
step node scripts/licences.mjs
step cargo clippy --workspace --all-targets --locked -- -D warnings
# The pages are for people who read the code, so a public item may point at a private one.
step env RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --locked
step scripts/fresh.sh
step npm --prefix web run check
step npm --prefix embed run check
step npm --prefix e2e run check
step scripts/test.sh
