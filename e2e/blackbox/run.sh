#!/usr/bin/env bash
# Runs the drivers of this folder, or those named:   e2e/blackbox/run.sh [bodies ssrf receivers stall crash nodes storm import automations move]
# They need ../shared/tools beside the project, root (for the small disks and the closed network), and up to three hours.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

drivers=("$@")
[ ${#drivers[@]} -gt 0 ] || drivers=(bodies ssrf receivers stall crash nodes storm import automations move)
passed=0
failed=0
for driver in "${drivers[@]}"; do
    printf '\n== %s\n' "$driver"
    if "$here/$driver.sh"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
printf '\nblackbox: %s passed, %s failed\n' $passed $failed
[ $failed -eq 0 ]
