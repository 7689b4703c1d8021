#!/usr/bin/env bash
# Puts the Python packages that tests use beside what cargo builds, in target/python. They are pinned by hash; what is
# there already and complete is left alone. The machine's own Python is not touched.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/needs.sh python
wanted=scripts/python-packages.txt
folder=$(scripts/target-dir.sh)/python
cmp -s "$wanted" "$folder/installed.txt" && exit 0

rm -rf "$folder"
PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-compile --only-binary :all: \
    --require-hashes --target "$folder" --requirement "$wanted"
cp "$wanted" "$folder/installed.txt"
