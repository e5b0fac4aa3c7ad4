#!/usr/bin/env bash
# Kills `farthing ingest` at random points, 50 times, and checks the books after each.
# usage: Tests/Faults/kill-rounds.sh FARTHING [ROUNDS]
# A receipt that was printed is an acknowledgement: its events must be there, once. Nothing needs help to restart.
set -euo pipefail
farthing=$1
rounds=${2:-50}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FARTHING_DATA=$work/store
RANDOM=20261121
acknowledged=0
finished=0

# Four events of 1 + 2 + … input tokens a round, and many others to be killed in.
events() {
  local round=$1
  for number in $(seq 1 2000); do
    printf '{"time":"2026-11-20T10:00:00Z","id":"r%s-%s","model":"m%s","input_tokens":%s}\n' \
      "$round" "$number" "$((number % 5))" "$number"
  done
}

for round in $(seq 1 "$rounds"); do
  events "$round" >"$work/events.ndjson"
  "$farthing" ingest "$work/events.ndjson" --output json >"$work/receipt" 2>"$work/errors" &
  process=$!
  sleep "0.$(printf '%03d' $((RANDOM % 150)))"
  kill -9 "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
  if grep -q '"accepted"' "$work/receipt"; then
    acknowledged=$((acknowledged + 2000))
    finished=$((finished + 1))
  fi
  # The same events again: those that survived are duplicates, the others are new.
  "$farthing" ingest "$work/events.ndjson" --output json >/dev/null 2>"$work/errors" || {
    echo "round $round: the restart needs help:"
    cat "$work/errors"
    exit 1
  }
  answer=$("$farthing" query requests,tokens --output json 2>"$work/errors" | tr -d ' \n')
  expected="\"requests\":$((round * 2000)),\"tokens\":$((round * 2001000))"
  case $answer in
    *"$expected"*) ;;
    *)
      echo "round $round: $answer, expected $expected"
      exit 1
      ;;
  esac
done
echo "$rounds rounds, $finished of them acknowledged before the kill: 0 lost, 0 doubled, 0 restarts that need help"
