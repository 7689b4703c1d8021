#!/usr/bin/env bash
# Sees to it that the machine has what a target needs:   scripts/needs.sh compiler node postgres chromium python
#
# On Debian and its relatives a missing PostgreSQL, Chromium, Python or C compiler is installed, with sudo when we are not
# root. Elsewhere, and for Rust and Node, which people choose for themselves, it says what to install and fails.
set -euo pipefail

fail() {
    echo "leadline: $*" >&2
    exit 1
}

has_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# CHROMIUM names a browser that stands elsewhere.
has_chromium() {
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ]
}

missing=()
for need in "$@"; do
    case $need in
    compiler)
        command -v cargo >/dev/null || fail "Rust is missing; install the toolchain that rust-toolchain or Cargo.toml (rust-version) names"
        command -v cc >/dev/null || missing+=(build-essential)
        ;;
    node)
        command -v npm >/dev/null || fail "Node.js 20.19 or later, with npm, is missing"
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
            fail "Node.js 20.19 or later is needed; this is $(node --version)"
        ;;
    postgres) has_postgres || missing+=(postgresql) ;;
    chromium) has_chromium || missing+=(chromium) ;;
    python)
        command -v python3 >/dev/null || missing+=(python3)
        python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
        ;;
    *) fail "scripts/needs.sh does not know '$need'" ;;
    esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null ||
    fail "please install: ${missing[*]} (Debian's names; PostgreSQL 15 or later; CHROMIUM says where a browser is), then run this again"
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    fail "please install as root: apt-get install ${missing[*]}"
fi
echo "leadline: installing ${missing[*]} (Debian packages)" >&2
"${as_root[@]}" apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
