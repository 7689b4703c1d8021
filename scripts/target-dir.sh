#!/usr/bin/env bash
# Prints the folder that cargo builds into, which a variable or a configuration file may have moved.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo metadata --no-deps --offline --format-version 1 |
    node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).target_directory'
