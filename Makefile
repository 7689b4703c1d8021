# `make help` lists what there is. Each target is one visible command; what is longer stands in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run test check bench blackbox build web embed
SHELL := /bin/bash

# Folders and files whose change makes the web parts stale. Vite and esbuild empty their output folder, so one file of
# it stands for the whole.
WEB_SOURCES   = $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
EMBED_SOURCES = $(shell find embed -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: web embed ## build all and serve a demo workspace on http://127.0.0.1:8080, with SQLite in ./data
	cargo run --package leadline -- serve --demo

test: ## run every test; installs PostgreSQL and Chromium where they are missing
	scripts/test.sh

check: ## what a change must pass: formatting, lints, docs, freshness, licences, and every test
	scripts/check.sh

bench: web embed ## print the figures of this machine: captures, deliveries, a million leads (an hour; needs 20 GB)
	cargo build --release --package leadline --package leadline-bench
	scripts/with-postgres.sh --durable cargo run --release --package leadline-bench

blackbox: ## the long crash, stall and attack runs with ../shared/tools (an hour and more; see e2e/blackbox)
	e2e/blackbox/run.sh

build: web embed ## the binary to install: target/release/leadline
	cargo build --release --package leadline

web: web/dist/index.html ## build the dashboard where its sources changed

embed: embed/dist/embed.js ## build the script for websites where its sources changed

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix web run build && touch $@

embed/dist/embed.js: embed/node_modules/.package-lock.json $(EMBED_SOURCES)
	npm --prefix embed run build && touch $@

# Versions come from the lock file, and it is left as it is. `npm ci` would do the same, but refuses a lock file that
# lacks a tool's builds for other systems, which some mirrors of the registry do not carry.
%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* install --no-save --no-audit --no-fund && touch $@
