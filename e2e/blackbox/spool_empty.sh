#!/usr/bin/env bash
# Waits until nothing waits in a server's spool:   spool_empty.sh DATA-FOLDER [SECONDS=600]
# How long that takes is a matter of the machine; that it ends is not.
set -euo pipefail
left=${2:-600}
while compgen -G "$1/spool/*.spool" >/dev/null; do
    [ "$left" -gt 0 ] || { echo "the spool is not empty yet" >&2; exit 1; }
    left=$((left - 1))
    sleep 1
done
