#!/usr/bin/env bash
# A file of very many rows becomes leads, with the process killed half-way, and is put back: on SQLite and on PostgreSQL.
#   LEADLINE_ROWS=1000000 LEADLINE_DATABASES="sqlite postgres"
source "$(dirname "$0")/lab.sh"

rows=${LEADLINE_ROWS:-1000000}
# What a process may hold at most, whatever the file has: the rows of a few blocks.
most_mb=${LEADLINE_MOST_MB:-400}
imports=/v1/identity/imports
file=$lab/rows.csv

python3 - "$rows" >"$file" <<'PYTHON'
import sys

print("Name,E-mail,Phone,Company,City,Budget,Note", end="\r\n")
for row in range(int(sys.argv[1])):
    print(f'Person {row},person{row}@example.com,+49 151 {row:08},"Company {row % 5000}, Ltd",City {row % 300},'
          f'{row % 9000},"met at the fair, row {row}"', end="\r\n")
PYTHON
echo "     $rows rows, $(du -m "$file" | cut -f1) MB"

# count FROM: rows of the database that is on trial.
count() {
    if [ "$database" = sqlite ]; then sqlite3 "$data/leadline.db" "select count(*) from $1"
    else psql -XAtq "$pg_url" -c "select count(*) from $1"; fi
}

peak_mb() {
    awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$server/status"
}

# job FIELD: of the import's job.
job() {
    api GET "$imports/$import" | jq -r ".job.$1"
}

has_come_to() {
    local job
    job=$(api GET "$imports/$import" | jq .job)
    [ "$(jq -r .state <<<"$job")" = failed ] && return 0
    [ "$(jq -r .done <<<"$job")" -ge "$1" ]
}

has_ended_as() {
    [ "$(job state)" = "$1" ]
}

# timed WHAT COUNT COMMAND…: says how many a second.
timed() {
    local what=$1 count=$2 begun=$EPOCHREALTIME
    shift 2
    "$@" || return 1
    awk -v what="$what" -v count="$count" -v from="$begun" -v to="$EPOCHREALTIME" -v peak="$(peak_mb)" \
        'BEGIN { printf "     %-28s %8.0f rows a second, %.0f s, at most %d MB\n", what, count / (to - from), to - from, peak }'
}

bring() {
    import=$(curl -sS --fail-with-body -X POST -H "Authorization: Bearer $token" -H 'Content-Type: text/csv' \
        --data-binary "@$file" "$base$imports?fileName=rows.csv" | jq -er .id)
}

for database in ${LEADLINE_DATABASES:-sqlite postgres}; do
    if [ "$database" = postgres ]; then
        postgres_lab
        choose_server --database-url "$pg_url"
        data=$lab/postgres
        flags=(--data-dir "$data" --database-url "$pg_url")
    else
        choose_server
    fi
    start_server
    make_workspace

    timed "$database: file kept" "$rows" bring
    api POST "$imports/$import/start" '{}' >/dev/null
    timed "$database: the first half" $((rows / 2)) until_true 7200 has_come_to $((rows / 2))
    expect "$database: $most_mb MB are enough" at_most "$most_mb" "$(peak_mb)"
    kill -9 "$server"
    wait "$server" 2>/dev/null || true
    made=$(count "leads")
    start_server
    timed "$database: the rest, after a kill" $((rows - made)) until_true 7200 has_ended_as done
    expect "$database: $most_mb MB are enough after the kill, too" at_most "$most_mb" "$(peak_mb)"
    expect "$database: every row is a lead" equal "$rows" "$(count "leads where deleted_at is null")"
    expect "$database: none is there twice" equal "$rows" "$(count "(select distinct email from leads) as one")"
    expect "$database: every lead has its one submission" equal "$rows" "$(count "lead_submissions")"
    api POST "/v1/identity/jobs/$(job id)/undo" '{}' >/dev/null
    timed "$database: put back" "$rows" until_true 7200 has_ended_as undone
    expect "$database: no lead is left" equal 0 "$(count "leads where deleted_at is null")"
    stop_server
done
